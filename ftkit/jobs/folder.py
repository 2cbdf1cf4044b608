"""A job's folder as both sides see it: what the launcher writes, what the worker writes, and in which order.

    lock           both       locked by the launcher before the worker is born and handed on to it, until its end
    job.json       launcher   first: id, kind, nonce, and what proves later that memory ran out
    worker.log     both       everything the worker prints, from its first line
    worker.json    worker     its identity and the nonce that it was started with
    state.json     worker     heartbeat: phase, step, steps, time; when it last got on, by the clock of the machine's start
    metrics.jsonl  worker     one line per measurement, only ever appended
    samples.jsonl  worker     of a training run: one line per sample answer, likewise
    events.jsonl   both       one line per event in the life of the artefact's jobs, likewise
    reserve        worker     room for the result, given up when the disk is full
    stop           launcher   asks the worker to stop at its next safe point: how, and who asked
    result.json    worker     outcome, metrics or error
    DONE           worker     last: the nonce; without it the job did not end by itself

It decides nothing: ``states`` does.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ftkit.failpoints import reach
from ftkit.jobs.identity import Identity
from ftkit.store.files import flush_file, read_json, write_bytes, write_json

_LEFT_BY_A_FORMER_START = ("DONE", "result.json", "worker.json", "state.json")


class Request(NamedTuple):
    """What somebody asked of a worker.

    Args:
        how: ``stop``, or ``pause``: the same, with all the time that it takes to save.
        by: who asked.
        nonce: the start that is meant; empty for whichever runs.
    """

    how: str = "stop"
    by: str = ""
    nonce: str = ""


_STOP = Request()


class JobFolder:
    """Typed access to the files of one job."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def log(self) -> Path:
        """Everything that the worker prints."""
        return self.path / "worker.log"

    @property
    def metrics(self) -> Path:
        """One JSON object per line."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """One JSON object per line."""
        return self.path / "samples.jsonl"

    @property
    def events_file(self) -> Path:
        """One JSON object per line."""
        return self.path / "events.jsonl"

    def prepare(self, job: str, kind: str, nonce: str, **known: Any) -> None:
        """Make the folder ready for a new start; metrics, log and events of former starts stay, and so does a request to it."""
        self.path.mkdir(parents=True, exist_ok=True)
        request = self.request()
        if request is None or request.nonce != nonce:
            (self.path / "stop").unlink(missing_ok=True)
        for name in _LEFT_BY_A_FORMER_START:
            (self.path / name).unlink(missing_ok=True)
        write_json(self.path / "job.json", {"job": job, "kind": kind, "nonce": nonce, **known})

    def known(self, nonce: str) -> dict[str, Any]:
        """What the launcher wrote down for this start; empty where it did not come to that."""
        start = self._start()
        return start if start.get("nonce") == nonce else {}

    def nonce(self) -> str:
        """The nonce of the current start, or an empty string."""
        return str(self._start().get("nonce", ""))

    def nonce_of(self, job: str) -> str:
        """The nonce of the current start if it was one of this job, else an empty string."""
        start = self._start()
        return str(start["nonce"]) if start.get("job") == job else ""

    def _start(self) -> dict[str, Any]:
        """What the launcher wrote down for the current start."""
        return read_json(self.path / "job.json") or {}

    def register(self, identity: Identity, nonce: str) -> None:
        """Called by the worker once it holds the lock."""
        write_json(self.path / "worker.json", {**identity._asdict(), "nonce": nonce})

    def registered(self, nonce: str) -> Identity | None:
        """Who registered for this start."""
        value = read_json(self.path / "worker.json")
        if not value or value["nonce"] != nonce:
            return None
        return Identity(value["pid"], value["started"], value["boot_id"])

    def beat(self, **state: Any) -> None:
        """Write the heartbeat."""
        write_json(self.path / "state.json", state)

    def state(self) -> dict[str, Any]:
        """The last heartbeat, or an empty dict."""
        return read_json(self.path / "state.json") or {}

    def ask_to_stop(self, request: Request = _STOP) -> None:
        """Set the flag that the worker looks for between steps."""
        write_json(self.path / "stop", request._asdict())

    def stop_asked(self) -> bool:
        """Whether the flag is set, by a stop or by a pause."""
        return (self.path / "stop").exists()

    def request(self) -> Request | None:
        """What was asked of the worker."""
        try:
            value = read_json(self.path / "stop")
        except ValueError:
            return _STOP
        return Request(**value) if value is not None else None

    def note_event(self, event: str, time: datetime, **known: Any) -> None:
        """Append an event; events are never changed. ``known`` are further fields of ``records.Event``."""
        self.path.mkdir(parents=True, exist_ok=True)
        append_lines(self.events_file, [{"time": time.isoformat(), "event": event, **known}])

    def events(self) -> list[dict[str, Any]]:
        """All events in the order in which they happened; a half-written last line waits."""
        return _read_lines(self.events_file, 0)[0]

    def finish(self, nonce: str, outcome: str, **result: Any) -> None:
        """Called by the worker as its last act; ``outcome`` is done, failed, stopped or paused."""
        reach("job.result")
        write_json(self.path / "result.json", {"outcome": outcome, **result})
        write_bytes(self.path / "DONE", nonce.encode())

    def result(self, nonce: str) -> dict[str, Any] | None:
        """What the worker ended with; None while it has not."""
        done = self.path / "DONE"
        if not done.exists() or done.read_text() != nonce:
            return None
        return read_json(self.path / "result.json")

    def measurements(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Measurements from byte ``offset`` on, and the offset to go on from; a half-written last line waits."""
        return _read_lines(self.metrics, offset)[:2]

    def measured(self) -> tuple[list[dict[str, Any]], int]:
        """All measurements, and how many lines cannot be read; of an unfinished last one it cannot be told."""
        values, _, torn = _read_lines(self.metrics, 0)
        return values, torn

    def sampled(self) -> list[dict[str, Any]]:
        """Sample answers, in the order in which they were written; a half-written last line waits."""
        return _read_lines(self.samples, 0)[0]

    def flush(self) -> None:
        """Make measurements and sample answers survive a power loss."""
        for path in (self.metrics, self.samples):
            if path.exists():
                flush_file(path)

    def log_tail(self, limit: int = 20_000) -> str:
        """The last ``limit`` bytes of the log, from the beginning of a line."""
        try:
            with self.log.open("rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(max(0, size - limit))
                content = stream.read()
        except FileNotFoundError:
            return ""
        if size > limit:
            content = content.partition(b"\n")[2]
        return content.decode(errors="replace")


def append_lines(path: Path, values: Sequence[Mapping[str, Any]]) -> None:
    """Append one JSON object per line, in one write, so that a crash tears at most the last line.

    What a crash tore off before is ended first: it costs only itself.
    """
    lines = "".join(json.dumps(value, allow_nan=False) + "\n" for value in values)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        content = ("\n" * torn + lines).encode()
        while content:  # a disk that fills up takes a part without a word, and refuses the rest
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All objects of a file with one per line; a half-written last line waits."""
    return _read_lines(path, 0)[0]


def _read_lines(path: Path, offset: int) -> tuple[list[dict[str, Any]], int, int]:
    """Objects from byte ``offset`` on, the offset behind the last whole line, and how many lines hold none."""
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            content = stream.read()
    except FileNotFoundError:
        return [], offset, 0
    whole = content[: content.rfind(b"\n") + 1]
    lines = whole.splitlines()
    values = [value for line in lines if (value := _object(line)) is not None]
    return values, offset + len(whole), len(lines) - len(values)


def _object(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None where a crash in mid-write tore it."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
