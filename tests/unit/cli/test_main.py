import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import typer

from ftkit import __version__
from ftkit.cli import main as border
from ftkit.cli.output import Answer, command
from ftkit.cli.session import LeftRunning
from ftkit.errors import BadInput, WorkerFault

COMMANDS = [
    "app",
    "quickstart",
    "doctor",
    "train",
    "evaluate",
    "generate",
    "report",
    "data",
    "models",
    "runs",
]
NOUNS = {
    "data": ["import", "list", "show", "format", "split"],
    "models": ["list", "pull", "compare", "fit"],
    "runs": ["list", "show", "watch", "stop", "resume", "compare", "delete"],
}


@pytest.fixture
def failing(monkeypatch):
    """The command line with one more command that raises what it is given."""

    def install(error: BaseException):
        app = typer.Typer(no_args_is_help=True)
        app.callback()(lambda: None)

        def fail() -> Answer:
            """Fail."""
            raise error

        command(app, "fail")(fail)
        monkeypatch.setattr(border, "app", app)

    return install


def test_the_commands_are_those_of_the_design(ftkit):
    shown = ftkit("--help").out
    assert all(f" {name} " in shown for name in COMMANDS)
    for noun, verbs in NOUNS.items():
        shown = ftkit(noun, "--help").out
        assert all(f" {verb} " in shown for verb in verbs)


def test_version(ftkit):
    assert ftkit("--version") == (0, f"ftkit {__version__}\n", "")


def test_a_mistake_is_one_sentence_and_2(ftkit, failing):
    failing(BadInput("data.empty", "The file {name} is empty. Choose another one.", name="a.csv"))
    assert ftkit("fail") == (2, "", "The file a.csv is empty. Choose another one.\n")
    seen = ftkit("fail", "--json")
    assert seen.code == 2
    assert seen.json == {
        "error": {"key": "data.empty", "text": "The file a.csv is empty. Choose another one."}
    }


def test_a_fault_is_1_and_says_where_the_log_is(ftkit, failing, home):
    failing(WorkerFault("jobs.gone", "The worker went away."))
    seen = ftkit("fail", "--json")
    assert seen.code == 1
    assert seen.json["error"]["key"] == "jobs.gone"
    assert str(home / "logs" / "cli.log") in seen.err
    assert "Traceback" not in seen.err
    assert "The worker went away." in (home / "logs" / "cli.log").read_text()


def test_what_nobody_expected_is_1_with_a_number_and_its_traceback_in_the_log(ftkit, failing, home):
    failing(ZeroDivisionError("x / 0"))
    seen = ftkit("fail", "--json")
    assert seen.code == 1
    number = seen.json["error"]["text"].partition("error ")[2][:8]
    log = (home / "logs" / "cli.log").read_text()
    assert number in log
    assert "ZeroDivisionError: x / 0" in log
    assert "Traceback" not in seen.err + seen.out
    assert len(seen.err.splitlines()) == 1


def test_an_unwritable_log_hides_nothing(ftkit, failing, home):
    home.write_text("a file where the folder should be")
    failing(ZeroDivisionError())
    seen = ftkit("fail")
    assert (seen.code, "ZeroDivisionError" in seen.err, "Traceback" in seen.err) == (1, True, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dat"], "data"),
        (["train"], "RECIPE"),
        (["train", "r"], "--split"),
        (["data", "show", "d", "--limit", "0"], "--limit"),
        (["evaluate", "r", "--split-part", "half"], "half"),
        (["runs", "list", "--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_command_line_is_2_and_one_sentence(ftkit, arguments, said):
    seen = ftkit(*arguments)
    assert (seen.code, seen.out) == (2, "")
    assert said in seen.err
    assert len(seen.err.splitlines()) == 1
    seen = ftkit(*arguments, "--json")
    assert (seen.code, seen.json["error"]["key"]) == (2, "cli.usage")


def test_ctrl_c_is_130(ftkit, failing):
    failing(KeyboardInterrupt())
    assert ftkit("fail").code == 130
    assert ftkit("fail", "--json").json["error"]["key"] == "cli.interrupted"


def test_looking_away_is_130_and_says_what_goes_on(ftkit, failing):
    failing(LeftRunning("Run goes on.", {"run": "r", "state": "running"}))
    seen = ftkit("fail", "--json")
    assert seen.code == 130
    assert seen.err == "Run goes on.\n"
    assert (seen.json["run"], seen.json["state"]) == ("r", "running")


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["runs", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    heavy = ["sqlalchemy", "gradio", "pyarrow", "pandas", "numpy", "torch", "fastapi"]
    code = (
        "import sys; from ftkit.cli.main import main; main(sys.argv[1:]); "
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "[]\n"


def test_help_is_quick():
    """Processor time, which other work on the machine does not lengthen; the best of three, as caches warm up."""
    needed = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-m", "ftkit", "train", "--help"], capture_output=True, check=True)
        after = os.times()
        needed.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    assert min(needed) < 0.7


def test_a_reader_that_goes_away_is_no_failure_of_ours(home):
    command_line = f"{sys.executable} -m ftkit --help | true"
    done = subprocess.run(["bash", "-c", command_line], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("json_wanted", [False, True])
def test_the_dashboard_starts_on_the_port_that_was_asked_for_and_ends_with_ctrl_c(
    home, monkeypatch, json_wanted
):
    monkeypatch.setenv("FTKIT_SAMPLES", "0")
    command_line = [sys.executable, "-m", "ftkit", "app", "--port", "0", *(["--json"] * json_wanted)]
    process = subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        while "?token=" not in said or (json_wanted and "}" not in said):
            said += process.stdout.readline() or pytest.fail(process.stderr.read())
        link = json.loads(said)["url"] if json_wanted else said
        assert re.search(r"http://127\.0\.0\.1:(?!7860)\d+/\?token=[\w-]{20,}", link)
        time.sleep(1)  # the link comes just before the server takes over the signals
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert process.returncode in {0, 130}
        assert out.strip() == ""
    finally:
        process.kill()
        process.communicate()


def test_json_and_only_json(home):
    done = subprocess.run(
        [sys.executable, "-m", "ftkit", "runs", "list", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"runs": []}
