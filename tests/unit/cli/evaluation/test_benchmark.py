"""``ftkit benchmark`` where the extra is not installed, and how a finished one is told."""

import importlib.util
import json
from pathlib import Path

import pytest

from ftkit.cli.evaluation.benchmark import _shown, benchmark_value
from ftkit.cli.output import Answer, give
from ftkit.cli.session import open_workspace
from ftkit.evaluation.benchmarks.service import BenchmarkView
from ftkit.records import Benchmark, Job, Run
from ftkit.store.files import write_json
from tests.finished_run import NOW
from tests.unit.cli.test_loop import documented
from tests.unit.evaluation.sample import benchmark_report

REPORT = {**benchmark_report(), "tasks": ["colours"]}
VIEW = BenchmarkView(
    Benchmark(id="b1", name="b", created_at=NOW, run="run1", tasks=("colours",)),
    Job(id="j", kind="benchmark", lane="compute", artefact="b1", state="done", nonce="n", queued_at=NOW),
    REPORT,
    {},
)


@pytest.fixture
def run(home) -> str:
    with open_workspace() as workspace:
        made = Run(id="run1", name="First", created_at=NOW, recipe="a/b", split="s", model="m", spec={})
        workspace.artefacts.add(made)
        write_json(workspace.folders.run("run1") / "adapter" / "adapter_config.json", {})
    return "run1"


def test_without_the_extra_it_says_how_to_install_it_and_starts_nothing(
    ftkit, run, home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "lm_eval" else real(name, *more)
    )
    done = ftkit("benchmark", run, "--task", "arc_easy", "--json")
    assert (done.code, done.json["error"]["key"]) == (2, "benchmark.not_installed")
    assert 'pip install "ftkit[harness]"' in done.json["error"]["text"]
    assert not Path(home, "benchmarks").exists()
    assert ftkit("benchmark", "list", "--json").json == {"benchmarks": []}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--task", "a/b"], "is no name of a task"),
        (["--task", "a", "--tasks-folder", "absent"], "no task file"),
        (["--task", "a", "--limit", "0"], "limit"),
        ([], "--task"),
    ],
)
def test_what_cannot_be_asked_is_refused(ftkit, run, more: list[str], said: str) -> None:
    done = ftkit("benchmark", run, *more)
    assert done.code == 2
    assert said in done.err


def test_a_benchmark_that_is_not_there(ftkit, home) -> None:
    assert ftkit("benchmark", "show", "absent").code == 2
    assert ftkit("benchmark", "delete", "absent").code == 2


def test_a_finished_one_has_what_the_help_promises(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(benchmark_value(VIEW)) == documented("benchmark start")
    give(Answer(benchmark_value(VIEW), _shown(VIEW)), as_json=False)
    shown = capsys.readouterr().out
    assert "0.750 ± 0.100" in shown
    assert "+0.250" in shown
    assert "Better" in shown
    json.dumps(benchmark_value(VIEW), allow_nan=False)
