"""How a worker ends: nothing is left of it, and the reason is said as far as it is proven."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from ftkit.errors import FtkitError
from ftkit.jobs.evidence import Evidence
from ftkit.jobs.service import Conditions
from tests.jobs.conftest import Yard
from tests.jobs.test_service import running, until


def carriers(nonce: str) -> list[psutil.Process]:
    """Every process that this start has brought into being, wherever it hangs now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("FTKIT_JOB") == nonce and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def family(yard: Yard) -> str:
    """A running worker with a forked, a deaf, a session-leading and an orphaned descendant; gives its nonce."""
    yard.submit("family", "a")
    nonce = yard.jobs.of("a").nonce

    def complete() -> bool:
        yard.jobs.tick()
        return yard.jobs.of("a").state == "running" and len(carriers(nonce)) == 5

    until(complete)
    return nonce


@pytest.mark.parametrize("now", [False, True])
def test_stop_leaves_no_process(yard: Yard, family: str, now: bool) -> None:
    began = time.monotonic()
    yard.jobs.stop("a", now=now)
    assert yard.jobs.wait("a", 15).state == "stopped"
    until(lambda: not carriers(family), 15 - (time.monotonic() - began))
    assert time.monotonic() - began < (4 if now else 15)


def test_a_killed_worker_leaves_no_process_and_no_lock(yard: Yard, family: str) -> None:
    """The forked descendant inherited the lock; yet the end is noticed, and a new start is possible at once."""
    os.kill(yard.jobs.of("a").pid, signal.SIGKILL)
    began = time.monotonic()
    assert yard.jobs.wait("a", 15).state == "lost"
    assert time.monotonic() - began < 15
    assert not carriers(family)
    yard.submit("counting", "a", steps=1)
    assert yard.jobs.wait("a", 20).state == "done"


def test_a_pause_takes_the_time_that_it_needs_and_can_be_gone_on_from(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000)
    running(yard, "a")
    yard.jobs.pause("a", by="ada")
    job = yard.jobs.wait("a", 20)
    assert (job.state, job.error) == ("paused", None)
    asked = [event.by for event in yard.jobs.events("a") if event.event == "asked_to_pause"]
    assert asked == ["ada"]
    yard.submit("counting", "a", steps=2)
    assert yard.jobs.wait("a", 20).state == "done"
    assert yard.events("a").count("queued") == 2


def test_a_pause_kills_nobody_and_a_stop_ends_it(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000, deaf=True)
    pid = running(yard, "a")
    yard.jobs.pause("a")
    assert yard.jobs.wait("a", 5).state == "stopping"
    assert psutil.pid_exists(pid)
    yard.jobs.stop("a", now=True)
    assert yard.jobs.wait("a", 15).state == "stopped"


def test_a_signal_from_outside_is_told_from_a_stop(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000)
    os.kill(running(yard, "a"), signal.SIGTERM)
    job = yard.jobs.wait("a", 15)
    assert (job.state, job.error["key"]) == ("stopped", "jobs.interrupted")


def test_a_worker_that_cannot_go_on_pauses_with_its_reason(yard: Yard) -> None:
    yard.submit("failing", "a", how="full")
    job = yard.jobs.wait("a", 20)
    assert (job.state, job.error["key"]) == ("paused", "test.full")
    assert [event.error["key"] for event in yard.jobs.events("a") if event.error] == ["test.full"]


@pytest.mark.parametrize(
    ("how", "smaller", "words"),
    [
        ("card", {"per_device_train_batch_size": 2}, "graphics card's memory ran out (CUDA out of memory."),
        ("card", {}, "Memory ran out (CUDA out of memory."),
        ("allocator", {"max_length": 256}, "Start again with max_length 256."),
        ("greedy", {"per_device_train_batch_size": 2}, "with per_device_train_batch_size 2."),
    ],
)
def test_memory_that_could_not_be_had_is_said_with_what_to_try(
    yard: Yard, how: str, smaller: dict[str, int], words: str
) -> None:
    yard.submit("failing", "a", how=how, smaller=smaller)
    job = yard.jobs.wait("a", 30)
    assert job.state == "failed"
    assert words in str(FtkitError.from_dict(job.error))
    yard.submit("counting", "b", steps=1)
    assert yard.jobs.wait("b", 20).state == "done", "the lane is free"


def test_the_kernel_ends_the_worker_before_the_dashboard(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000)
    pid = running(yard, "a")
    child = int((yard.folders.work("a") / "child").read_text())
    scores = [int(Path(f"/proc/{one}/oom_score_adj").read_text()) for one in (pid, child, os.getpid())]
    assert scores[:2] == [800, 800]
    assert scores[2] < 800


@pytest.mark.parametrize(("kills", "key"), [(1, "jobs.memory_limit"), (0, "jobs.vanished")])
def test_the_kernels_counter_tells_memory_from_a_plain_kill(tmp_path: Path, kills: int, key: str) -> None:
    events = tmp_path / "cgroup" / "memory.events.local"
    events.parent.mkdir()
    (tmp_path / "membership").write_text("0::/\n")
    # Others have been ended before this worker started.
    events.write_text("low 0\nhigh 0\nmax 17\noom 3\noom_kill 3\n")
    evidence = Evidence(tmp_path / "cgroup", tmp_path / "membership")
    (tmp_path / "home").mkdir()
    yard = Yard(tmp_path / "home", Conditions(evidence=evidence))
    try:
        yard.submit("counting", "a", steps=1000)
        pid = running(yard, "a")
        events.write_text(f"low 0\nhigh 0\nmax 99\noom 4\noom_kill {3 + kills}\n")
        os.kill(pid, signal.SIGKILL)
        job = yard.jobs.wait("a", 15)
        assert (job.state, job.error["key"]) == ("lost", key)
    finally:
        yard.close()
