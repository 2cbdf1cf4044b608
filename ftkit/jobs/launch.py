"""Starting and ending worker processes: detached, logging to a file, never through a pipe.

Takes the module name of a worker and its folder. It knows nothing of states or of the queue.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import psutil

from ftkit.jobs.folder import JobFolder
from ftkit.jobs.identity import Identity, identify, is_alive


class Launcher:
    """Starts workers on this machine; remembers its own children only to reap them."""

    def __init__(self, environment: Mapping[str, str], package: str = "ftkit.workers") -> None:
        self._environment = dict(environment)
        self._package = package
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, kind: str, folder: JobFolder) -> Identity | None:
        """Start ``python -m <package>.<kind> <folder>`` in a session of its own.

        Returns its identity, or None when it ended at once.
        """
        with folder.log.open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                [sys.executable, "-m", f"{self._package}.{kind}", str(folder.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder.path,
                env=self._environment,
                start_new_session=True,
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


def is_locked(folder: Path) -> bool:
    """Whether a worker holds the folder's lock."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def end_tree(identity: Identity, patience: float, spared: Collection[int] = ()) -> None:
    """End a worker and all its descendants: ask, wait ``patience`` seconds, then kill what is left.

    Args:
        identity: the worker.
        patience: seconds.
        spared: pids among its descendants that go on, with their own.
    """
    if not is_alive(identity):
        return
    family = [psutil.Process(identity.pid)]
    try:
        family += _descendants(family[0], spared)
    except psutil.NoSuchProcess:
        return
    _signal(family[:1], signal.SIGTERM)  # the worker ends its own children in order
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and _running(family):
        time.sleep(0.1)
    _signal(_running(family), signal.SIGKILL)
    psutil.wait_procs(family, timeout=3)


def _descendants(process: psutil.Process, spared: Collection[int]) -> list[psutil.Process]:
    children = [child for child in process.children() if child.pid not in spared]
    below = []
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            below += _descendants(child, spared)
    return children + below


def _running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)  # psutil checks the start time first
        except psutil.NoSuchProcess:
            continue
