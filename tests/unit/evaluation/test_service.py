from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ftkit.errors import NotFound, Refused
from ftkit.evaluation.measuring.options import Options
from ftkit.evaluation.service import EvaluationService
from ftkit.records import Evaluation, Run
from ftkit.store.files import read_json, write_json
from tests.finished_run import (
    MAPPING,
    RUN,
    SPLIT,
    Room,
    SleepingLauncher,
    add_curves,
    add_model,
    add_run,
    open_room,
)
from tests.unit.evaluation.sample import measured, sample


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        yield room


def service(room: Room) -> EvaluationService:
    return EvaluationService(room.artefacts, room.folders, room.jobs, room.clock, room.new_id)


def finish(room: Room, id_: str) -> None:
    folder = room.folders.evaluation(id_)
    pq.write_table(pa.Table.from_pylist([sample(n) for n in range(16)]), folder / "samples.parquet")
    write_json(folder / "report.json", measured())
    room.end(id_, metrics={"rows": 16})


def test_a_start_writes_what_the_worker_reads_and_queues_it(room: Room) -> None:
    add_run(room)
    evaluation = service(room).start(RUN)
    assert (evaluation.run, evaluation.split, evaluation.part) == (RUN, SPLIT, "test")
    assert evaluation.parents == (RUN, SPLIT)
    inputs = read_json(room.folders.evaluation(evaluation.id) / "inputs.json")
    assert inputs == {
        "split": str(room.folders.split(SPLIT)),
        "mapping": MAPPING,
        "part": "test",
        "model": str(room.folders.model("tiny")),
        "tuned": str(room.folders.run(RUN) / "adapter"),
        "seed": 42,
        "max_new_tokens": None,
        "cache": str(room.folders.cache("base")),
        "task": None,
        "metrics": None,
        "checks": [],
    }
    assert room.launcher.started == [room.folders.evaluation(evaluation.id)]
    assert service(room).get(evaluation.id).job.kind == "evaluate"


def test_a_second_click_joins_the_unfinished_evaluation(room: Room) -> None:
    add_run(room)
    first = service(room).start(RUN)
    assert service(room).start(RUN) == first
    other_part = service(room).start(RUN, "validation")
    assert other_part.id != first.id
    finish(room, first.id)
    assert service(room).start(RUN).id not in {first.id, other_part.id}
    assert [view.evaluation.part for view in service(room).all(RUN)] == ["test", "validation", "test"]


def test_other_measures_are_another_evaluation(room: Room) -> None:
    add_run(room)
    made = [{"kind": "contains", "name": "polite", "texts": ["please"]}]
    wanted = Options.from_json({"task": "chat", "metrics": ["bleu"], "checks": made})
    first, second = service(room).start(RUN), service(room).start(RUN, options=wanted)
    assert first.id != second.id
    assert service(room).start(RUN, options=wanted) == second
    inputs = read_json(room.folders.evaluation(second.id) / "inputs.json")
    assert {key: inputs[key] for key in ("task", "metrics", "checks")} == wanted.as_json()


def test_a_crash_between_record_and_job_is_mended(room: Room) -> None:
    run = add_run(room)
    lost = Evaluation(
        id="lost",
        name="lost",
        created_at=room.clock(),
        run=run.id,
        split=SPLIT,
        part="test",
        parents=(run.id,),
    )
    room.artefacts.add(lost)
    assert [view.job.state for view in service(room).all()] == ["starting"]
    assert service(room).start(RUN) == lost


def test_a_run_without_adapter_is_refused(room: Room) -> None:
    add_run(room, adapter=False)
    with pytest.raises(Refused, match="left nothing yet. Wait for its end"):
        service(room).start(RUN)
    assert service(room).all() == []


def test_an_empty_part_is_refused(room: Room) -> None:
    add_run(room, {"test": []})
    with pytest.raises(Refused, match="The test part of the split has no rows. Choose another part"):
        service(room).start(RUN)


def test_unknown_ids_are_not_found(room: Room) -> None:
    with pytest.raises(NotFound):
        service(room).start("nobody")
    with pytest.raises(NotFound):
        service(room).get("nobody")
    with pytest.raises(NotFound):
        service(room).samples("../../etc")
    with pytest.raises(NotFound):
        service(room).report("nobody")


def test_the_result_is_there_when_the_worker_has_ended(room: Room) -> None:
    add_run(room)
    evaluation = service(room).start(RUN)
    before = service(room).get(evaluation.id)
    assert before.report is None
    assert service(room).samples(evaluation.id) == []
    finish(room, evaluation.id)
    view = service(room).wait(evaluation.id)
    assert view.job.state == "done"
    assert view.report == measured()
    assert [row["row"] for row in service(room).samples(evaluation.id, offset=14, limit=5)] == [14, 15]


def test_progress_is_that_of_the_worker(room: Room) -> None:
    add_run(room)
    evaluation = service(room).start(RUN)
    room.jobs.folder(room.jobs.of(evaluation.id)).beat(phase="generating", step=3, steps=8, time=5.0)
    progress = service(room).get(evaluation.id).progress
    assert progress is not None
    assert (progress.phase, progress.step, progress.steps) == ("generating", 3, 8)
    finish(room, evaluation.id)
    assert service(room).get(evaluation.id).progress is None


def test_delete_takes_ended_evaluations_only(room: Room) -> None:
    run = add_run(room)
    evaluation = service(room).start(RUN)
    with pytest.raises(Refused, match="Stop it first"):
        service(room).delete(evaluation.id)
    finish(room, evaluation.id)
    service(room).delete(evaluation.id)
    assert service(room).all() == []
    assert not room.folders.evaluation(evaluation.id).exists()
    assert room.artefacts.get(Run, run.id) == run


def test_the_report_tells_of_the_newest_test_evaluation(room: Room) -> None:
    add_run(room)
    add_curves(room)
    assert "ftkit evaluate run1" in service(room).report(RUN)
    for part in ("validation", "test", "validation"):
        finish(room, service(room).start(RUN, part).id)
    html = service(room).report(RUN)
    for expected in ("First &lt;try&gt;", "which the training never saw", "sha256:5517", "1 min 1 s", "<svg"):
        assert expected in html, expected
    assert "First <try>" not in html
    assert "data1" in html  # lineage
    assert "Kısaca" in service(room).report(RUN, "tr")


@pytest.mark.training
def test_a_real_worker_measures_a_real_run(tmp_path: Path) -> None:
    with open_room(tmp_path / "home") as room:
        add_run(room)
        add_model(room)
        looks: list[str] = []
        evaluation = service(room).start(RUN)
        view = service(room).wait(evaluation.id, lambda _job, state: looks.append(state.get("phase", "")))
        assert view.job.state == "done", room.jobs.folder(view.job).log_tail()
        assert view.report is not None
        assert view.report["rows"] == 4
        assert view.report["base"].keys() == view.report["tuned"].keys() == view.report["difference"].keys()
        assert len(service(room).samples(evaluation.id)) == 4
        assert "Tickets" in service(room).report(RUN)
