"""What is kept of the traffic: the owner's choice, a request with its feedback, and the texts in it that are masked first.

Takes and gives frozen records. It masks nothing itself and stores nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import Field

from ftkit.records import Record

# Words of the format, not of a person.
_PLAIN = frozenset({"role", "type"})


class TrafficSettings(Record):
    """What of the gateway's traffic is kept, and for how long."""

    keep_texts: bool = Field(
        default=False, description="Whether prompts, answers, corrections and comments are kept, masked."
    )
    days: int = Field(
        default=30, ge=1, le=3650, description="Requests older than this are deleted with all that was said."
    )


class Said(Record):
    """What one key says of an answer."""

    request: str
    key: str
    at: datetime
    thumb: Literal[1, -1] | None = None
    rating: int | None = None
    correction: str | None = None
    comment: str | None = None


class TrafficRow(Record):
    """One request as it is kept; ``messages`` and ``answer`` are None where texts are not kept."""

    id: str
    at: datetime
    version: str
    key: str
    kind: Literal["chat", "completion"]
    status: int
    error: str | None = None
    streamed: bool = False
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    first_token_seconds: float | None = None
    seconds: float = 0.0
    finish: str | None = None
    confidence: float | None = None
    refused: bool | None = Field(default=None, description="Whether the answer declines; None without one.")
    personal: dict[str, int] | None = Field(
        default=None, description="Kind of personal data → how often it was masked in the prompt."
    )
    messages: tuple[dict[str, Any], ...] | None = None
    answer: str | None = None
    feedback: tuple[Said, ...] = Field(default=(), description="Of each key the newest word, oldest first.")

    @property
    def thumb(self) -> Literal[1, -1] | None:
        """The newest one."""
        return next((said.thumb for said in reversed(self.feedback) if said.thumb is not None), None)

    @property
    def rating(self) -> int | None:
        """The newest one."""
        return next((said.rating for said in reversed(self.feedback) if said.rating is not None), None)

    @property
    def correction(self) -> str | None:
        """The newest right answer that somebody gave."""
        return next((said.correction for said in reversed(self.feedback) if said.correction), None)


class Masked(NamedTuple):
    """A text without the personal data that was found in it, by kind."""

    text: str
    found: Mapping[str, int]


def texts_in(value: Any) -> Iterator[str]:
    """All texts that a person may have written, in a fixed order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _PLAIN:
                yield from texts_in(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from texts_in(inner)


def with_texts(value: Any, texts: Iterator[str]) -> Any:
    """The value with other texts in the places of ``texts_in``."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, Mapping):
        return {key: inner if key in _PLAIN else with_texts(inner, texts) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [with_texts(inner, texts) for inner in value]
    return value


def together(found: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Counts of several texts as one."""
    summed: dict[str, int] = {}
    for counts in found:
        for kind, count in counts.items():
            summed[kind] = summed.get(kind, 0) + count
    return summed
