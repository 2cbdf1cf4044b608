"""One request of the gateway with its answer, and what a user says of it.

Frozen records only; nothing is stored or masked here.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ftkit.records import Record


class Exchange(Record):
    """A request as the gateway saw it; texts as they were said, to be masked before they are kept."""

    id: str = Field(description="The request id that the client was told.")
    at: datetime
    version: str
    key: str = Field(description="Id of the API key; empty where the gateway asks for none.")
    kind: Literal["chat", "completion"]
    status: int
    error: str = Field(default="", description="Key of the error.")
    streamed: bool = False
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    first_token_seconds: float | None = None
    seconds: float = 0.0
    finish: Literal["", "stop", "length", "cancelled"] = ""
    confidence: float | None = None
    messages: tuple[dict[str, Any], ...] = ()
    answer: str = ""


class Feedback(Record):
    """What a user says of an answer; what is not said stays None."""

    thumb: Literal[1, -1] | None = None
    rating: int | None = Field(default=None, ge=1, le=5)
    correction: str | None = Field(default=None, max_length=32_000, description="The right answer.")
    comment: str | None = Field(default=None, max_length=4_000)
