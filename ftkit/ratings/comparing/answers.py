"""Answers of several models beside each other, as they come and as they are kept.

Frozen records only. Nothing is asked or stored here.
"""

from typing import Any, Literal

from pydantic import Field

from ftkit.records import Record, SavedComparison


class SideAnswer(Record):
    """What one model said so far; ``cut`` says that it had not ended at the limit."""

    text: str = ""
    tokens: int = 0
    cut: bool = False
    seconds: float = Field(
        default=0.0, description="From the moment when its model began until its answer ended."
    )
    done: bool = False

    @property
    def speed(self) -> float | None:
        """Tokens a second; None where there is nothing to measure."""
        return self.tokens / self.seconds if self.tokens and self.seconds else None


class Comparison(Record):
    """All answers so far, in the order of the sides."""

    answers: tuple[SideAnswer, ...]
    seconds: float = Field(description="Since the question was sent; loading the models counts.")
    done: bool


class ListStep(Record):
    """Where a list of prompts stands: the answers to one of them so far, or why it has none."""

    prompt: int = Field(description="Its place in the list, from 0.")
    comparison: Comparison | None = None
    error: dict[str, Any] | None = None

    @property
    def done(self) -> bool:
        """Whether this prompt is through."""
        return self.comparison is None or self.comparison.done


class Row(Record):
    """One prompt with the answers of all sides; in a chat, one turn of the person's."""

    messages: tuple[dict[str, Any], ...]
    answers: tuple[SideAnswer, ...] = ()
    reference: str = ""
    error: dict[str, Any] | None = Field(default=None, description="Why there are no answers.")


class Kept(Record):
    """The content of a saved comparison."""

    kind: Literal["chat", "list"] = Field(
        description="Whether each row goes on from the one before it, or stands alone."
    )
    labels: tuple[str, ...] = Field(description="What the sides were called when it was saved.")
    sampling: dict[str, Any]
    rows: tuple[Row, ...]


class Saved(Record):
    """A saved comparison with its content."""

    record: SavedComparison
    kept: Kept
