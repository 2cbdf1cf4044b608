"""What every part of the monitor page has in common: it is looked at every few seconds, and shown anew only when it has changed.

Takes what a look needs to know, gives updates. It asks nobody by itself.
"""

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

PERIODS = {"hour": 1, "day": 24, "week": 7 * 24, "month": 30 * 24}  # hours


class Look(NamedTuple):
    """One look at the page: when, in which language, at which period and version."""

    at: datetime
    lang: str
    period: str = "day"
    version: str = ""
    labels: dict[str, str] = {}  # noqa: RUF012 - never changed; what the served versions are called


class Part(Protocol):
    """A part of the page."""

    shown: list[Any]

    def updates(self, look: Look) -> list[Any]:
        """One for each component of ``shown``; equal ones for equal findings."""
        ...


def mark(updates: list[Any]) -> str:
    """Changes with what would be shown."""
    return sha256(repr([str(one) for one in updates]).encode()).hexdigest()
