"""What every worker process shares: registration, heartbeat, stop requests, errors turned into a result.

Takes the job folder from the command line, and the descriptor of its lock where a launcher started it. It imports nothing heavy, so
that a worker is registered and beating within a second of its start.
"""

import contextlib
import faulthandler
import fcntl
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
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
_REMEMBERED_STEPS = 50
_OOM_SCORE = Path("/proc/self/oom_score_adj")
_OOM_SCORE_ADJ = "800"  # of 1000
# What PyTorch's allocators and the drivers below them say.
_CARD_IS_FULL = ("CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
_NO_MEMORY = ("can't allocate memory", "not enough memory", "Cannot allocate memory")


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


class _Pace:
    """When the work last got on, and how long its steps take.

    Times are of the clock that counts from the start of the machine: it is the same in all processes and never jumps.
    """

    def __init__(self) -> None:
        self.progressed = time.monotonic()
        self._at: tuple[str, int] = ("", 0)
        self._steps: deque[float] = deque(maxlen=_REMEMBERED_STEPS)

    def reached(self, phase: str, step: int) -> None:
        """The work is at this step; it got on if it was not there before."""
        if (phase, step) == self._at:
            return
        now, former = time.monotonic(), self._at
        if phase == former[0] and step > former[1]:
            self._steps.append((now - self.progressed) / (step - former[1]))
        self._at = (phase, step)
        self.progressed = now

    def touch(self) -> None:
        """The work got on within a step."""
        self.progressed = time.monotonic()

    @property
    def step_seconds(self) -> float:
        """The median step; 0 while there was none."""
        return median(self._steps) if self._steps else 0.0


class Worker:
    """One job from the worker's side; use as ``with Worker(folder) as worker``."""

    def __init__(self, path: Path) -> None:
        self.folder = JobFolder(path)
        self.path = path
        self.inputs: dict[str, Any] = read_json(path / "inputs.json") or {}
        self._state: dict[str, Any] = {"phase": "starting"}
        self._state_lock = threading.Lock()
        self._pace = _Pace()
        self._signalled = threading.Event()
        self._ended = threading.Event()
        self._ending = threading.Lock()
        self._nothing_to_lose = threading.Event()

    def progress(self, phase: str, step: int = 0, steps: int = 0, waiting: bool = False, **more: Any) -> None:
        """Say what is being done; shown by the page and the command line within a second.

        Args:
            phase: a word of the catalogue, e.g. ``loading``, ``training``, ``evaluating``.
            step: how many of ``steps`` are done; 0 of 0 where it cannot be told.
            steps: how many there are.
            waiting: it waits for others, so that nothing new for a long time means nothing.
            **more: further values for the reader, e.g. ``port``.
        """
        with self._state_lock:
            self._pace.reached(phase, step)
            self._state |= {**more, "phase": phase, "step": step, "steps": steps, "waiting": waiting}
        reach("job.progress")
        self._beat()

    def advance(self) -> None:
        """Say that the work gets on, within a step that may take long."""
        self._pace.touch()

    def measure(self, **values: Any) -> None:
        """Append one line to ``metrics.jsonl``."""
        reach("metrics.append")
        append_lines(self.folder.metrics, [{"time": time.time(), **values}])
        self._pace.touch()

    def event(self, name: str, **values: Any) -> None:
        """Write down for the run's history that something happened, e.g. ``checkpoint_set_aside``."""
        with contextlib.suppress(OSError):  # a full disk must not end the work that could still be saved
            self.folder.note_event(name, datetime.now(UTC), by="worker", values=values)

    def stop_asked(self) -> bool:
        """Whether somebody wants this job to end at its next safe point."""
        return self._signalled.is_set() or self.folder.stop_asked()

    def pause_asked(self) -> bool:
        """Whether that was a pause: it may take all the time that saving needs."""
        request = self.folder.request() if self.folder.stop_asked() else None
        return request is not None and request.how == "pause" and not self._signalled.is_set()

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
            self.folder.beat(
                **self._state,
                time=time.time(),
                monotonic=time.monotonic(),
                progressed=self._pace.progressed,
                step_seconds=round(self._pace.step_seconds, 6),
            )

    def _keep_beating(self) -> None:
        while not self._ended.wait(_BEAT_SECONDS):
            with contextlib.suppress(OSError):  # a full disk must not end the work that could still be saved
                self._beat()


def run(
    job: Callable[[Worker], Mapping[str, Any]],
    smaller: Callable[[Worker], Mapping[str, Any]] | None = None,
    deadline: float | None = None,
) -> None:
    """Run a worker to its end; the body of each worker module's ``__main__``.

    Args:
        job: does the work and returns the metrics of the result; raises ``Stopped`` when it was stopped.
        smaller: options with which the job would need less memory; asked when memory ran out.
        deadline: seconds after a signal in which it is to save and end; then it is ended, and what is not saved is lost. None
            where it is not.
    """
    path = Path(sys.argv[1]).resolve()
    worker = Worker(path)
    nonce = worker.folder.nonce()
    lock = _lock(path)
    identity = identify(os.getpid())
    assert identity is not None, "this process is alive"  # noqa: S101
    _die_first()
    _tell_where()
    signal.signal(signal.SIGTERM, worker._on_signal)
    signal.signal(signal.SIGINT, worker._on_signal)
    if deadline is not None:
        _keep_deadline(worker, nonce, lock, deadline)
    worker.folder.register(identity, nonce)
    _reserve(path)
    threading.Thread(target=worker._keep_beating, daemon=True).start()
    _end(worker, nonce, lock, *_outcome(job, worker, smaller))


def _end(worker: Worker, nonce: str, lock: int, outcome: str, result: dict[str, Any]) -> None:
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
    os.close(lock)
    with contextlib.suppress(OSError):  # the log is on the full disk, too
        reserve.unlink(missing_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0 if outcome != "failed" else 1)  # native threads of the libraries may hang an orderly exit


def _reserve(path: Path) -> None:
    with contextlib.suppress(OSError):
        (path / "reserve").write_bytes(os.urandom(_RESERVE))  # zeros would take no room on some file systems


def _keep_deadline(worker: Worker, nonce: str, lock: int, seconds: float) -> None:
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
        _end(worker, nonce, lock, "stopped", {})

    threading.Thread(target=end, daemon=True, name="deadline").start()


def _lock(path: Path) -> int:
    """The descriptor that holds the folder's lock: inherited from a launcher, else taken here."""
    if len(sys.argv) > 2:  # noqa: PLR2004 - the folder and the descriptor
        descriptor = int(sys.argv[2])
        os.set_inheritable(
            descriptor, False
        )  # whatever this worker starts shall not outlive it with the lock
        return descriptor
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a second worker in one folder ends here
    return descriptor


def _die_first() -> None:
    """Where the kernel must end a process for want of memory, let it be this one and not the dashboard."""
    with contextlib.suppress(OSError):  # no Linux, or a stricter container
        _OOM_SCORE.write_text(_OOM_SCORE_ADJ)


def _tell_where() -> None:
    """On SIGUSR1, and on a crash in native code, write the stack of each thread into the log."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)


def _outcome(
    job: Callable[[Worker], Mapping[str, Any]],
    worker: Worker,
    smaller: Callable[[Worker], Mapping[str, Any]] | None,
) -> tuple[str, dict[str, Any]]:
    try:
        return "done", {"metrics": dict(job(worker))}
    except Stopped:
        return "paused" if worker.pause_asked() else "stopped", {}
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
        fault = out_of_memory(error, lambda: smaller(worker) if smaller is not None else {})
        return "failed", {"error": (fault or _unexpected(error)).as_dict()}


def _unexpected(error: Exception) -> WorkerFault:
    return WorkerFault("jobs.failed", "{reason}", reason=f"{type(error).__name__}: {error}".strip()[:600])


def out_of_memory(error: Exception, smaller: Callable[[], Mapping[str, Any]]) -> WorkerFault | None:
    """The sentence for an error that means that memory could not be had; None for any other.

    Args:
        error: of Python, torch or a driver; told by its name and text, for torch is not imported here.
        smaller: gives options with which the job would need less, as the next thing to try.
    """
    text = str(error)
    on_card = type(error).__name__ == "OutOfMemoryError" or any(words in text for words in _CARD_IS_FULL)
    if not (on_card or isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY)):
        return None
    reason = text.strip().partition("\n")[0][:300] or type(error).__name__
    changes = ", ".join(f"{name} {value}" for name, value in smaller().items())
    if on_card and changes:
        return WorkerFault(
            "jobs.card_memory",
            "The graphics card's memory ran out ({reason}). Start again with {changes}.",
            reason=reason,
            changes=changes,
        )
    if changes:
        return WorkerFault(
            "jobs.memory",
            "Memory ran out ({reason}). Start again with {changes}.",
            reason=reason,
            changes=changes,
        )
    return WorkerFault(
        "jobs.memory_plain",
        "Memory ran out ({reason}). End other programs or choose something smaller, then start again.",
        reason=reason,
    )


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
