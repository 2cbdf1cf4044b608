"""Real train workers that are born with everything imported, so that one that is killed costs a second instead of ten.

``Nursery`` starts this module as a process of its own, which imports what a worker imports and then forks a worker for each line
that it is sent: folder, log, and what shall befall it. A worker runs the very ``harness.run`` of ``ftkit.workers.train``.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple, Self

from ftkit.settings import Settings

_KILL, _TERM = int(signal.SIGKILL), int(signal.SIGTERM)


class Fate(NamedTuple):
    """What befalls a worker when it comes to a named place of ``ftkit.failpoints`` for the n-th time; ``*`` is any place."""

    place: str = "*"
    nth: int = 0
    action: str = "none"  # kill, term, or raise:ENOSPC
    seconds_later: float = 0.0


CALM = Fate()


class Ended(NamedTuple):
    """How a worker ended; a negative ``status`` is a signal. ``places`` are those that it came to, in order."""

    status: int
    seconds: float
    after_signal: float
    places: list[str]


class Nursery:
    """Starts workers one after another; use as a context."""

    def __enter__(self) -> Self:
        environment = {**Settings.from_environment().worker_environment(), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[5])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def run(self, folder: Path, fate: Fate = CALM, log: str = "") -> Ended:
        """A worker in ``folder``, until it ends."""
        (folder / "job.json").write_text(json.dumps({"nonce": "n"}))
        for name in ("DONE", "result.json", "stop"):
            (folder / name).unlink(missing_ok=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"folder": str(folder), "fate": fate, "log": log or str(folder / "worker.log")}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return Ended(**json.loads(self._process.stdout.readline()))


def outcome(folder: Path) -> str:
    """What the worker said of its end."""
    if not (folder / "DONE").exists():
        return "none"
    return str(json.loads((folder / "result.json").read_text())["outcome"])


class _Places:
    """In place of the table of ``ftkit.failpoints``."""

    def __init__(self, fate: Fate, path: Path) -> None:
        self._fate = fate
        self._path = path
        self._reached: Counter[str] = Counter()

    def reach(self, name: str) -> None:
        with self._path.open("a") as stream:
            print(name, file=stream)
        self._reached[name] += 1
        self._reached["*"] += 1
        if self._fate.place not in ("*", name) or self._reached[self._fate.place] != self._fate.nth:
            return
        kind, _, value = self._fate.action.partition(":")
        if kind == "raise":
            import errno

            code = getattr(errno, value)
            raise OSError(code, os.strerror(code))
        if self._fate.seconds_later:
            threading.Timer(self._fate.seconds_later, self._send, [kind]).start()
        else:
            self._send(kind)

    def _send(self, kind: str) -> None:
        if kind == "term":
            self._path.with_name("signalled").touch()
        os.kill(os.getpid(), _TERM if kind == "term" else _KILL)


def _live(order: dict[str, Any]) -> None:
    from ftkit import failpoints
    from ftkit.workers import harness, train

    folder = Path(order["folder"])
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    failpoints._TABLE = _Places(Fate(*order["fate"]), folder / "places")  # type: ignore[assignment]
    sys.argv = ["train", str(folder)]
    random.seed()
    try:
        harness.run(train.job, train._DEADLINE)
    finally:
        os._exit(70)


def main() -> None:
    from ftkit.workers.training import adapter, making, whole  # noqa: F401
    from ftkit.workers.training.checkpoints import origin, saving  # noqa: F401

    for line in sys.stdin:
        order = json.loads(line)
        folder = Path(order["folder"])
        for name in ("places", "signalled"):
            (folder / name).unlink(missing_ok=True)
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            _live(order)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        signalled = folder / "signalled"
        after = time.time() - signalled.stat().st_mtime if signalled.exists() else 0.0
        places = (folder / "places").read_text().split()
        print(json.dumps(Ended(status, time.monotonic() - began, after, places)._asdict()), flush=True)


if __name__ == "__main__":
    main()
