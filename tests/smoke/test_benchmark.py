"""A benchmark through the real lm-evaluation-harness and a worker process, with a tiny model; it needs the extra ``harness``."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.evaluation.benchmarks.asked import Asked
from ftkit.evaluation.benchmarks.service import BenchmarkService, BenchmarkView, is_installed
from ftkit.jobs.folder import read_lines
from tests.finished_run import RUN, Room, add_model, add_run, open_room
from tests.task_files import write_tasks

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(600)]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    assert is_installed(), (
        'This tier needs lm-evaluation-harness: .venv/bin/python -m pip install -e ".[harness]"'
    )
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    with open_room(tmp_path / "home") as made:
        add_run(made)
        add_model(made)
        yield made


def service(room: Room) -> BenchmarkService:
    return BenchmarkService(room.artefacts, room.folders, room.jobs, room.clock, room.new_id)


def run(room: Room, asked: Asked) -> BenchmarkView:
    return service(room).wait(service(room).start(RUN, asked).id)


def test_own_tasks_are_asked_of_both_sides_and_the_same_again(room: Room, tmp_path: Path) -> None:
    asked = Asked.parse(["everything", "sentences", "answers"], write_tasks(tmp_path / "tasks"), limit=6)
    view = run(room, asked)
    assert view.job.state == "done", view.job.error
    assert view.report is not None
    lines = {(line["task"], line["metric"]): line for line in view.report["lines"]}
    assert set(lines) == {
        *(("everything", "acc"), ("colours", "acc"), ("colours", "acc_norm")),
        *(("sentences", "word_perplexity"), ("answers", "exact_match")),
    }
    answers = {
        side: read_lines(room.folders.benchmark(view.benchmark.id) / f"{side}.jsonl")
        for side in ("base", "tuned")
    }
    own = [line["acc"] for line in answers["base"] if line["task"] == "colours"]
    assert len(own) == 6
    assert lines["colours", "acc"]["base"] == pytest.approx(sum(own) / 6)
    assert lines["everything", "acc"]["base"] == pytest.approx(sum(own) / 6)
    assert lines["colours", "acc"]["base_error"] > 0
    assert (
        lines["colours", "acc"]["low"]
        <= lines["colours", "acc"]["difference"]
        <= lines["colours", "acc"]["high"]
    )
    assert lines["sentences", "word_perplexity"]["verdict"] == "not_paired"
    assert lines["sentences", "word_perplexity"]["base"] != lines["sentences", "word_perplexity"]["tuned"]
    told = view.report["signature"]
    assert told["tasks"]["sentences"]["version"] == 2.0
    assert set(told["versions"]) == {"lm_eval", "torch", "transformers", "peft", "datasets"}
    again = run(room, asked)
    assert again.benchmark.id != view.benchmark.id
    assert again.report == view.report


def test_what_cannot_be_asked_is_said_with_the_name_of_the_task(room: Room, tmp_path: Path) -> None:
    folder = write_tasks(tmp_path / "tasks")
    text = (folder / "colours.yaml").read_text()
    (folder / "gone.yaml").write_text(
        text.replace("colours.jsonl", "gone.jsonl").replace("task: colours", "task: gone")
    )
    (folder / "metric.yaml").write_text(
        text.replace("metric: acc,", "metric: evil,").replace("task: colours", "task: metric")
    )
    (folder / "evil").mkdir()
    (folder / "evil" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (folder / "runs.yaml").write_text(text.replace("task: colours", "task: runs\nunsafe_code: true"))
    names = ("gone", "arc_easy", "arc_eesy", "metric", "humaneval", "runs")
    errors = [run(room, Asked.parse([name], folder)).job.error or {} for name in names]
    assert [(error["key"], error["values"]["task"]) for error in errors] == [
        ("benchmark.no_data", "gone"),
        ("benchmark.no_data", "arc_easy"),
        ("benchmark.no_task_near", "arc_eesy"),
        ("benchmark.bad_task", "metric"),
        ("benchmark.bad_task", "humaneval"),
        ("benchmark.unsafe_code", "runs"),
    ]
    assert not (tmp_path / "ran").exists()


def test_a_template_cannot_reach_python(room: Room, tmp_path: Path) -> None:
    folder = write_tasks(tmp_path / "tasks")
    marker = tmp_path / "reached"
    escape = f"{{{{ cycler.__init__.__globals__.os.system('touch {marker}') }}}}"
    text = (folder / "colours.yaml").read_text().replace("{{question}}", escape)
    (folder / "colours.yaml").write_text(text)
    view = run(room, Asked.parse(["colours"], folder))
    assert view.job.state == "failed"
    assert not marker.exists()


def test_it_stops_while_it_asks(room: Room, tmp_path: Path) -> None:
    folder = write_tasks(tmp_path / "tasks")
    rows = (folder / "colours.jsonl").read_text() * 400
    (folder / "colours.jsonl").write_text(rows)
    made = service(room).start(RUN, Asked.parse(["colours"], folder))
    until = time.monotonic() + 120
    while service(room).get(made.id).state.get("phase") != "benchmark_base":
        assert time.monotonic() < until
        room.jobs.tick()
        time.sleep(0.05)
    service(room).stop(made.id)
    view = service(room).wait(made.id)
    assert (view.job.state, view.report) == ("stopped", None)
