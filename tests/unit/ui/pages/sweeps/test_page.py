"""The sweeps page without a browser: the form's values become a plan, and a sweep becomes HTML that is escaped."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ftkit.errors import Refused
from ftkit.records import Job, Sweep
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.store.jobs import JobTable
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.trials import Found, Trial, mistakes
from ftkit.ui.pages.sweeps import page as sweeps
from ftkit.ui.pages.sweeps import varied, words
from ftkit.ui.pages.sweeps.follow import Followed
from ftkit.ui.pages.sweeps.plot import parallel_plot
from ftkit.workspace import Workspace

NOW = datetime(2026, 11, 26, tzinfo=UTC)
RECIPE = "smollm2-135m/sft-lora"
SPACE = {"learning_rate": "0.0001..0.01:log", "lr_scheduler_type": "linear,cosine", "use_dora": "true,false"}
REFUSAL = Refused("training.too_large", "{memory} {free} <b>", memory="<i>", free=1).as_dict()
TRIALS = (
    Trial(number=1, values={"learning_rate": 1e-3, "lr_scheduler_type": "linear", "use_dora": True}, state="done", value=2.0, run="gone", seconds=61),
    Trial(number=2, values={"learning_rate": 5e-3, "lr_scheduler_type": "cosine", "use_dora": False}, state="done", value=1.5, seconds=9),
    Trial(number=3, values={"learning_rate": 1e-4, "lr_scheduler_type": "cosine", "use_dora": True}, state="pruned", step=2, seconds=5),
    Trial(number=4, values={"learning_rate": 2e-4, "lr_scheduler_type": "linear", "use_dora": True}, state="refused", reason=REFUSAL),
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path / "home")})) as made:
        yield made


@pytest.fixture
def split(workspace: Workspace) -> str:
    return workspace.splits.split(workspace.data.import_sample("house-voice-en").id).id


def visit(lang: str = "en", **ids: str) -> Any:
    return SimpleNamespace(query_params=ids, cookies={"ftkit_lang": lang}, headers={})


def built(workspace: Workspace) -> Any:
    with gr.Blocks():
        return sweeps._Page(workspace)


def kept(workspace: Workspace, split: str, trials: tuple[Trial, ...], **importance: float) -> Sweep:
    """A sweep as its worker left it."""
    made = Sweep(
        id="s1", name="<b>Mine</b>", created_at=NOW, parents=(split,), recipe=RECIPE, split=split, model="tiny", trials=4,
        spec=RunSpec().model_dump(mode="json"), space=SPACE, metric="eval_loss", direction="minimize", sampler="tpe",
        prune=True, seed=1,
    )  # fmt: skip
    workspace.artefacts.add(made)
    job = Job(id="j1", kind="sweep", lane="sweep", artefact=made.id, state="done", nonce="n", queued_at=NOW)
    JobTable(workspace._database).add(job)
    found = Found(trials=trials, importance=importance)
    write_json(workspace.folders.sweep(made.id) / "found.json", found.model_dump(mode="json"))
    return made


def asked_for(split: str, held: str, *rows: list[Any], **plan: Any) -> list[Any]:
    """What the form holds."""
    values = {"trials": 4, "metric": "eval_loss", "sampler": "tpe", "prune": False, "seed": 42, **plan}
    parts = [part for row in rows for part in row]
    parts += ["list", None, None, []] * (varied.MOST - len(rows))
    return [split, RECIPE, "max_steps: 3", *values.values(), held, *parts]


def test_the_form_becomes_a_plan(workspace: Workspace, split: str) -> None:
    held = "learning_rate,r,use_dora" + "," * (varied.MOST - 3)
    rows = [["log", 1e-5, 1e-3, []], ["list", 4, 64, ["4", "8"]], ["list", None, None, ["true", "false"]]]
    _, recipe, spec, plan = built(workspace)._read(*asked_for(split, held, *rows))
    assert plan.space == {"learning_rate": "1e-05..0.001:log", "r": "4,8", "use_dora": "true,false"}
    assert (recipe, spec.max_steps) == (RECIPE, 3)
    assert mistakes(plan, spec) == {}


def test_mistakes_stand_at_their_fields_and_below_in_both_languages(workspace: Workspace, split: str) -> None:
    page = built(workspace)
    values = asked_for(split, "learning_rate" + "," * 5, ["log", 5, 0.01, []], trials=0, seed=None)
    said = page._check("click", "", *values)
    assert len(said) == 2 + len(values)
    wrong = [place - 2 for place, one in enumerate(said) if not one["is_valid"]]
    assert wrong == [3, 7, 10]  # trials, seed, and the lower end of the first row
    for lang, label in (("en", "Learning rate: 5 is not below 0.01"), ("tr", "Öğrenme oranı: 5, 0.01")):
        assert label in page._look(visit(lang), *values)


def test_settings_are_added_and_taken_out(workspace: Workspace, split: str) -> None:
    page = built(workspace)
    opened = page._arrive(visit(split=split))
    held = opened[7]
    assert held == "learning_rate,,,,,"
    assert "learning_rate" not in [value for _, value in opened[6].choices]
    added = page._fill(visit(), "r", RECIPE, "", held)
    assert added[1] == "learning_rate,r,,,,"
    assert page._emptier(0)(visit(), RECIPE, "", added[1])[1] == ",r,,,,"
    assert varied.filled("a,b,c,d,e,f", "r", RunSpec(), "en")[0] == "a,b,c,d,e,f"


def test_a_sweep_is_shown_with_everything_that_happened(workspace: Workspace, split: str) -> None:
    sweep = kept(workspace, split, TRIALS, learning_rate=0.9, use_dora=0.1)
    with gr.Blocks():
        page = Followed(workspace)
    for lang, words_ in (("en", ("given up", "refused", "on")), ("tr", ("bırakıldı", "reddedildi", "açık"))):
        shown = page._show(visit(lang, sweep=sweep.id), "")
        text = "".join(str(part) for part in shown)
        assert all(word in text for word in words_)
        assert "<b>Mine" not in text
        assert "<i>" not in text.replace("<i><b style", "")
        assert "&lt;b&gt;Mine" in text
    _, _, _, head, stop, resume, delete, best, *_ = page._show(visit(sweep=sweep.id), "")
    assert (stop.visible, resume.visible, delete.visible) == (False, False, True)
    assert "2 done, 1 given up, 1 refused" in head
    assert "1.5" in best
    assert "number 2" in best
    assert page._show(visit(sweep=sweep.id), shown[0]) == gr.skip()
    assert "no sweep with the id nothing" in page._show(visit(sweep="nothing"), "")[1]


def test_the_plot_has_a_line_for_each_trial_with_a_value_and_dashes_for_those_given_up(
    workspace: Workspace, split: str
) -> None:
    sweep = kept(workspace, split, TRIALS)
    drawn = str(parallel_plot(sweep, TRIALS, TRIALS[1], "en"))
    assert drawn.count('<g class="trial') == 3
    assert drawn.count('<g class="trial best') == drawn.count('<g class="trial pruned') == 1
    assert "Trial 2: Learning rate 0.005, Schedule cosine, DoRA off → Validation loss 1.5" in drawn
    assert "log scale" in drawn
    assert 'class="parallel"' not in parallel_plot(sweep, TRIALS[:1], TRIALS[0], "en")


def test_values_are_written_in_the_readers_way() -> None:
    assert [words.value(one, "en") for one in (True, 0.0003579, 8, "cosine", None, 123456.0)] == [
        "on", "0.0003579", "8", "cosine", "–", "123,456",
    ]  # fmt: skip
    assert words.value(0.0003579, "tr") == "0,0003579"


def test_a_rule_between_options_is_said_in_the_readers_language() -> None:
    base = RunSpec(load_in_4bit=True)
    text = {"load_in_8bit": "true,false"}
    from ftkit.training.sweeps.space import problem

    error = problem("load_in_8bit", "true,false", base, text)
    assert error is not None
    assert "8" in words.mistake("load_in_8bit", error, base, "tr")
    assert "weights are kept" not in words.mistake("load_in_8bit", error, base, "tr")
