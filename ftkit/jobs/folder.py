"""A job's folder as both sides see it: what the launcher writes, what the worker writes, and in which order.

    job.json       launcher   first: id, kind, nonce
    worker.log     both       everything the worker prints, from its first line
    worker.json    worker     its identity and the nonce that it was started with
    state.json     worker     heartbeat: phase, step, steps, message, time
    metrics.jsonl  worker     one line per measurement, only ever appended
    samples.jsonl  worker     of a training run: one line per sample answer, likewise
    stop           launcher   asks the worker to stop at its next safe point
    result.json    worker     outcome, metrics or error
    DONE           worker     last: the nonce; without it the job did not end by itself

It decides nothing: ``states`` does.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftkit.jobs.identity import Identity
from ftkit.store.files import read_json, write_bytes, write_json

_LEFT_BY_A_FORMER_START = ("DONE", "result.json", "worker.json", "state.json", "stop")


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

    def prepare(self, job: str, kind: str, nonce: str) -> None:
        """Make the folder ready for a new start; metrics and log of former starts stay."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name in _LEFT_BY_A_FORMER_START:
            (self.path / name).unlink(missing_ok=True)
        write_json(self.path / "job.json", {"job": job, "kind": kind, "nonce": nonce})

    def nonce(self) -> str:
        """The nonce of the current start, or an empty string."""
        return str((read_json(self.path / "job.json") or {}).get("nonce", ""))

    def nonce_of(self, job: str) -> str:
        """The nonce of the current start if it was one of this job, else an empty string."""
        value = read_json(self.path / "job.json") or {}
        return str(value["nonce"]) if value.get("job") == job else ""

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

    def ask_to_stop(self) -> None:
        """Set the flag that the worker looks for between steps."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "stop").touch()

    def stop_asked(self) -> bool:
        """Whether the flag is set."""
        return (self.path / "stop").exists()

    def finish(self, nonce: str, outcome: str, **result: Any) -> None:
        """Called by the worker as its last act; ``outcome`` is done, failed or stopped."""
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
        return _read_lines(self.metrics, offset)

    def torn_measurements(self) -> int:
        """Lines of measurements that cannot be read; of an unfinished last one it cannot be told."""
        return _torn_lines(self.metrics)

    def sampled(self) -> list[dict[str, Any]]:
        """Sample answers, in the order in which they were written; a half-written last line waits."""
        return _read_lines(self.samples, 0)[0]

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
        os.write(descriptor, ("\n" * torn + lines).encode())
    finally:
        os.close(descriptor)


def _read_lines(path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Objects from byte ``offset`` on, and the offset behind the last whole line."""
    whole = _whole_lines(path, offset)
    return [value for line in whole.splitlines() if (value := _object(line)) is not None], offset + len(whole)


def _torn_lines(path: Path) -> int:
    return sum(_object(line) is None for line in _whole_lines(path, 0).splitlines())


def _whole_lines(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            content = stream.read()
    except FileNotFoundError:
        return b""
    return content[: content.rfind(b"\n") + 1]


def _object(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None where a crash in mid-write tore it."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
