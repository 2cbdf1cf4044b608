"""Traffic without a gateway: exchanges as it would hand them in, and a masker that needs no process and no presidio."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ftkit.data.health.personal import hidden, suspects
from ftkit.monitoring.traffic.exchange import Exchange

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def exchange(number: int = 1, said: str = "", answer: str = "It is on its way.", **values: Any) -> Exchange:
    """A request that was answered."""
    told = {
        "id": f"req-{number}",
        "at": NOON + timedelta(seconds=number),
        "version": "v1",
        "key": "k1",
        "kind": "chat",
        "status": 200,
        "prompt_tokens": 10,
        "answer_tokens": 5,
        "first_token_seconds": 0.1,
        "seconds": 0.5,
        "finish": "stop",
        "messages": ({"role": "user", "content": said or f"Where is parcel number {number}?"},),
        "answer": answer,
    }
    return Exchange(**{**told, **values})


def failed(number: int, status: int = 503, error: str = "serving.nothing_live", **values: Any) -> Exchange:
    """A request without an answer."""
    return exchange(
        number,
        answer="",
        status=status,
        error=error,
        finish="",
        answer_tokens=None,
        first_token_seconds=None,
        **values,
    )


class NearMasker:
    """Answers as the resident worker does; whatever has the rough form of personal data is ``[HIDDEN]``."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def ask(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        self.asked.append(request["texts"])
        found = [(text, suspects(text)) for text in request["texts"]]
        yield {
            "masked": [
                {"text": hidden(text, spans), "found": {"hidden": len(spans)} if spans else {}}
                for text, spans in found
            ]
        }
