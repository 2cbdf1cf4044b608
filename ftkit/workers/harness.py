"""What every worker process shares: registration, heartbeat, stop requests, errors turned into a result.

Takes the job folder from the command line. It imports nothing heavy, so that a worker is registered and beating within
a second of its start.
"""

import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from ftkit.errors import DiskFull, FtkitError, UserError, WorkerFault
from ftkit.failpoints import reach
from ftkit.jobs.folder import JobFolder, append_lines
from ftkit.jobs.identity import identify
from ftkit.store.disk import disk_full, is_full
from ftkit.store.files import read_json

_BEAT_SECONDS = 1.0
_LOOK_SECONDS = 0.05
# Room for the few lines that say how a job ended; given up when the disk is full.
_RESERVE = 256 * 1024


class Stopped(Exception):  # noqa: N818 - not an error: the person asked for it
    """The worker was asked to stop and has nothing more to save."""


class Paused(Exception):  # noqa: N818 - not an error of the work
    """The worker has saved and cannot go on until a person has mended something.

    Args:
        reason: what it is, and what to do.
    """

    def __init__(self, reason: FtkitError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Worker:
    """One job from the worker's side; use as ``with Worker(folder) as worker``."""

    def __init__(self, path: Path) -> None:
        self.folder = JobFolder(path)
        self.path = path
        self.inputs: dict[str, Any] = read_json(path / "inputs.json") or {}
        self._state: dict[str, Any] = {"phase": "starting"}
        self._state_lock = threading.Lock()
        self._signalled = threading.Event()
        self._ended = threading.Event()
        self._ending = threading.Lock()
        self._nothing_to_lose = threading.Event()

    def progress(self, phase: str, step: int = 0, steps: int = 0, **more: Any) -> None:
        """Say what is being done; shown by the page and the command line within a second.

        Args:
            phase: a word of the catalogue, e.g. ``loading``, ``training``, ``evaluating``.
            step: how many of ``steps`` are done; 0 of 0 where it cannot be told.
            steps: how many there are.
            **more: further values for the reader, e.g. ``port``.
        """
        with self._state_lock:
            self._state = {**self._state, **more, "phase": phase, "step": step, "steps": steps}
        reach("job.progress")
        self._beat()

    def measure(self, **values: Any) -> None:
        """Append one line to ``metrics.jsonl``."""
        reach("metrics.append")
        append_lines(self.folder.metrics, [{"time": time.time(), **values}])

    def event(self, name: str, **values: Any) -> None:
        """Write down for the run's history that something happened, e.g. ``checkpoint_set_aside``."""
        with contextlib.suppress(OSError):  # a full disk must not end the work that could still be saved
            self.folder.note_event(name, datetime.now(UTC), by="worker", values=values)

    def stop_asked(self) -> bool:
        """Whether somebody wants this job to end at its next safe point."""
        return self._signalled.is_set() or self.folder.stop_asked()

    def raise_if_stopped(self) -> None:
        """Leave the job at a point where nothing is half-made.

        Raises:
            Stopped: a stop was asked for.
        """
        if self.stop_asked():
            raise Stopped

    @contextlib.contextmanager
    def nothing_to_lose(self) -> Iterator[None]:
        """While there is nothing to save, a signal may end a worker that has a deadline at once, whatever it is doing."""
        self._nothing_to_lose.set()
        try:
            yield
        finally:
            self._nothing_to_lose.clear()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled.set()

    def _beat(self) -> None:
        with self._state_lock:
            self.folder.beat(**self._state, time=time.time())

    def _keep_beating(self) -> None:
        while not self._ended.wait(_BEAT_SECONDS):
            with contextlib.suppress(OSError):  # a full disk must not end the work that could still be saved
                self._beat()


def run(job: Callable[[Worker], Mapping[str, Any]], deadline: float | None = None) -> None:
    """Run a worker to its end; the body of each worker module's ``__main__``.

    Args:
        job: does the work and returns the metrics of the result; raises ``Stopped`` when it was stopped.
        deadline: seconds after a signal in which it is to save and end; then it is ended, and what is not saved is lost. None
            where it is not.
    """
    path = Path(sys.argv[1]).resolve()
    worker = Worker(path)
    nonce = worker.folder.nonce()
    with (path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a second worker in one folder ends here
        identity = identify(os.getpid())
        assert identity is not None, "this process is alive"  # noqa: S101
        worker.folder.register(identity, nonce)
        signal.signal(signal.SIGTERM, worker._on_signal)
        signal.signal(signal.SIGINT, worker._on_signal)
        if deadline is not None:
            _keep_deadline(worker, nonce, deadline)
        _reserve(path)
        threading.Thread(target=worker._keep_beating, daemon=True).start()
        _end(worker, nonce, *_outcome(job, worker))


def _end(worker: Worker, nonce: str, outcome: str, result: dict[str, Any]) -> None:
    """Write the result and end the process; whoever comes second waits for that."""
    worker._ending.acquire()
    worker._ended.set()
    reserve = worker.path / "reserve"
    try:
        worker.folder.finish(nonce, outcome, **result)
    except OSError as error:
        if not is_full(error):
            raise
        reserve.unlink(missing_ok=True)
        error_given = result.get("error") or disk_full(worker.path).as_dict()
        worker.folder.finish(nonce, outcome if "error" in result else "paused", error=error_given)
    with contextlib.suppress(OSError):  # the log is on the full disk, too
        reserve.unlink(missing_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0 if outcome != "failed" else 1)  # native threads of the libraries may hang an orderly exit


def _reserve(path: Path) -> None:
    with contextlib.suppress(OSError):
        (path / "reserve").write_bytes(os.urandom(_RESERVE))  # zeros would take no room on some file systems


def _keep_deadline(worker: Worker, nonce: str, seconds: float) -> None:
    """End the worker in time after a signal, even while native code keeps Python from seeing it.

    Everything that a worker leaves is written as a whole or not at all, so that it may be ended anywhere.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def end() -> None:
        while os.read(reader, 1)[0] not in (signal.SIGTERM, signal.SIGINT):
            pass
        worker._signalled.set()
        last = time.monotonic() + seconds
        while time.monotonic() < last and not worker._nothing_to_lose.is_set():
            if worker._ended.wait(_LOOK_SECONDS):
                return
        _end(worker, nonce, "stopped", {})

    threading.Thread(target=end, daemon=True, name="deadline").start()


def _outcome(job: Callable[[Worker], Mapping[str, Any]], worker: Worker) -> tuple[str, dict[str, Any]]:
    try:
        return "done", {"metrics": dict(job(worker))}
    except Stopped:
        return "stopped", {}
    except Paused as pause:
        return "paused", {"error": pause.reason.as_dict()}
    except DiskFull as error:
        return "paused", {"error": error.as_dict()}
    except FtkitError as error:
        return "failed", {"error": error.as_dict()}
    except Exception as error:  # noqa: BLE001 - the top of the worker: everything becomes a result
        if is_full(error):
            return "paused", {"error": disk_full(worker.path).as_dict()}
        with contextlib.suppress(OSError):  # a log that cannot be written must not cost the result
            traceback.print_exc()
        reason = f"{type(error).__name__}: {error}".strip()[:600]
        return "failed", {"error": WorkerFault("jobs.failed", "{reason}", reason=reason).as_dict()}


def answer(question: Callable[[dict[str, Any]], Any]) -> None:
    """Answer one question on stdin with one JSON line on stdout; the body of a short worker's ``__main__``."""
    reply: dict[str, Any]
    stdout = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not end up in the reply
    try:
        reply = {"answer": question(json.load(sys.stdin))}
    except UserError as error:
        reply = {"error": error.as_dict()}
    os.write(stdout, json.dumps(reply).encode() + b"\n")
