from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.evaluation.benchmarks.asked import Asked
from ftkit.evaluation.benchmarks.service import BenchmarkService, is_installed
from ftkit.records import Run
from ftkit.store.files import read_json, write_json
from tests.finished_run import RUN, Room, SleepingLauncher, add_run, open_room

ASKED = Asked(("arc_easy",), limit=8)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as made:
        yield made


def service(room: Room, installed: bool = True) -> BenchmarkService:
    return BenchmarkService(
        room.artefacts, room.folders, room.jobs, room.clock, room.new_id, lambda: installed
    )


def test_without_the_extra_it_is_refused_with_how_to_install_it(room: Room) -> None:
    add_run(room)
    with pytest.raises(Refused, match=r'pip install "ftkit\[harness\]"') as caught:
        service(room, installed=False).start(RUN, ASKED)
    assert caught.value.key == "benchmark.not_installed"
    assert service(room).all() == []
    assert room.launcher.started == []


def test_the_extra_is_looked_for_and_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.machinery
    import importlib.util
    import sys

    former = set(sys.modules)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not is_installed()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: importlib.machinery.ModuleSpec(name, None))
    assert is_installed()
    assert "lm_eval" not in set(sys.modules) - former


def test_a_benchmark_is_queued_with_all_that_its_worker_reads(room: Room) -> None:
    add_run(room)
    made = service(room).start(RUN, ASKED)
    inputs = read_json(room.folders.benchmark(made.id) / "inputs.json")
    assert inputs == {
        **ASKED.as_json(),
        "model": str(room.folders.model("tiny")),
        "tuned": str(room.folders.run(RUN) / "adapter"),
        "seed": 42,
    }
    assert (made.parents, made.tasks, made.limit) == ((RUN,), ("arc_easy",), 8)
    assert service(room).get(made.id).job.lane == "compute"
    assert service(room).start(RUN, ASKED).id == made.id, "the same one waits already"
    assert service(room).start(RUN, ASKED._replace(limit=9)).id != made.id


def test_a_finished_one_has_its_report_and_can_be_deleted(room: Room) -> None:
    run = add_run(room)
    made = service(room).start(RUN, ASKED)
    with pytest.raises(Refused, match="stop it first"):
        service(room).delete(made.id)
    assert service(room).finished(RUN) == []
    write_json(room.folders.benchmark(made.id) / "report.json", {"lines": []})
    room.end(made.id, metrics={})
    assert service(room).finished(RUN) == [{"lines": []}]
    assert service(room).all("other") == []
    with pytest.raises(BadInput, match="benchmark"):
        room.artefacts.delete(run)
    service(room).delete(made.id)
    assert not room.folders.benchmark(made.id).exists()
    with pytest.raises(NotFound):
        service(room).get(made.id)


def test_a_stopped_one_has_no_report_and_is_asked_anew(room: Room) -> None:
    add_run(room)
    made = service(room).start(RUN, ASKED)
    service(room).stop(made.id)
    room.jobs.tick()
    assert service(room).get(made.id).report is None


def test_a_run_that_has_left_nothing_is_refused(room: Room) -> None:
    add_run(room, adapter=False)
    with pytest.raises(Refused, match="left nothing"):
        service(room).start(RUN, ASKED)
    with pytest.raises(NotFound):
        service(room).start("absent", ASKED)
    assert room.artefacts.all(Run)
