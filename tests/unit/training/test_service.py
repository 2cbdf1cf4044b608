"""The training room over a real store, real jobs and a worker that only counts."""

import shutil
import threading
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import yaml

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.jobs.launch import Launcher
from ftkit.jobs.service import Jobs
from ftkit.records import Split
from ftkit.settings import Settings
from ftkit.store import jobs as store_jobs
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from ftkit.store.files import Folders, read_json
from ftkit.store.jobs import JobTable
from ftkit.training.service import TrainingService
from ftkit.training.spec import RunSpec
from ftkit.workspace import Workspace
from tests.tiny import make_tiny_model, make_tiny_t5

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home")
    make_tiny_model(made / "models" / "tiny")
    return made


@pytest.fixture(scope="module")
def split(home: Path) -> Split:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(home)})) as workspace:
        return workspace.splits.split(workspace.data.import_sample("ticket-triage").id)


@pytest.fixture
def room(home: Path):
    settings = Settings.from_environment({"FTKIT_HOME": str(home), "PYTHONPATH": str(ROOT)})
    environment = settings.worker_environment()
    database = Database(f"sqlite:///{home / 'ftkit.sqlite'}")
    ids = count()

    def new_id() -> str:
        return f"{time.time_ns():x}{next(ids)}"[-12:]

    folders = Folders(home)
    jobs = Jobs(
        JobTable(database),
        folders,
        Launcher(environment, "tests.jobs.fakes"),
        lambda: datetime.now(UTC),
        new_id,
    )
    made = TrainingService(
        artefacts=Artefacts(database),
        folders=folders,
        jobs=jobs,
        recipes_folder=settings.recipes,
        environment=environment,
        clock=lambda: datetime.now(UTC),
        new_id=new_id,
    )
    yield made
    for job in jobs.unfinished():
        jobs.stop(job.artefact)
        jobs.wait(job.artefact, 20)
    database.close()


SPEC = RunSpec(model_name_or_path="tiny", max_steps=30)


def test_the_card_counts_this_split_and_remembers(room: TrainingService, split: Split, home: Path) -> None:
    card = room.card(SPEC, split.id)
    assert card.rows + card.left_out == split.sizes["train"]
    assert card.steps == 30
    assert 0 < card.trained_tokens < card.tokens
    remembered = list((home / "splits" / split.id).glob("tokens-*.json"))
    begun = time.monotonic()
    assert room.card(SPEC, split.id).tokens == card.tokens
    assert time.monotonic() - begun < 0.5
    assert len(remembered) == 1


def test_rows_that_are_too_long_are_counted_and_all_of_them_refused(
    room: TrainingService, split: Split
) -> None:
    short = SPEC.model_copy(update={"max_length": 16})
    assert room.card(short, split.id).left_out == split.sizes["train"]
    with pytest.raises(Refused, match="longer than 16 tokens"):
        room.start(short, split.id, "smollm2-135m/sft-lora")


def test_an_encoder_decoder_model_is_refused_what_it_cannot_do_before_rows_are_counted(
    room: TrainingService, split: Split, home: Path
) -> None:
    make_tiny_t5(home / "models" / "tiny-t5")
    spec = SPEC.model_copy(update={"model_name_or_path": "tiny-t5"})
    with pytest.raises(Refused, match="Turn packing off"):
        room.start(spec.model_copy(update={"packing": True}), split.id, "flan-t5-small/sft-lora")
    card = room.card(spec, split.id)
    assert (card.rows, card.problems) == (split.sizes["train"], ())
    assert card.trained_tokens < card.tokens
    # The answers of this split are JSON, and such a tokenizer knows no braces.
    assert [warning.key for warning in card.warnings] == ["training.some_unknown"]


def test_a_model_that_is_not_here_is_refused_with_the_way_to_get_it(
    room: TrainingService, split: Split
) -> None:
    with pytest.raises(NotFound, match="ftkit models pull absent"):
        room.card(SPEC.model_copy(update={"model_name_or_path": "absent"}), split.id)


def test_a_run_from_start_to_end(room: TrainingService, split: Split, home: Path) -> None:
    run = room.start(SPEC, split.id, "smollm2-135m/sft-lora", "My run", request="click-1")
    assert room.start(SPEC, split.id, "smollm2-135m/sft-lora", "My run", request="click-1") == run
    folder = home / "runs" / run.id
    assert RunSpec.parse(yaml.safe_load((folder / "spec.yaml").read_text())) == SPEC
    assert read_json(folder / "inputs.json")["mapping"] == split.mapping
    seen = []
    view = room.wait(run.id, lambda job, state: seen.append(state.get("step", 0)))
    assert view.state == "done"
    assert view.metrics["tokens_per_second"] == 150.0
    assert max(seen) > min(seen)
    curves = room.curves(run.id)
    assert [m["step"] for m in curves if "loss" in m] == list(range(1, 31))
    assert [m["step"] for m in curves if "eval_loss" in m] == [10, 20, 30]
    assert room.all()[0].run.parents == (split.id, "tiny")
    assert room.card(SPEC, split.id).seconds_from == "earlier runs"
    whole = SPEC.model_copy(update={"use_peft": False})
    assert room.card(whole, split.id).seconds_from != "earlier runs"  # that run trained an adapter
    with pytest.raises(Refused, match="finished"):
        room.resume(run.id)


def test_clicks_at_the_same_time_make_one_run_and_other_options_make_another(
    room: TrainingService, split: Split
) -> None:
    made: list[str] = []

    def click() -> None:
        made.append(room.start(SPEC, split.id, "smollm2-135m/sft-lora", request="form-1").id)

    threads = [threading.Thread(target=click) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 5
    assert len(set(made)) == 1
    other = room.start(
        SPEC.model_copy(update={"seed": 7}), split.id, "smollm2-135m/sft-lora", request="form-1"
    )
    assert other.id not in made
    assert [job.artefact for job in room.queue()] == [other.id]
    room.stop(other.id)
    room.stop(made[0], now=True)
    assert room.wait(made[0]).state == "stopped"


def test_a_guest_is_refused_a_third_waiting_run_and_nothing_is_left_of_it(
    room: TrainingService, split: Split
) -> None:
    runs = [room.start(SPEC, split.id, "smollm2-135m/sft-lora", owner="ada") for _ in range(3)]
    before = {view.run.id for view in room.all()}
    with pytest.raises(Refused, match="2 of yours wait already"):
        room.start(SPEC, split.id, "smollm2-135m/sft-lora", owner="ada")
    assert {view.run.id for view in room.all()} == before
    assert [job.artefact for job in room.reorder(runs[2].id, "first")] == [runs[2].id, runs[1].id]
    for run in reversed(runs):
        room.stop(run.id, by="ada", now=True)
    asked = [event.by for event in room.events(runs[0].id) if event.event == "asked_to_stop"]
    assert asked == ["ada"]


def test_a_run_comes_into_being_with_its_job_or_not_at_all(
    room: TrainingService, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens between the two, there is no run without a job and no worker without a run."""
    real, before = store_jobs.insert_artefact, {view.run.id for view in room.all()}
    jobs_before = len(room.queue())

    def die(connection: object, record: object) -> None:
        real(connection, record)
        raise ZeroDivisionError

    monkeypatch.setattr(store_jobs, "insert_artefact", die)
    with pytest.raises(ZeroDivisionError):
        room.start(SPEC, split.id, "smollm2-135m/sft-lora")
    assert {view.run.id for view in room.all()} == before
    assert len(room.queue()) == jobs_before


def test_a_paused_run_is_gone_on_from(room: TrainingService, split: Split) -> None:
    run = room.start(SPEC, split.id, "smollm2-135m/sft-lora")
    while not room.curves(run.id):
        room.get(run.id)
        time.sleep(0.05)
    room.pause(run.id, by="ada")
    assert room.wait(run.id).state == "paused"
    room.resume(run.id, by="bob")
    assert room.wait(run.id).state == "done"
    queued = [event.by for event in room.events(run.id) if event.event == "queued"]
    assert queued == ["owner", "bob"]


def test_stop_resume_delete(room: TrainingService, split: Split, home: Path) -> None:
    run = room.start(SPEC, split.id, "smollm2-135m/sft-lora")
    while not room.curves(run.id):
        room.get(run.id)
        time.sleep(0.05)
    with pytest.raises(Refused, match="Stop it first"):
        room.delete(run.id)
    room.stop(run.id)
    assert room.wait(run.id).state == "stopped"
    before = len(room.curves(run.id))
    room.resume(run.id)
    assert room.wait(run.id).state == "done"
    assert [m["step"] for m in room.curves(run.id) if "loss" in m] == list(range(1, 31))
    assert before < len(room.curves(run.id))
    room.delete(run.id)
    assert not (home / "runs" / run.id).exists()
    with pytest.raises(NotFound):
        room.get(run.id)


def test_runs_are_compared_by_what_differs(room: TrainingService, split: Split) -> None:
    first = room.start(SPEC, split.id, "smollm2-135m/sft-lora")
    second = room.start(SPEC.model_copy(update={"learning_rate": 1e-4}), split.id, "smollm2-135m/sft-lora")
    _, differences = room.compare([first.id, second.id])
    assert differences == {"learning_rate": [5e-4, 1e-4]}


def test_raw_arguments_are_checked_against_trl_before_the_start(room: TrainingService, split: Split) -> None:
    spec = SPEC.model_copy(
        update={"extra_arguments": {"neftune_noise_alpha": "5", "seed": 1, "adam_beta2": 0.9}}
    )
    keys = [problem.key for problem in room.card(spec, split.id).problems]
    assert keys == ["training.extra_is_an_option", "training.extra_bad_value"]
    begun = time.monotonic()
    assert [problem.key for problem in room.card(spec, split.id).problems] == keys
    assert time.monotonic() - begun < 0.5
    with pytest.raises(Refused, match="seed is an option of its own"):
        room.start(spec, split.id, "smollm2-135m/sft-lora")


def test_conversations_need_a_model_with_a_chat_template(
    room: TrainingService, split: Split, home: Path
) -> None:
    bare = home / "models" / "bare"
    if not bare.exists():
        shutil.copytree(home / "models" / "tiny", bare)
        (bare / "chat_template.jinja").unlink()
    spec = SPEC.model_copy(update={"model_name_or_path": "bare"})
    for ask in (lambda: room.card(spec, split.id), lambda: room.start(spec, split.id, "recipe")):
        with pytest.raises(BadInput, match="Choose an instruct or chat model, or map the"):
            ask()


def test_settings_of_a_run_are_copied_though_its_recipe_is_gone(room: TrainingService, split: Split) -> None:
    spec = SPEC.model_copy(update={"r": 3})
    saved = room.own_recipes.save("Short lived", spec)
    assert room.recipe(saved.name).spec == spec
    run = room.start(spec, split.id, saved.name)
    assert room.copied(run.id)[1:] == (spec, saved.name)
    room.own_recipes.delete(saved.name)
    assert room.copied(run.id)[1:] == (spec, "smollm2-135m/sft-lora")


def test_an_upload_that_cannot_work_is_refused_before_the_start(room: TrainingService, split: Split) -> None:
    spec = SPEC.model_copy(update={"push_to_hub": True, "hub_model_id": "me/mine"})
    keys = {problem.key for problem in room.card(spec, split.id).problems}
    assert keys <= {"training.hub_no_token", "training.hub_offline"}
    assert keys
