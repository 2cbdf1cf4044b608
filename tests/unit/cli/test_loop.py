"""The whole way through the command line, with a tiny random model and real workers."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ftkit.cli.session import open_workspace
from tests.tiny import make_tiny_model

DOCS = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
RECIPE = "smollm2-135m/sft-lora"
QUICK = [
    "--set",
    "model_name_or_path=tiny",
    "--set",
    "max_steps=4",
    "--set",
    "eval_steps=2",
    "--set",
    "max_length=256",
]


def documented(command: str) -> set[str]:
    """The names that docs/cli.md gives for the JSON of a command."""
    section = DOCS.partition(f"# `ftkit {command}`\n")[2].partition("\n#")[0]
    (line,) = re.findall(r"^JSON: (.*?)\.$", section, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`(\w+)`", line))


@pytest.fixture
def tiny(home) -> None:
    make_tiny_model(home / "models" / "tiny")


@pytest.fixture
def split(ftkit, tmp_path) -> str:
    rows = [
        {
            "user": f"Ticket {n}: my parcel is late",
            "assistant": json.dumps({"category": ["billing", "delivery"][n % 2], "priority": "low"}),
        }
        for n in range(30)
    ]
    file = tmp_path / "tickets.json"
    file.write_text(json.dumps(rows))
    dataset = ftkit("data", "import", file, "--json").json["dataset"]
    made = ftkit("data", "split", dataset, "--ratios", "0.6,0.2,0.2", "--json")
    assert documented("data split") == set(made.json)
    return made.json["split"]


@pytest.fixture
def nothing_left_behind(home):
    yield
    with open_workspace() as workspace:
        for job in workspace.jobs.unfinished():
            workspace.jobs.stop(job.artefact)
            workspace.jobs.wait(job.artefact, 20)


@pytest.mark.training
@pytest.mark.filterwarnings(
    "ignore:subprocess .* is still running:ResourceWarning"
)  # workers outlive a command
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("tiny", "nothing_left_behind")
def test_from_a_file_to_a_report(ftkit, home, split, tmp_path):
    trained = ftkit("train", RECIPE, "--split", split, *QUICK, "--name", "First", "--json")
    assert trained.code == 0, trained.err
    assert set(trained.json) == documented("train")
    assert (trained.json["state"], trained.json["recipe"], trained.json["model"]) == ("done", RECIPE, "tiny")
    metrics = trained.json["metrics"]
    names = {"tokens_per_second", "train_loss", "eval_loss", "train_seconds", "peak_memory_mb"}
    assert all(isinstance(metrics[name], float | int) and metrics[name] > 0 for name in names)
    assert metrics["steps"] == 4
    assert "Run: loading" in trained.err
    run = trained.json["run"]
    look_at_the_run(ftkit, run, metrics)
    evaluate_it(ftkit, run)
    evaluate_it_otherwise(ftkit, run, home)
    ask_it(ftkit, run)
    ask_it_a_file(ftkit, run, tmp_path)
    tell_about_it(ftkit, run, home, tmp_path / "pages" / "run.html")
    compare_and_delete(ftkit, run, split)


def look_at_the_run(ftkit, run, metrics):
    shown = ftkit("runs", "show", run, "--json").json
    assert set(shown) == documented("runs show")
    assert shown["spec"]["max_steps"] == 4
    assert shown["metrics"] == metrics
    assert ftkit("runs", "list", "--json").json["runs"][0]["metrics"] == metrics
    assert ftkit("runs", "watch", run, "--json").json["state"] == "done"
    assert "First" in ftkit("runs", "list").out
    assert ftkit("runs", "resume", run).code == 2


def evaluate_it(ftkit, run):
    evaluated = ftkit("evaluate", run, "--json")
    assert evaluated.code == 0, evaluated.err
    assert set(evaluated.json) == documented("evaluate")
    (split,) = ftkit("data", "list", "--json").json["splits"]
    assert evaluated.json["rows"] == split["sizes"]["test"] > 1
    for side in ("base", "tuned"):
        assert {"perplexity", "exact_match", "category_accuracy", "priority_macro_f1"} <= set(
            evaluated.json[side]
        )
    assert {"value", "low", "high", "p"} <= set(evaluated.json["difference"]["perplexity"])


def evaluate_it_otherwise(ftkit, run, home):
    file = home / "checks.yaml"
    file.write_text("- {name: object, kind: regex, pattern: '^[{]'}\n", encoding="utf-8")
    wanted = ["--task", "translation", "--metrics", "bleu,rougeL", "--check", str(file)]
    measured = ftkit("evaluate", run, *wanted, "--json").json
    assert measured["task"] == "translation"
    assert list(measured["tuned"]) == ["bleu", "rougeL", "check_object"]
    assert "check_object" in ftkit("evaluate", run, *wanted).out


def ask_it(ftkit, run):
    asked = ["generate", run, "--prompt", "Ticket 1: my parcel is late", "--max-new-tokens", "8"]
    answered = ftkit(*asked, "--json")
    assert answered.code == 0, answered.err
    assert set(answered.json) == documented("generate")
    assert 0 < answered.json["tuned_tokens"] <= 8
    again = ftkit(*asked, "--json").json
    assert (again["base"], again["tuned"]) == (answered.json["base"], answered.json["tuned"])


def ask_it_a_file(ftkit, run, folder):
    file, out = folder / "prompts.jsonl", folder / "answers.jsonl"
    file.write_text('{"prompt": "Ticket 1: my parcel is late"}\n{"id": "b", "prompt": "Ticket 2"}\n{}\n')
    asked = ["generate", run, "--file", file, "--out", out, "--max-new-tokens", "8", "--json"]
    first = ftkit(*asked)
    assert first.code == 0, first.err
    assert "2/2" in first.err
    assert [first.json[name] for name in ("rows", "answered", "skipped")] == [3, 2, 0]
    assert [one["line"] for one in first.json["failed"]] == [3]
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["id"] for row in rows} == {"1", "b"}
    assert all(0 < row["tokens"] <= 8 for row in rows)
    again = ftkit(*asked).json
    assert [again[name] for name in ("answered", "skipped")] == [0, 2]
    assert ftkit("generate", run).code == 2
    assert ftkit("generate", "nothing", "--file", file).code == 2
    assert ftkit("generate", run, "--file", file, "--engine", "steam").code == 2
    assert ftkit("generate", run, "--file", file, "--engine", "llamacpp", "--out", out).code == 2


def tell_about_it(ftkit, run, home, out):
    told = ftkit("report", run, "--out", out, "--language", "tr", "--json")
    assert told.json == {"run": run, "report": str(out)}
    assert 'lang="tr"' in out.read_text()
    assert str(home / "reports" / f"{run}.html") in ftkit("report", run).out


def compare_and_delete(ftkit, run, split):
    other = ftkit("train", RECIPE, "--split", split, *QUICK, "--set", "seed=7", "--json").json["run"]
    compared = ftkit("runs", "compare", run, other, "--json").json
    assert compared["options"] == {"seed": [42, 7]}
    assert set(compared) == documented("runs compare")
    assert ftkit("runs", "delete", run).code == 2  # an evaluation was made from it
    assert ftkit("runs", "delete", other, "--json").json == {"run": other, "deleted": True}
    assert ftkit("runs", "show", other).code == 2


@pytest.mark.training
@pytest.mark.filterwarnings(
    "ignore:subprocess .* is still running:ResourceWarning"
)  # workers outlive a command
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("tiny", "nothing_left_behind")
def test_a_run_goes_on_without_its_watcher_and_can_be_stopped_and_resumed(ftkit, split):
    long = [option.replace("max_steps=4", "max_steps=100000") for option in QUICK]
    command = [sys.executable, "-m", "ftkit", "train", RECIPE, "--split", split, *long, "--json"]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in watcher.stderr:
        if line.startswith("Run: training"):
            break
    else:
        pytest.fail(watcher.communicate()[0])
    watcher.send_signal(signal.SIGINT)
    out, err = watcher.communicate(timeout=30)
    assert watcher.returncode == 130
    run = json.loads(out)["run"]
    assert f"ftkit runs watch {run}" in err

    before = ftkit("runs", "show", run, "--json").json["progress"]["step"]
    time.sleep(3)
    now = ftkit("runs", "show", run, "--json").json
    assert now["state"] == "running"
    assert now["progress"]["step"] > before

    stopped = ftkit("runs", "stop", run, "--json")
    assert (stopped.code, stopped.json["state"]) == (0, "stopped")
    assert ftkit("runs", "stop", run).code == 2
    resumed = ftkit("runs", "resume", run, "--detach", "--json")
    assert resumed.json["state"] in {"starting", "running"}
    waiting = ftkit("train", RECIPE, "--split", split, *long, "--detach", "--json").json["run"]
    moved = ftkit("runs", "move", waiting, "first", "--json")
    assert moved.json == {"queue": [{"run": waiting, "kind": "train", "owner": "owner"}]}
    assert ftkit("runs", "move", run, "up").code == 2
    assert ftkit("runs", "pause", waiting, "--json").json["state"] == "paused"
    assert ftkit("runs", "pause", run, "--json").json["state"] == "paused"
    assert ftkit("runs", "resume", run, "--detach", "--json").code == 0
    assert ftkit("runs", "stop", run, "--now", "--json").json["state"] == "stopped"
    happened = [one["event"] for one in ftkit("runs", "show", run, "--json").json["events"]]
    assert happened.count("queued") == 3
    assert {"asked_to_stop", "asked_to_pause", "paused", "stopped"} <= set(happened)
    assert "asked to pause" in ftkit("runs", "show", run).out


def test_what_cannot_be_trained_is_refused_before_it_starts(ftkit, split):
    for arguments, said in [
        (["no/such"], RECIPE),
        ([RECIPE, "--set", "max_stepz=1", "--set", "r=0"], "Did you mean max_steps?\nr: "),
        ([RECIPE, "--set", "model_name_or_path=absent"], "ftkit models pull absent"),
    ]:
        seen = ftkit("train", *arguments, "--split", split, "--json")
        assert seen.code == 2
        assert said in seen.json["error"]["text"]
    assert ftkit("train", RECIPE, "--split", "absent").code == 2
    assert ftkit("runs", "list", "--json").json == {"runs": []}
    assert "ftkit train" in ftkit("runs", "list").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["runs", "show", "x"],
        ["runs", "watch", "x"],
        ["runs", "stop", "x"],
        ["runs", "resume", "../x"],
        ["runs", "delete", "x"],
        ["runs", "compare", "x", "y"],
        ["runs", "compare", "x", "x"],
        ["evaluate", "x"],
        ["generate", "x", "--prompt", "hello"],
        ["report", "x"],
    ],
)
def test_a_run_that_is_not_there_is_a_mistake(ftkit, arguments):
    seen = ftkit(*arguments, "--json")
    assert (seen.code, list(seen.json)) == (2, ["error"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--metrics", "bleu,meteor"], "no metric “meteor”"),
        (["--metrics", ","], "No metric is chosen"),
        (["--task", "poetry"], "poetry"),
        (["--check", "/nowhere/checks.yaml"], "cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_refused(ftkit, arguments, says):
    seen = ftkit("evaluate", "x", *arguments)
    assert seen.code == 2
    assert says in seen.err
