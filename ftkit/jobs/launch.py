"""Starting and ending worker processes: detached, logging to a file, never through a pipe.

Takes the module name of a worker and its folder. A worker is born with the lock of its folder, and carries its start's nonce in its
environment, as do all processes that it starts. It knows nothing of states or of the queue.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from ftkit.jobs.folder import JobFolder
from ftkit.jobs.identity import Identity, identify, is_alive

# Carries the nonce; by it descendants are found that have left the tree and the session of their worker.
_MARK = "FTKIT_JOB"
_LOCK_PATIENCE = 1.0  # others take a lock for a moment to see whether it is free
_KILL_ROUNDS = 5


class _Detached(subprocess.Popen[bytes]):
    """A process that outlives whoever started it: letting go of it is no mistake to warn of."""

    def __del__(self) -> None:
        if self.poll() is None:
            self.returncode = 0


class Launcher:
    """Starts workers on this machine; remembers its own children only to reap them.

    Args:
        environment: of every worker.
        package: where the workers are.
        by_kind: what workers of a kind have beside it; ``environment`` wins.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        package: str = "ftkit.workers",
        by_kind: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._environment = dict(environment)
        self._package = package
        self._by_kind = dict(by_kind or {})
        self._children: list[_Detached] = []

    def start(self, kind: str, folder: JobFolder, lock: int) -> Identity | None:
        """Start ``python -m <package>.<kind> <folder> <lock>`` in a session of its own.

        Args:
            kind: module name of the worker.
            folder: prepared for this start.
            lock: descriptor that holds the folder's lock; the worker inherits it.

        Returns:
            Its identity, or None when it ended at once.
        """
        with folder.log.open("ab") as log:
            child = _Detached(  # noqa: S603 - our own interpreter, our own module
                [sys.executable, "-m", f"{self._package}.{kind}", str(folder.path), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder.path,
                env={**self._by_kind.get(kind, {}), **self._environment, _MARK: folder.nonce()},
                start_new_session=True,
                pass_fds=(lock,),
            )
        self._children.append(child)
        return identify(child.pid)

    def reap(self) -> None:
        """Collect children that have ended, so that no zombie stays."""
        self._children = [child for child in self._children if child.poll() is None]

    def collect(self, pid: int, seconds: float = 3.0) -> None:
        """Wait until a child that has written its result is gone: a large one needs a moment for that."""
        for child in self._children:
            if child.pid == pid:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(seconds)


@contextmanager
def locking(folder: Path, patience: float = _LOCK_PATIENCE) -> Iterator[int | None]:
    """Hold the folder's lock for a while; gives its descriptor, or None where another process keeps it.

    A process that inherited the descriptor holds it on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor if _take(descriptor, patience) else None
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Whether a worker holds the folder's lock."""
    if not (folder / "lock").exists():
        return False
    with locking(folder, patience=0) as descriptor:
        return descriptor is None


def end_tree(identity: Identity | None, nonce: str, patience: float, spared: Collection[int] = ()) -> None:
    """End a worker and everything that it started: ask, wait ``patience`` seconds, then kill what is left.

    Args:
        identity: the worker; None where it is gone and only what it left behind is to be ended.
        nonce: of its start; empty for a process that was not started by a launcher.
        patience: seconds; 0 kills at once.
        spared: pids among its descendants that go on, with their own.
    """
    known = _family(identity, nonce, spared)
    if identity is not None and patience:
        _signal(known[:1], signal.SIGTERM)  # the worker ends its own children in order
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and _running(known):
            time.sleep(0.1)
    for _ in range(_KILL_ROUNDS):  # one may start another one while it is looked for
        left = _running([*known, *_family(identity, nonce, spared)])
        if not left:
            return
        _signal(left, signal.SIGKILL)
        psutil.wait_procs(left, timeout=1)


def _take(descriptor: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _family(identity: Identity | None, nonce: str, spared: Collection[int]) -> list[psutil.Process]:
    """The worker, its descendants and whoever carries its mark, as far as they run."""
    found = []
    if identity is not None and is_alive(identity):
        with contextlib.suppress(psutil.NoSuchProcess):
            worker = psutil.Process(identity.pid)
            found = [worker, *_descendants(worker, spared)]
    if nonce:
        found += [process for process in psutil.process_iter() if _carries(process, nonce)]
    return _running(found)


def _carries(process: psutil.Process, nonce: str) -> bool:
    try:
        inherited = process.as_dict(["environ"])["environ"]
    except (psutil.NoSuchProcess, OSError):
        return False
    return inherited is not None and inherited.get(_MARK) == nonce  # None where it belongs to somebody else


def _descendants(process: psutil.Process, spared: Collection[int]) -> list[psutil.Process]:
    children = [child for child in process.children() if child.pid not in spared]
    below = []
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            below += _descendants(child, spared)
    return children + below


def _running(processes: list[psutil.Process]) -> list[psutil.Process]:
    running = []
    for process in dict.fromkeys(processes):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                running.append(process)
    return running


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)  # psutil checks the start time first
