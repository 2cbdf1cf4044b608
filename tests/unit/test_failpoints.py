"""Failpoints do what the environment asks for, at the place and the time that it names, and nothing else."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_REACH = "import sys\nfrom ftkit.failpoints import reach\nfor n in range(3):\n    reach('here'); print(n, flush=True)"


def _run(asked: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", _REACH],
        env={"FTKIT_FAILPOINT": asked, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("asked", ["", "elsewhere:kill", "here@4:kill"])
def test_nothing_happens_where_nothing_is_asked_for(asked: str) -> None:
    done = _run(asked)
    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2"])


def test_a_process_is_killed_at_the_time_that_was_named() -> None:
    done = _run("elsewhere:raise:EIO, here@2:kill")
    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["0"])


@pytest.mark.parametrize("code", ["ENOSPC", "EDQUOT"])
def test_a_place_can_fail_as_the_operating_system_fails(code: str) -> None:
    done = _run(f"here:raise:{code}")
    assert done.returncode == 1
    assert f"[Errno {getattr(errno, code)}]" in done.stderr


def test_an_unknown_action_is_an_error() -> None:
    assert "explode is no action" in _run("here:explode").stderr
