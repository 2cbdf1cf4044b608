"""What an engine is asked and what it gives: the one form that all engines share.

Records and a protocol. Nothing is asked here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import Field

from ftkit.records import Record

EngineName = Literal["resident", "llamacpp", "upstream"]


class Source(NamedTuple):
    """Where a version's model lies: the base model's folder with that of the adapter or of the whole tuned model on top, a GGUF file,
    or the address of another OpenAI-compatible server with the model's name there. ``strength`` is the share of an adapter's change.
    """

    label: str
    model: Path | None = None
    tuned: Path | None = None
    gguf: Path | None = None
    strength: float = 1.0
    url: str = ""
    name: str = ""
    run: str = ""


class Asked(Record):
    """One request. Either ``messages``, which go through the chat template, or ``prompt``, which is taken as it is."""

    messages: tuple[dict[str, Any], ...] = ()
    prompt: str = ""
    max_tokens: int = Field(default=256, ge=1)
    temperature: float = Field(default=1.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    stop: tuple[str, ...] = Field(default=(), description="The answer ends before the first of these.")


class Answer(Record):
    """An answer so far: the whole text, not the newest piece."""

    text: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    finish: Literal["", "stop", "length"] = Field(default="", description="Empty until it has ended.")
    confidence: float | None = Field(
        default=None,
        description="Mean probability that the model gave the tokens of the answer, 0 to 1; None where unknown.",
    )


class Engine(Protocol):
    """Something that answers. May be asked by many threads at once."""

    def check(self, source: Source) -> None:
        """See before the first request that it can answer with this model.

        Raises:
            Refused: it takes no such model, or something that it needs is not installed.
        """
        ...

    def answer(self, source: Source, asked: Asked) -> Iterator[Answer]:
        """Answers so far, the last one with ``finish``; closing the iterator ends the generation of this one only.

        Raises:
            BadInput: the request does not fit the model, such as a prompt that is too long.
            Refused: the engine cannot answer now; the sentence says when.
            Fault: it failed.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...
