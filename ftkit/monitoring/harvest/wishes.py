"""What is wanted of the traffic for the next dataset, and what was found: frozen values.

Nothing is looked for here.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ftkit.records import Record

Reason = Literal["corrected", "down", "up", "drift", "refused", "uncertain"]
REASONS: tuple[Reason, ...] = ("corrected", "down", "up", "drift", "refused", "uncertain")


class HarvestWishes(Record):
    """Which requests; one that fits any of the reasons is taken."""

    feedback: tuple[Literal["down", "up", "corrected"], ...] = ()
    drift: bool = Field(default=False, description="Examples of the last drift check.")
    uncertain: bool = Field(
        default=False, description="The fifth of the answers that the model was least sure of."
    )
    refused: bool = Field(default=False, description="Answers that decline.")
    since: datetime | None = None
    version: str | None = None
    limit: int = Field(default=200, ge=1, le=5000)
    diverse: bool = Field(default=False, description="Where more fit than wanted, those that differ most.")
    skip_harvested: bool = True

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All of them, in a fixed order."""
        wanted = {
            *self.feedback,
            *(name for name in ("drift", "refused", "uncertain") if getattr(self, name)),
        }
        return tuple(reason for reason in REASONS if reason in wanted)


class Candidate(Record):
    """A request that is worth learning from; its texts are masked."""

    request: str
    at: datetime
    version: str
    messages: tuple[dict[str, Any], ...]
    answer: str
    correction: str | None = None
    thumb: Literal[1, -1] | None = None
    rating: int | None = None
    confidence: float | None = None
    why: tuple[Reason, ...]

    @property
    def right(self) -> str:
        """What would be learnt: the right answer that a user gave, or else the model's own."""
        return self.correction or self.answer

    @property
    def doubtful(self) -> bool:
        """Nobody has put right an answer that was rated bad."""
        return self.correction is None and self.thumb == -1
