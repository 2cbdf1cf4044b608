"""When a drift check is due, and when it should have been.

Takes the settings, the checks so far and the traffic since, gives times. It starts nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from ftkit.monitoring.drift.findings import Outcome
from ftkit.records import Record

_PATIENCE = timedelta(minutes=15)  # after which a check that is due counts as overdue, at most


class DriftSettings(Record):
    """How checks are made.

    Args:
        automatic: they start by themselves.
        window: newest requests that a check looks at.
        every_requests: new requests after which the next one is due.
        every_minutes: or minutes, if there was a new request.
        alpha: how often a check may raise a false alarm.
    """

    automatic: bool = True
    window: int = Field(default=200, ge=30, le=2000)
    every_requests: int = Field(default=200, ge=10, le=100_000)
    every_minutes: int = Field(default=1440, ge=1, le=43_200)
    alpha: float = Field(default=0.02, ge=0.005, le=0.2)

    @property
    def patience(self) -> timedelta:
        """How late a check may come: no more than a second interval."""
        return min(timedelta(minutes=self.every_minutes), _PATIENCE)


class DriftCheck(Record):
    """One check of a version; ``begins`` and ``ends`` are of the traffic that it looked at."""

    id: str
    version: str
    at: datetime
    begins: datetime | None
    ends: datetime | None
    requests: int
    outcome: Outcome
    report: dict[str, Any]


class Standing(Record):
    """Whether the checks of a version go on as they should.

    Args:
        version: whose.
        last_at: when the last check that ended well was made.
        due_at: when the next one is or was due; None where nothing new came, or checks do not start by themselves.
        overdue: it should have been made by now: nobody watches.
        outcome: of the last check, also of a failed one; empty before the first.
        waiting: new requests that no check has seen.
    """

    version: str = ""
    last_at: datetime | None = None
    due_at: datetime | None = None
    overdue: bool = False
    outcome: Outcome | None = None
    waiting: int = 0


def due_at(
    settings: DriftSettings, last_at: datetime | None, first_at: datetime | None, enough_at: datetime | None
) -> datetime | None:
    """When the next check is due; None where nothing new came.

    Args:
        settings: the intervals.
        last_at: when the last check was made.
        first_at: when the first new request came.
        enough_at: when the new request came with which there are enough of them.
    """
    if first_at is None:
        return None
    by_time = (last_at or first_at) + timedelta(minutes=settings.every_minutes)
    return min(by_time, enough_at) if enough_at is not None else by_time
