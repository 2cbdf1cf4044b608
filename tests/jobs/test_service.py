"""The jobs room with real processes: whatever happens to a worker or to the app, the state is right."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ftkit.errors import Refused
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.identity import identify
from ftkit.store.files import write_json
from tests.jobs.conftest import Yard


def until(condition, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def running(yard: Yard, artefact: str) -> int:
    """Wait until the worker counts; give its pid."""

    def counts() -> bool:
        yard.jobs.tick()
        return bool(yard.jobs.of(artefact).state == "running" and started(yard, artefact))

    until(counts)
    return yard.jobs.of(artefact).pid


def started(yard: Yard, artefact: str) -> list[str]:
    path = yard.folders.work(artefact) / "starts"
    return path.read_text().split() if path.exists() else []


def test_a_job_runs_to_its_end_and_leaves_its_result(yard: Yard) -> None:
    yard.submit("counting", "a", steps=3)
    job = yard.jobs.wait("a", 20)
    folder = yard.jobs.folder(job)
    assert job.state == "done"
    assert folder.result(job.nonce) == {"outcome": "done", "metrics": {"steps": 3}}
    assert [m["step"] for m in folder.measurements()[0]] == [1, 2, 3]
    assert folder.state()["phase"] == "counting"


def test_jobs_of_a_lane_run_one_after_another_in_order(yard: Yard) -> None:
    for name in ("a", "b", "c"):
        yard.submit("counting", name, steps=3, pause=0.05)
    assert [yard.jobs.of(n).state for n in ("b", "c")] == ["queued", "queued"]
    ended = [yard.jobs.wait(n, 30) for n in ("a", "b", "c")]
    assert [job.state for job in ended] == ["done"] * 3
    for former, later in zip(ended, ended[1:], strict=False):
        assert former.finished_at <= later.started_at


def test_asking_twice_starts_one_worker(yard: Yard) -> None:
    first = yard.submit("counting", "a", steps=5)
    again = yard.jobs.submit("counting", "a")
    assert again.id == first.id
    yard.jobs.wait("a", 20)
    assert len(started(yard, "a")) == 1


def test_errors_become_states_with_words(yard: Yard) -> None:
    words = {}
    for how in ("refused", "crash", "vanish"):
        yard.submit("failing", how, how=how)
        job = yard.jobs.wait(how, 20)
        words[how] = (job.state, job.error["key"])
    assert words == {
        "refused": ("failed", "test.no"),
        "crash": ("failed", "jobs.failed"),
        "vanish": ("lost", "jobs.vanished"),
    }
    assert yard.jobs.of("crash").error["values"]["reason"] == "ZeroDivisionError: division by zero"
    assert "Traceback" in yard.jobs.folder(yard.jobs.of("crash")).log_tail()


@pytest.mark.parametrize("deaf", [False, True])
def test_stop_leaves_no_process_within_15_seconds(yard: Yard, deaf: bool) -> None:
    yard.submit("counting", "a", steps=1000, deaf=deaf)
    pid = running(yard, "a")
    child = int((yard.folders.work("a") / "child").read_text())
    begun = time.monotonic()
    yard.jobs.stop("a")
    job = yard.jobs.wait("a", 15)
    assert job.state == "stopped"
    until(lambda: identify(pid) is None and identify(child) is None, 15 - (time.monotonic() - begun))


def test_a_queued_job_is_stopped_without_ever_starting(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000)
    yard.submit("counting", "b")
    assert yard.jobs.stop("b").state == "stopped"
    assert not started(yard, "b")
    with pytest.raises(Refused):
        yard.jobs.stop("b")


def test_a_killed_worker_is_noticed_and_can_start_again(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000)
    pid = running(yard, "a")
    psutil.Process(int((yard.folders.work("a") / "child").read_text())).kill()
    os.kill(pid, signal.SIGKILL)
    job = yard.jobs.wait("a", 15)
    assert (job.state, job.error["key"]) == ("lost", "jobs.vanished")
    write_json(yard.folders.work("a") / "inputs.json", {"steps": 2})
    yard.jobs.submit("counting", "a")
    assert yard.jobs.wait("a", 20).state == "done"


def test_a_restarted_app_adopts_the_worker(yard: Yard) -> None:
    """The first app is killed in mid-run; the worker goes on and the second app sees it to its end."""
    write_json(yard.folders.work("a") / "inputs.json", {"steps": 40, "pause": 0.1})
    script = (
        "import sys, time; from pathlib import Path; from tests.jobs.conftest import Yard\n"
        "yard = Yard(Path(sys.argv[1])); yard.jobs.submit('counting', 'a'); time.sleep(600)"
    )
    app = subprocess.Popen([sys.executable, "-c", script, str(yard.home)], cwd=Path(__file__).parents[2])
    folder = JobFolder(yard.folders.work("a"))
    until(lambda: folder.state().get("step", 0) >= 3)
    app.kill()
    app.wait()
    before = folder.state()["step"]
    yard.jobs.tick()
    assert yard.jobs.of("a").state == "running"
    until(lambda: folder.state()["step"] > before)
    job = yard.jobs.wait("a", 20)
    assert job.state == "done"
    assert len(started(yard, "a")) == 1
    assert [m["step"] for m in folder.measurements()[0]] == list(range(1, 41))


def test_a_reused_pid_is_never_taken_for_the_worker(yard: Yard) -> None:
    yard.submit("counting", "a", steps=1000)
    pid = running(yard, "a")
    job = yard.jobs.of("a")
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        psutil.Process(int((yard.folders.work("a") / "child").read_text())).kill()
        os.kill(pid, signal.SIGKILL)
        until(lambda: identify(pid) is None)
        folder = yard.jobs.folder(job)
        worker = folder.registered(job.nonce)
        folder.register(worker._replace(pid=stranger.pid), job.nonce)
        yard.jobs.stop("a")
        assert yard.jobs.wait("a", 15).state == "stopped"
        yard.submit("counting", "a", steps=1000)
        os.kill(running(yard, "a"), signal.SIGKILL)
        job = yard.jobs.of("a")
        worker = folder.registered(job.nonce)
        folder.register(worker._replace(pid=stranger.pid), job.nonce)
        assert yard.jobs.wait("a", 15).state == "lost"
        assert stranger.poll() is None, "neither the stop nor the end of a lost worker touched it"
    finally:
        stranger.kill()
        stranger.wait()


def test_two_supervisors_start_each_job_once(yard: Yard) -> None:
    import threading

    other = yard.another()
    for n in range(4):
        yard.submit("counting", f"j{n}", steps=2, pause=0.02)
    threads = [
        threading.Thread(target=jobs.wait, args=(f"j{n}", 40))
        for jobs in (yard.jobs, other)
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [yard.jobs.of(f"j{n}").state for n in range(4)] == ["done"] * 4
    assert [len(started(yard, f"j{n}")) for n in range(4)] == [1] * 4


def test_after_an_older_database_came_back_no_finished_job_runs_again(yard: Yard) -> None:
    yard.submit("counting", "first", steps=5, pause=0.2)
    yard.submit("counting", "later", steps=2)
    [database] = yard._databases
    backup = database.back_up()
    yard.jobs.wait("later", 30)
    yard.close()
    database.file.restore(backup)
    after = yard.another()
    assert after.of("later").state == "queued"  # it is an older copy
    after.adopt_started()
    after.settle()
    after.tick()
    assert [after.of(name).state for name in ("first", "later")] == ["done", "done"]
    assert [len(started(yard, name)) for name in ("first", "later")] == [1, 1]
