"""Whoever supervises is killed at any moment: after a restart the state is right within ten seconds, with one worker at most."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ftkit.jobs.folder import JobFolder
from ftkit.jobs.identity import boot_id, identify
from ftkit.jobs.launch import end_tree
from ftkit.store.files import write_json
from tests.jobs.conftest import Yard
from tests.jobs.test_service import running, started, until

ROOT = Path(__file__).parents[2]
RESTART_LIMIT = 10.0
APP = (
    "import sys, time; from pathlib import Path; from tests.jobs.conftest import Yard\n"
    "yard = Yard(Path(sys.argv[1])); yard.jobs.tick()\n"
    "print('up', flush=True)\n"
    "if len(sys.argv) > 2: yard.jobs.submit('counting', sys.argv[2])\n"
    "while True: yard.jobs.tick(); time.sleep(0.2)"
)


def app(yard: Yard, *arguments: str, failpoint: str = "") -> subprocess.Popen[str]:
    """A supervising process; it is up when this returns, or was killed on the way."""
    process = subprocess.Popen(
        [sys.executable, "-c", APP, str(yard.home), *arguments],
        cwd=ROOT,
        env={**os.environ, "FTKIT_FAILPOINT": failpoint},
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    process.stdout.close()
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def workers(yard: Yard, artefact: str) -> list[psutil.Process]:
    """Processes that work in the folder of an artefact."""
    folder = str(yard.folders.work(artefact))
    every = psutil.process_iter(["cmdline", "status"])
    return [p for p in every if folder in (p.info["cmdline"] or []) and p.info["status"] != "zombie"]


def state(yard: Yard, artefact: str) -> str:
    """As the database says it; nobody here supervises."""
    return yard.jobs.of(artefact).state


def died_at(yard: Yard, place: str, artefact: str) -> None:
    write_json(yard.folders.work(artefact) / "inputs.json", {"steps": 30, "pause": 0.1})
    process = app(yard, artefact, failpoint=f"{place}:kill")
    assert process.wait(20) == -signal.SIGKILL
    assert state(yard, artefact) == "starting"


@pytest.mark.parametrize("place", ["jobs.row_written", "jobs.spawned"])
def test_a_start_that_was_cut_off_ends_as_one_worker(yard: Yard, place: str) -> None:
    died_at(yard, place, "a")
    supervisor = app(yard)
    try:
        until(lambda: state(yard, "a") == "running", RESTART_LIMIT)
        assert len(workers(yard, "a")) == 1
        until(lambda: state(yard, "a") == "done", 20)
        assert len(started(yard, "a")) == 1
    finally:
        end(supervisor)
    again = place == "jobs.row_written"
    assert ("requeued" in yard.events("a")) == again


def test_a_start_that_never_comes_is_given_up_in_the_end(yard: Yard) -> None:
    died_at(yard, "jobs.row_written", "a")
    for _ in range(2):
        assert app(yard, failpoint="jobs.row_written:kill").wait(20) == -signal.SIGKILL
    yard.jobs.tick()
    job = yard.jobs.of("a")
    assert (job.state, job.error["key"], job.tries_left) == ("lost", "jobs.never_started", 0)
    assert not workers(yard, "a")


def test_a_worker_that_cannot_even_be_imported_is_not_tried_for_ever(yard: Yard) -> None:
    yard.submit("no_such_module", "a")
    job = yard.jobs.wait("a", 30)
    assert (job.state, job.error["key"]) == ("lost", "jobs.never_started")
    assert yard.events("a").count("started") == 3
    assert "No module named" in yard.jobs.folder(job).log_tail()


def test_no_second_worker_while_the_first_holds_its_lock(yard: Yard) -> None:
    """Whatever the database believes."""
    yard.submit("counting", "a", steps=1000)
    running(yard, "a")
    job = yard.jobs.of("a")
    yard.jobs._table.move(job, {"running"}, state="lost")
    again = yard.jobs.submit("counting", "a")
    assert (again.state, again.error["key"]) == ("failed", "jobs.locked")
    assert len(workers(yard, "a")) == 1
    end_tree(yard.jobs.folder(again).registered(job.nonce), job.nonce, 0)


def test_a_restart_of_the_machine_queues_it_again(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000)
    pid = running(yard, "a")
    job = yard.jobs.of("a")
    for process in workers(yard, "a"):
        for one in [*process.children(), process]:
            one.kill()
    until(lambda: identify(pid) is None)
    folder = yard.jobs.folder(job)
    write_json(yard.folders.work("a") / "inputs.json", {"steps": 2})
    worker = folder.registered(job.nonce)
    folder.register(worker._replace(boot_id=f"before {boot_id()}"), job.nonce)
    assert yard.jobs.wait("a", 20).state == "done"
    events = yard.jobs.events("a")
    assert [event.error["key"] for event in events if event.event == "requeued"] == ["jobs.rebooted"]


def test_a_stop_that_its_process_did_not_survive_goes_on(yard: Yard) -> None:
    """The worker is deaf, and whoever was about to end it was killed."""
    yard.submit("counting", "a", steps=1000, deaf=True)
    pid = running(yard, "a")
    code = (
        "import os, signal, sys; from pathlib import Path; from tests.jobs.conftest import Yard\n"
        "Yard(Path(sys.argv[1])).jobs.stop('a'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code, str(yard.home)], cwd=ROOT).returncode == -signal.SIGKILL
    )
    assert state(yard, "a") == "stopping"
    assert yard.jobs.wait("a", 15).state == "stopped"
    assert identify(pid) is None


def _killed(yard: Yard, rng: random.Random, times: int, artefact: str) -> None:
    """Kill the supervisor at random moments of one job; look at the state after each restart."""
    folder = JobFolder(yard.folders.work(artefact))
    for _ in range(times):
        supervisor = app(yard)
        try:
            until(lambda: state(yard, artefact) == "running", RESTART_LIMIT)
            assert len(workers(yard, artefact)) == 1
            assert len(started(yard, artefact)) == 1
            time.sleep(rng.random())
        finally:
            end(supervisor)
    before = folder.state()["step"]
    until(lambda: folder.state()["step"] > before)


def test_the_supervisor_is_killed_again_and_again(yard: Yard) -> None:
    died_at(yard, "jobs.spawned", "a")
    write_json(yard.folders.work("a") / "inputs.json", {"steps": 100_000, "pause": 0.05})
    _killed(yard, random.Random(1), 3, "a")


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_the_supervisor_is_killed_twenty_times_in_one_run(yard: Yard) -> None:
    write_json(yard.folders.work("a") / "inputs.json", {"steps": 100_000, "pause": 0.05})
    assert app(yard, "a", failpoint="jobs.row_written:kill").wait(20) == -signal.SIGKILL
    assert app(yard, failpoint="jobs.spawned:kill").wait(20) == -signal.SIGKILL
    _killed(yard, random.Random(2), 18, "a")
    measured = [m["step"] for m in yard.jobs.folder(yard.jobs.of("a")).measurements()[0]]
    assert measured == list(range(1, len(measured) + 1)), "no gap, nothing twice"


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("place", ["jobs.row_written", "jobs.spawned"])
def test_ten_starts_that_were_cut_off(yard: Yard, place: str) -> None:
    for number in range(10):
        name = f"a{number}"
        died_at(yard, place, name)
        write_json(yard.folders.work(name) / "inputs.json", {"steps": 5})
        supervisor = app(yard)
        try:
            until(lambda: state(yard, name) in {"running", "done"}, RESTART_LIMIT)  # noqa: B023
            until(lambda: state(yard, name) == "done", 30)  # noqa: B023
        finally:
            end(supervisor)
        assert len(started(yard, name)) == 1


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_a_killed_worker_is_noticed_twenty_times(yard: Yard) -> None:
    rng = random.Random(3)
    for number in range(20):
        name = f"a{number}"
        yard.submit("counting", name, steps=100_000, pause=0.02)
        pid = running(yard, name)
        time.sleep(rng.random() / 2)
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        job = yard.jobs.wait(name, 15)
        assert (job.state, job.error["key"]) == ("lost", "jobs.vanished")
        assert time.monotonic() - began < 15
        assert not workers(yard, name)


def test_a_worker_that_died_while_nobody_looked_is_never_shown_as_running(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000)
    os.kill(running(yard, "a"), signal.SIGKILL)
    supervisor = app(yard)
    try:
        until(lambda: state(yard, "a") == "lost", RESTART_LIMIT)
    finally:
        end(supervisor)
