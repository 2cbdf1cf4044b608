"""The resident masker: ``{"texts": […]}`` comes back as ``{"masked": [{"text", "found": {kind: count}}, …]}``.

It finds what ``ftkit.data.health.personal`` finds, by form and checksum, and keeps nothing: neither in files nor in its log.
"""

from collections import Counter
from typing import Any

import psutil

from ftkit.data.health.personal import PersonalData, hidden, load_finder
from ftkit.workers.harness import Worker, run
from ftkit.workers.residents.clients import answer_clients

_MEGABYTE = 1024**2


def mask(finder: PersonalData, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    masked = []
    for text in request["texts"]:
        spans = finder.find(text)
        masked.append({"text": hidden(text, spans), "found": dict(Counter(span.kind for span in spans))})
    return {"masked": masked}


def serve(worker: Worker) -> dict[str, Any]:
    """Answer requests until told to stop, or until nobody asks any more."""
    load_finder()  # seconds, which no request should wait for
    finder = PersonalData()
    return {"answered": answer_clients(worker, lambda request: mask(finder, request), "masking", _memory_mb)}


def _memory_mb() -> int:
    return int(psutil.Process().memory_info().rss) // _MEGABYTE


if __name__ == "__main__":
    run(serve)
