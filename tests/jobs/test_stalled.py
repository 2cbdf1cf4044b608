"""Alive, but stuck: it is shown, its stacks are in the log, it runs again by itself, and a stop works."""

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ftkit.jobs.identity import identify
from ftkit.jobs.service import Conditions
from tests.jobs.conftest import Yard
from tests.jobs.test_service import running, until


@pytest.fixture
def hasty(tmp_path: Path):
    """A yard in which half a second without progress is too long."""
    made = Yard(tmp_path, Conditions(stall_seconds=0.5))
    yield made
    made.close()


def becomes(yard: Yard, artefact: str, state: str) -> None:
    def is_there() -> bool:
        yard.jobs.tick()
        return yard.jobs.of(artefact).state == state

    until(is_there, 60)  # ten median steps count too, and the first ones are slow on a busy machine


def test_a_stuck_worker_is_shown_and_comes_back_by_itself(hasty: Yard) -> None:
    hasty.submit("stuck", "a")
    becomes(hasty, "a", "stalled")
    log = hasty.jobs.folder(hasty.jobs.of("a")).log
    until(lambda: "wait_for_what_never_comes" in log.read_text())
    assert "Thread 0x" in log.read_text(), "the stacks of all threads"
    (hasty.folders.work("a") / "go").touch()
    becomes(hasty, "a", "running")
    assert hasty.jobs.wait("a", 15).state == "done"
    seen = hasty.events("a")
    assert seen[:5] == ["queued", "started", "running", "stalled", "recovered"]
    assert seen[-1] == "done"


def test_a_stop_works_on_a_stuck_worker(hasty: Yard) -> None:
    hasty.submit("stuck", "a")
    becomes(hasty, "a", "stalled")
    pid = hasty.jobs.of("a").pid
    began = time.monotonic()
    hasty.jobs.stop("a", now=True)
    assert hasty.jobs.wait("a", 15).state == "stopped"
    assert identify(pid) is None
    assert time.monotonic() - began < 15


def test_a_stalled_job_keeps_its_lane(hasty: Yard) -> None:
    hasty.submit("stuck", "a")
    hasty.submit("counting", "b", steps=2)
    becomes(hasty, "a", "stalled")
    assert hasty.jobs.of("b").state == "queued"


def test_a_process_that_is_held_up_does_not_count_as_gone(hasty: Yard) -> None:
    """Not even its heartbeat comes: the machine sleeps, a debugger holds it."""
    hasty.submit("counting", "a", steps=1000)
    pid = running(hasty, "a")
    os.kill(pid, signal.SIGSTOP)
    try:
        becomes(hasty, "a", "stalled")
    finally:
        os.kill(pid, signal.SIGCONT)
    becomes(hasty, "a", "running")


def test_who_waits_for_others_is_never_stalled(hasty: Yard) -> None:
    hasty.submit("echo", "a")
    (hasty.folders.work("a") / "key").write_bytes(b"key")
    until(lambda: hasty.jobs.wait("a", 0).state == "running")
    assert hasty.jobs.wait("a", 15).state == "done"
    assert "stalled" not in hasty.events("a")


def test_jumps_of_the_clock_change_nothing(tmp_path: Path) -> None:
    """Two hours forth, two back, as with a wrong clock or the end of summer time."""
    yard = Yard(tmp_path, Conditions(stall_seconds=30))
    try:
        yard.submit("counting", "a", steps=25)
        running(yard, "a")
        for hours in (2, -2, 2, 0):
            yard.jobs._supervision._clock = lambda hours=hours: datetime.now(UTC) + timedelta(hours=hours)
            yard.jobs.tick()
            assert yard.jobs.of("a").state == "running"
        assert yard.jobs.wait("a", 20).state == "done"
        assert yard.events("a") == ["queued", "started", "running", "done"]
    finally:
        yard.close()
