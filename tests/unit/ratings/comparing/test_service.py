import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.ratings.comparing.answers import Kept, Row, SideAnswer
from ftkit.ratings.comparing.service import ComparisonService
from ftkit.ratings.sampling import Sampling
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.store.files import write_json
from tests.finished_run import MODEL, RUN, Room, SleepingLauncher, add_model, add_run, open_room

QUESTION = [{"role": "user", "content": "my parcel is late"}]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        yield room


BASE_SIDE, TUNED = Side(kind="base", id=MODEL), Side(kind="run", id=RUN)


def service(room: Room) -> ComparisonService:
    sides = SideService(room.artefacts, room.folders)
    return ComparisonService(room.artefacts, room.folders, room.jobs, sides, room.clock, room.new_id)


def test_a_run_without_adapter_is_refused_before_anything_starts(room: Room) -> None:
    add_run(room, adapter=False)
    with pytest.raises(Refused, match="left nothing yet. Wait for its end"):
        service(room).compare([TUNED], [QUESTION])
    assert room.launcher.started == []


@pytest.mark.parametrize("conversations", [[[]], [[{"role": "user", "content": "  "}]], []])
def test_a_question_is_needed(room: Room, conversations: list[list[dict[str, str]]]) -> None:
    add_run(room)
    with pytest.raises(BadInput, match="no question"):
        service(room).compare([TUNED], conversations)


@pytest.mark.parametrize("count", [0, 5])
def test_one_to_four_models_are_asked(room: Room, count: int) -> None:
    add_run(room)
    with pytest.raises(BadInput, match=f"{count} models are chosen"):
        service(room).compare([TUNED] * count, [QUESTION] * count)


def test_an_unknown_run_is_not_found(room: Room) -> None:
    with pytest.raises(NotFound):
        service(room).compare([Side(kind="run", id="nobody")], [QUESTION])


@pytest.mark.parametrize("config", [{"use_dora": True}, None])
def test_only_of_a_plain_adapter_a_share_can_be_taken(room: Room, config: dict[str, bool] | None) -> None:
    add_run(room)
    folder = room.folders.run(RUN)
    if config is None:  # a whole model
        shutil.rmtree(folder / "adapter")
        write_json(folder / "model" / "config.json", {})
    else:
        write_json(folder / "adapter" / "adapter_config.json", config)
    with pytest.raises(Refused, match="First <try> · 0.5× cannot be changed"):
        service(room).compare([Side(kind="run", id=RUN, strength=0.5)], [QUESTION])


def test_a_list_needs_prompts_and_has_an_end(room: Room) -> None:
    add_run(room)
    with pytest.raises(BadInput, match="There is no prompt"):
        service(room).compare_list([TUNED], [])
    with pytest.raises(BadInput, match="201 prompts are too many"):
        service(room).compare_list([TUNED], [QUESTION] * 201)


def test_what_is_saved_is_there_again_until_it_is_deleted(room: Room) -> None:
    add_run(room)
    comparisons = service(room)
    rows = [Row(messages=tuple(QUESTION), answers=(SideAnswer(text="<b>late</b>", tokens=3, done=True),))]
    kept = Kept(kind="list", labels=(), sampling=Sampling().model_dump(), rows=tuple(rows))
    record = comparisons.save([Side(kind="run", id=RUN, strength=0.5)], kept)
    assert record.name == "my parcel is late"
    assert comparisons.all() == [record]
    saved = comparisons.saved(record.id)
    assert saved.record.sides == ("run:run1@0.5",)
    assert saved.kept == kept.model_copy(update={"labels": ("First <try> · 0.5×",)})
    comparisons.delete(record.id)
    assert comparisons.all() == []
    assert not room.folders.comparison(record.id).exists()
    with pytest.raises(NotFound):
        comparisons.saved(record.id)


def test_a_saved_comparison_whose_file_is_gone_says_so(room: Room) -> None:
    add_run(room)
    comparisons = service(room)
    rows = [Row(messages=tuple(QUESTION), answers=(SideAnswer(text="late", tokens=1),))]
    kept = {"kind": "chat", "labels": (), "sampling": {}, "rows": rows}
    record = comparisons.save([TUNED], kept, name="  Mine ")
    assert record.name == "Mine"
    shutil.rmtree(room.folders.comparison(record.id))
    with pytest.raises(NotFound, match="answers of the comparison Mine are gone"):
        comparisons.saved(record.id)


def test_nothing_is_not_saved(room: Room) -> None:
    kept = {"kind": "chat", "labels": (), "sampling": {}, "rows": [Row(messages=tuple(QUESTION))]}
    with pytest.raises(BadInput, match="no answer to save"):
        service(room).save([TUNED], kept)


def test_sampling_names_every_mistake() -> None:
    with pytest.raises(BadInput) as caught:
        Sampling.parse({"temperature": -1, "top_p": 0, "max_new_tokens": "many"})
    for field in ("temperature", "top_p", "max_new_tokens"):
        assert field in str(caught.value)
    assert Sampling.parse({"temperature": 0.7}).temperature == 0.7


def test_a_sleeping_generator_may_be_told_to_sleep(room: Room) -> None:
    service(room).sleep()


@pytest.mark.training
def test_all_answers_come_from_one_resident_worker(tmp_path: Path) -> None:
    with open_room(tmp_path / "home") as room:
        add_run(room)
        add_model(room)
        comparisons = service(room)
        sampling = Sampling(max_new_tokens=5)
        sides, questions = [BASE_SIDE, TUNED], [QUESTION] * 2
        first = list(comparisons.compare(sides, questions, sampling))
        assert [step.answers[1].tokens for step in first] == [1, 2, 3, 4, 5, 5, 5]
        assert [step.done for step in first] == [False] * 6 + [True]
        base, tuned = first[-1].answers
        assert base.text != tuned.text
        assert tuned.cut
        assert tuned.speed == pytest.approx(5 / tuned.seconds)
        assert first[-1].seconds >= first[0].seconds > 0
        worker = room.jobs.of("generate")

        again = list(comparisons.compare(sides, questions, sampling))
        assert [one.text for one in again[-1].answers] == [base.text, tuned.text]
        assert room.jobs.of("generate") == worker  # the same process answered

        left = comparisons.compare(sides, questions, Sampling(max_new_tokens=400))
        next(left)
        left.close()  # type: ignore[attr-defined]

        too_long = [{"role": "user", "content": "zq " * 600}]
        steps = list(comparisons.compare_list(sides, [QUESTION, too_long, QUESTION], sampling))
        ended = [step for step in steps if step.done]
        assert [step.prompt for step in ended] == [0, 1, 2]
        assert ended[1].error is not None
        assert "Shorten it" in ended[1].error["text"]
        for step in (ended[0], ended[2]):
            assert step.comparison is not None
            assert [one.text for one in step.comparison.answers] == [base.text, tuned.text]

        comparisons.sleep()
        assert room.jobs.wait("generate", seconds=20).state == "done"
