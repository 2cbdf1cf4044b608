from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import NotFound, Refused
from ftkit.evaluation.familiarity.service import FamiliarityService
from ftkit.store.files import read_json
from tests.finished_run import MODEL, SPLIT, Room, SleepingLauncher, add_run, open_room, tickets
from tests.tiny import make_tiny_model


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        for number, name in enumerate((MODEL, "other")):
            make_tiny_model(room.folders.model(name), seed=number)
        yield room


def service(room: Room) -> FamiliarityService:
    return FamiliarityService(room.artefacts, room.folders, room.jobs)


def test_each_model_is_measured_once_on_the_same_validation_rows(room: Room) -> None:
    add_run(room)
    first, second = service(room).start(SPLIT, [MODEL, "other", MODEL], rows=5)
    inputs = [read_json(room.folders.work(id_) / "inputs.json") for id_ in (first, second)]
    assert [one["model_id"] for one in inputs] == [MODEL, "other"]
    assert {(one["part"], one["rows"], one["seed"]) for one in inputs} == {("validation", 5, 42)}
    assert service(room).start(SPLIT, [MODEL], rows=5) == [first]
    for id_, bits in ((first, 2.0), (second, 1.0)):
        room.jobs.tick()
        room.end(id_, metrics={"bits_per_character": bits, "perplexity": 9.0, "rows": 5, "left_out": 0})
    assert [(one.model.id, one.bits_per_character) for one in service(room).of(SPLIT)] == [
        ("other", 1.0),
        (MODEL, 2.0),
    ]
    started = len(room.launcher.started)
    assert service(room).start(SPLIT, [MODEL], rows=5) == [first]
    assert len(room.launcher.started) == started, "what is known is not measured again"


def test_a_failed_measurement_is_shown_last_and_made_again(room: Room) -> None:
    add_run(room)
    first, second = service(room).start(SPLIT, [MODEL, "other"])
    room.end(first, "failed", error={"key": "x", "text": "It broke.", "values": {}})
    room.end(second, metrics={"bits_per_character": 1.0, "perplexity": 9.0, "rows": 2, "left_out": 0})
    found = service(room).of(SPLIT)
    assert [(one.job.state, one.bits_per_character) for one in found] == [("done", 1.0), ("failed", None)]
    service(room).start(SPLIT, [MODEL])
    assert service(room).get(first).job.state in {"queued", "starting", "running"}


def test_without_validation_rows_training_rows_are_read(room: Room) -> None:
    add_run(room, {"validation": [], "train": tickets(3)})
    (id_,) = service(room).start(SPLIT, [MODEL])
    assert read_json(room.folders.work(id_) / "inputs.json")["part"] == "train"


def test_what_cannot_be_measured_is_refused(room: Room) -> None:
    add_run(room)
    with pytest.raises(NotFound, match="absent"):
        service(room).start(SPLIT, ["absent"])
    with pytest.raises(Refused, match="at least one"):
        service(room).start(SPLIT, [])
