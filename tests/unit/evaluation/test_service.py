from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ftkit.errors import NotFound, Refused, UserError
from ftkit.evaluation.benchmarks.asked import Asked
from ftkit.evaluation.benchmarks.service import BenchmarkService
from ftkit.evaluation.judge.service import JudgeService
from ftkit.evaluation.measuring.options import Options
from ftkit.evaluation.report.service import ReportService
from ftkit.evaluation.report.words import looks_sentence, words
from ftkit.evaluation.service import EvaluationService
from ftkit.records import Evaluation, Part, Run, Split
from ftkit.store.files import read_json, write_json
from ftkit.store.looks import Looks
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
    tickets,
)
from tests.unit.evaluation.sample import benchmark_report, measured, sample


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        yield room


def service(room: Room) -> EvaluationService:
    looks = Looks(room.database)
    return EvaluationService(room.artefacts, room.folders, room.jobs, looks, room.clock, room.new_id)


def reports(room: Room) -> ReportService:
    judge = JudgeService(room.artefacts, room.folders, room.jobs, {}, room.clock, room.new_id)
    benchmarks = BenchmarkService(
        room.artefacts, room.folders, room.jobs, room.clock, room.new_id, lambda: True
    )
    return ReportService(
        service(room), judge, benchmarks, room.artefacts, room.folders, room.jobs, room.clock
    )


def finish(room: Room, id_: str, rows: str = "sha256:rows") -> None:
    folder = room.folders.evaluation(id_)
    pq.write_table(pa.Table.from_pylist([sample(n) for n in range(16)]), folder / "samples.parquet")
    report = measured()
    write_json(folder / "report.json", {**report, "signature": {**report["signature"], "rows_content": rows}})
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
        "others": [],
        "seed": 42,
        "max_new_tokens": None,
        "cache": str(room.folders.cache("answers")),
        "task": None,
        "metrics": None,
        "checks": [],
        "general": True,
        "names": False,
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
    assert {key: inputs[key] for key in wanted.as_json()} == wanted.as_json()


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
        reports(room).page("nobody")


def test_the_result_is_there_when_the_worker_has_ended(room: Room) -> None:
    add_run(room)
    evaluation = service(room).start(RUN)
    before = service(room).get(evaluation.id)
    assert before.report is None
    assert service(room).samples(evaluation.id) == []
    finish(room, evaluation.id)
    view = service(room).wait(evaluation.id)
    assert view.job.state == "done"
    assert view.report is not None
    assert view.report["difference"] == measured()["difference"]
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
    assert "ftkit evaluate run1" in reports(room).page(RUN)
    for part in ("validation", "test", "validation"):
        finish(room, service(room).start(RUN, part).id)
    html = reports(room).page(RUN)
    for expected in ("First &lt;try&gt;", "which the training never saw", "sha256:5517", "1 min 1 s", "<svg"):
        assert expected in html, expected
    assert "First <try>" not in html
    assert "data1" in html  # lineage
    assert "Kısaca" in reports(room).page(RUN, "tr")


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
        assert "Tickets" in reports(room).page(RUN)


def another_run(room: Room, id_: str = "run2", **changes: Any) -> Run:
    run = room.artefacts.get(Run, RUN)
    other = run.model_copy(update={"id": id_, "name": f"Run {id_}", **changes})
    room.artefacts.add(other)
    write_json(room.folders.run(id_) / "adapter" / "adapter_config.json", {})
    return other


def test_further_runs_are_measured_on_the_same_rows(room: Room) -> None:
    add_run(room)
    another_run(room)
    evaluation = service(room).start(RUN, others=["run2", "run2"])
    assert evaluation.others == ("run2",)
    assert evaluation.parents == (RUN, SPLIT, "run2")
    inputs = read_json(room.folders.evaluation(evaluation.id) / "inputs.json")
    assert inputs["others"] == [
        {"run": "run2", "name": "Run run2", "tuned": str(room.folders.run("run2") / "adapter")}
    ]
    assert service(room).start(RUN).id != evaluation.id, "that is another request"
    assert service(room).start(RUN, others=["run2"]) == evaluation


def test_a_further_run_that_does_not_fit_is_refused(room: Room) -> None:
    add_run(room)
    another_run(room, "elsewhere", model="larger")
    another_run(room, "empty")
    (room.folders.run("empty") / "adapter" / "adapter_config.json").unlink()
    for other, sentence in (
        (RUN, "First <try> is measured already"),
        ("elsewhere", "Run elsewhere is over larger, and First <try> over tiny"),
        ("empty", "Run empty has left nothing yet"),
    ):
        with pytest.raises(UserError, match=sentence):
            service(room).start(RUN, others=[other])
    with pytest.raises(NotFound):
        service(room).start(RUN, others=["nobody"])
    assert service(room).all() == []


def test_a_further_run_that_has_trained_on_the_rows_is_refused(room: Room) -> None:
    add_run(room)
    split = room.artefacts.get(Split, SPLIT)
    room.artefacts.add(split.model_copy(update={"id": "split2"}))
    for part, rows in (("train", tickets(2)), ("test", tickets(9)[8:])):
        path = room.folders.split("split2") / f"{part}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
    another_run(room, split="split2")
    with pytest.raises(Refused, match="Run run2 was trained on 2 of the rows of the test part"):
        service(room).start(RUN, others=["run2"])
    pq.write_table(pa.Table.from_pylist(tickets(9)[8:]), room.folders.split("split2") / "train.parquet")
    assert service(room).start(RUN, others=["run2"]).others == ("run2",)


@pytest.mark.parametrize("outcome", ["stopped", "failed", "paused"])
def test_what_is_not_done_goes_on(room: Room, outcome: str) -> None:
    add_run(room)
    first = service(room).start(RUN)
    room.end(first.id, outcome)
    assert service(room).get(first.id).job.state == outcome
    assert service(room).start(RUN) == first
    assert service(room).get(first.id).job.state == "starting"
    room.end(first.id, outcome)
    assert service(room).resume(first.id) == first
    assert room.launcher.started == [room.folders.evaluation(first.id)] * 3
    finish(room, first.id)
    with pytest.raises(Refused, match="is done. Start a new one"):
        service(room).resume(first.id)
    assert service(room).start(RUN) != first


def test_other_metrics_are_another_request(room: Room) -> None:
    add_run(room)
    first = service(room).start(RUN)
    options = Options.from_json({"metrics": ["exact_match"]})
    second = service(room).start(RUN, "test", options)
    assert second.id != first.id
    assert second.content_hash != first.content_hash
    assert service(room).start(RUN, "test", options) == second
    assert read_json(room.folders.evaluation(second.id) / "inputs.json")["metrics"] == ["exact_match"]


def test_looks_at_a_test_part_are_counted_by_its_rows_and_outlive_what_looked(room: Room) -> None:
    add_run(room)

    def look(part: Part = "test", rows: str = "sha256:rows") -> Evaluation:
        evaluation = service(room).start(RUN, part)
        finish(room, evaluation.id, rows)
        return evaluation

    def looks(evaluation: Evaluation) -> int | None:
        report = service(room).get(evaluation.id).report
        assert report is not None
        found: int | None = report.get("looks")
        return found

    first = look()
    assert [looks(first), looks(first)] == [1, 1], "reading it twice is one look"
    assert looks(look("validation")) is None, "it is there for choosing"
    second = look()
    assert (looks(second), looks(first)) == (2, 2)
    service(room).delete(first.id)
    third = look()
    assert looks(third) == 3, "who deletes a result has seen it"
    assert looks(look(rows="sha256:others")) == 1
    assert "looked at 3 times" in looks_sentence(3, words("en"))
    service(room).delete(service(room).all()[0].evaluation.id)
    assert "looked at 3 times" in reports(room).page(RUN)
    assert "3 kez bakıldı" in reports(room).page(RUN, "tr")


@pytest.mark.training
@pytest.mark.timeout(400)
def test_a_killed_worker_loses_no_answer(tmp_path: Path) -> None:
    with open_room(tmp_path / "home") as room:
        add_run(room, {"test": tickets(20)})
        add_model(room)
        answers = room.folders.cache("answers")
        died = room.launcher._environment | {"FTKIT_FAILPOINT": "answers.append@16:kill"}
        alive, room.launcher._environment = room.launcher._environment, died
        options = Options(general=False)
        evaluation = service(room).start(RUN, options=options)
        assert service(room).wait(evaluation.id).job.state == "lost"
        kept = [line for file in answers.glob("*") for line in file.read_text().splitlines()]
        assert 0 < sum('"answer"' in line for line in kept) < 40, "it was killed in the middle"
        room.launcher._environment = alive
        assert service(room).start(RUN, options=options) == evaluation
        view = service(room).wait(evaluation.id)
        assert view.job.state == "done", room.jobs.folder(view.job).log_tail()
        lines = [line for file in answers.glob("*") for line in file.read_text().splitlines()]
        assert set(kept) <= set(lines)
        for what in ("answer", "nll"):
            assert sum(f'"{what}"' in line for line in lines) == 40, "nothing was asked twice"
        assert len(service(room).samples(evaluation.id, limit=50)) == 20


def test_the_report_shows_the_finished_benchmarks_of_the_run(room: Room) -> None:
    add_run(room)
    add_curves(room)
    assert ">Benchmarks<" not in reports(room).page(RUN)
    benchmarks = BenchmarkService(
        room.artefacts, room.folders, room.jobs, room.clock, room.new_id, lambda: True
    )
    made = benchmarks.start(RUN, Asked(("<b>colours",)))
    write_json(room.folders.benchmark(made.id) / "report.json", benchmark_report())
    room.end(made.id, metrics={})
    page = reports(room).page(RUN)
    assert ">Benchmarks<" in page
    assert "&lt;b&gt;colours" in page
    assert "<b>colours" not in page
    assert "0.750 ± 0.100" in page
