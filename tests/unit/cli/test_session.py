import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from ftkit.cli import session
from ftkit.cli.session import LeftRunning, check_done, follow, pairs, read_settings, short_time
from ftkit.errors import BadInput, FtkitError, WorkerFault
from ftkit.records import Job


def job(state: str = "running") -> Job:
    return Job(
        id="j",
        kind="train",
        lane="compute",
        artefact="r",
        state=state,
        nonce="n",
        queued_at=datetime.now(UTC),
    )


def beats(*states: dict, job_state: str = "running"):
    def wait(look):
        for state in states:
            look(job(job_state), state)
        return "ended"

    return wait


def test_without_a_terminal_each_stage_and_each_tenth_is_one_line(capsys):
    steps = [
        {"phase": "training", "step": step, "steps": 100, "seconds_left": 100 - step} for step in range(101)
    ]
    assert follow("Run", beats({"phase": "loading"}, *steps), "", {}) == "ended"
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert lines[:3] == [
        "Run: loading",
        "Run: training 0/100, 1 min 40 s left",
        "Run: training 10/100, 1 min 30 s left",
    ]
    assert lines[-1] == "Run: training 100/100"
    assert len(lines) == 1 + 11
    assert captured.out == ""


def test_a_job_in_the_queue_says_so(capsys):
    follow("Run", beats({}, {}, job_state="queued"), "", {})
    assert capsys.readouterr().err == "Run: waiting for its turn\n"


def test_a_job_without_heartbeat_is_starting_and_a_stopping_one_says_so(capsys):
    follow("Run", beats({}), "", {})
    follow("Run", beats({"phase": "training", "step": 3, "steps": 9}, job_state="stopping"), "", {})
    assert capsys.readouterr().err.splitlines() == ["Run: starting", "Run: stopping 3/9"]


def test_time_left_is_estimated_from_the_stage_alone(monkeypatch, capsys):
    seconds = iter([1000.0, 1010.0])
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    follow("Evaluation", beats(*({"phase": "base", "step": step, "steps": 20} for step in (0, 5))), "", {})
    assert capsys.readouterr().err.splitlines()[-1] == "Evaluation: base 5/20, 30 s left"


def test_on_a_terminal_there_is_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(session.sys.stderr, "isatty", lambda: True, raising=False)
    state = {"phase": "training\x1b[2J", "step": 5, "steps": 9, "seconds_left": 61}
    follow("Run", beats(state), "", {})
    shown = capsys.readouterr().err
    assert "5/9 · 1 min 1 s left" in shown
    assert "\x1b[2J" not in shown


def test_ctrl_c_leaves_the_job_and_says_how_to_come_back(capsys):
    def wait(_look):
        raise KeyboardInterrupt

    with pytest.raises(LeftRunning, match="Run goes on in the background. Back: x") as left:
        follow("Run", wait, "Back: x", {"run": "r"})
    assert left.value.value == {"run": "r"}


def test_pairs_are_split_at_the_first_equals_sign():
    assert pairs("--set", ["a=1", " b = x=y "]) == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize(
    ("texts", "said"), [(["a"], "NAME=VALUE"), (["=1"], "NAME=VALUE"), (["a=1", "a=2"], "twice")]
)
def test_a_bad_pair_is_named(texts, said):
    with pytest.raises(BadInput, match=said):
        pairs("--set", texts)


@pytest.mark.parametrize("name", ["FTKIT_PORT", "HF_HUB_OFFLINE"])
def test_a_bad_variable_of_the_environment_is_a_mistake_of_the_user(monkeypatch, name):
    monkeypatch.setenv(name, "many")
    with pytest.raises(BadInput, match=name):
        read_settings()


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s")]
)
def test_times_are_short(seconds, shown):
    assert short_time(seconds) == shown


def test_a_job_that_did_not_reach_its_end_gives_its_own_error_and_its_log(capsys):
    check_done("run", job("done"), Path("x.log"))
    assert capsys.readouterr().err == ""
    failed = job("failed").model_copy(update={"error": BadInput("data.x", "Bad {a}.", a=1).as_dict()})
    with pytest.raises(FtkitError, match="Bad 1"):
        check_done("run", failed, Path("x.log"))
    assert "x.log" in capsys.readouterr().err
    with pytest.raises(WorkerFault, match="The download is stopped"):
        check_done("download", job("stopped"), Path("x.log"))


def test_backups_go_on_while_a_command_lasts_and_one_may_be_made_at_its_end():
    calls = []
    with session.backed_up(lambda: calls.append(1), first=0.02, then=0.02):
        deadline = time.monotonic() + 10
        while len(calls) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    ended = len(calls)
    time.sleep(0.1)
    assert len(calls) == ended
    calls.clear()
    with session.backed_up(lambda: calls.append(1)):
        assert calls == []
    assert calls == [1]


def test_a_backup_that_fails_is_said_once_and_ends_nothing(capsys):
    def fail() -> None:
        raise OSError(28, "No space left on device")

    with session.backed_up(fail, 0.01, 0.01):
        time.sleep(0.1)
    assert (
        capsys.readouterr().err == "No backup of the database was made: [Errno 28] No space left on device\n"
    )
