from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.ratings.comparing.service import ComparisonService
from ftkit.ratings.sampling import Sampling
from tests.finished_run import RUN, Room, SleepingLauncher, add_model, add_run, open_room

QUESTION = [{"role": "user", "content": "my parcel is late"}]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        yield room


def service(room: Room) -> ComparisonService:
    return ComparisonService(room.artefacts, room.folders, room.jobs)


def test_a_run_without_adapter_is_refused_before_anything_starts(room: Room) -> None:
    add_run(room, adapter=False)
    with pytest.raises(Refused, match="left nothing yet. Wait for its end"):
        service(room).compare(RUN, QUESTION)
    assert room.launcher.started == []


@pytest.mark.parametrize("messages", [[], [{"role": "user", "content": "  "}]])
def test_a_question_is_needed(room: Room, messages: list[dict[str, str]]) -> None:
    add_run(room)
    with pytest.raises(BadInput, match="no question"):
        service(room).compare(RUN, messages)


def test_an_unknown_run_is_not_found(room: Room) -> None:
    with pytest.raises(NotFound):
        service(room).compare("nobody", QUESTION)


def test_sampling_names_every_mistake() -> None:
    with pytest.raises(BadInput) as caught:
        Sampling.parse({"temperature": -1, "top_p": 0, "max_new_tokens": "many"})
    for field in ("temperature", "top_p", "max_new_tokens"):
        assert field in str(caught.value)
    assert Sampling.parse({"temperature": 0.7}).temperature == 0.7


def test_a_sleeping_generator_may_be_told_to_sleep(room: Room) -> None:
    service(room).sleep()


@pytest.mark.training
def test_both_answers_come_from_one_resident_worker(tmp_path: Path) -> None:
    with open_room(tmp_path / "home") as room:
        add_run(room)
        add_model(room)
        comparisons = service(room)
        sampling = Sampling(max_new_tokens=5)
        first = list(comparisons.compare(RUN, QUESTION, sampling))
        assert [step.tuned_tokens for step in first] == [1, 2, 3, 4, 5, 5, 5]
        assert [step.done for step in first] == [False] * 6 + [True]
        assert first[-1].base != first[-1].tuned
        assert first[-1].tuned_cut
        assert first[-1].seconds >= first[0].seconds > 0
        worker = room.jobs.of("generate")

        again = list(comparisons.compare(RUN, QUESTION, sampling))
        assert again[-1].tuned == first[-1].tuned
        assert room.jobs.of("generate") == worker  # the same process answered

        left = comparisons.compare(RUN, QUESTION, Sampling(max_new_tokens=400))
        next(left)
        left.close()  # type: ignore[attr-defined]
        with pytest.raises(BadInput, match="Shorten it"):
            list(comparisons.compare(RUN, [{"role": "user", "content": "zq " * 600}], sampling))

        comparisons.sleep()
        assert room.jobs.wait("generate", seconds=20).state == "done"
