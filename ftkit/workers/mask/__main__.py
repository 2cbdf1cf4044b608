"""The resident masker: ``{"texts": […]}`` comes back as ``{"masked": [{"text", "found": {kind: count}}, …]}``.

It finds what ``ftkit.data.health.personal`` finds, by form and checksum. It answers one client after another, ends after ten idle minutes,
and keeps nothing: neither in files nor in its log.
"""

import contextlib
import sys
import time
import traceback
from collections import Counter
from typing import Any

import psutil

from ftkit.data.health.personal import PersonalData, hidden, load_finder
from ftkit.errors import WorkerFault
from ftkit.jobs.messages import send
from ftkit.workers.answers.door import Door, Waiting
from ftkit.workers.harness import Worker, run

IDLE_SECONDS = 600.0
_LOOK_SECONDS = 0.5
_MEGABYTE = 1024**2


def mask(finder: PersonalData, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    masked = []
    for text in request["texts"]:
        spans = finder.find(text)
        masked.append({"text": hidden(text, spans), "found": dict(Counter(span.kind for span in spans))})
    return {"masked": masked}


def serve(worker: Worker) -> dict[str, Any]:
    """Answer requests until told to stop, or until nobody has asked for ``IDLE_SECONDS``."""
    load_finder()  # seconds, which no request should wait for
    finder, answered = PersonalData(), 0
    with Door((worker.path / "key").read_bytes()) as door:
        worker.progress("ready", waiting=True, port=door.port, memory_mb=_memory_mb())
        idle_since = time.monotonic()
        while not worker.stop_asked() and time.monotonic() - idle_since < IDLE_SECONDS:
            client = door.next(_LOOK_SECONDS)
            if client is None:
                continue
            worker.progress("masking", port=door.port)
            answered += _answer(finder, client)
            worker.progress("ready", waiting=True, port=door.port, memory_mb=_memory_mb())
            idle_since = time.monotonic()
        worker.progress("stopping", port=None)
    return {"answered": answered}


def _answer(finder: PersonalData, client: Waiting) -> bool:
    """Answer one client; tells whether it got its answer."""
    with client.connection, contextlib.suppress(OSError):
        send(client.connection, _reply(finder, client.request))
        send(client.connection, {"end": True})
        return True
    return False


def _reply(finder: PersonalData, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return mask(finder, request)
    except Exception as error:  # noqa: BLE001 - one request that fails must not end the worker
        # What an exception says may hold what was asked: its place is told, and its kind.
        sys.stderr.write("".join([f"{type(error).__name__}\n", *traceback.format_tb(error.__traceback__)]))
        fault = WorkerFault("jobs.failed", "{reason}", reason=type(error).__name__)
        return {"error": fault.as_dict()}


def _memory_mb() -> int:
    return int(psutil.Process().memory_info().rss) // _MEGABYTE


if __name__ == "__main__":
    run(serve)
