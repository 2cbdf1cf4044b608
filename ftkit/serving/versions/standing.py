"""What the gateway answers with, as pages and programs see it: versions, events, and which version a request gets.

Frozen values and one pure choice. Nothing is switched here.
"""

from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from pydantic import Field

from ftkit.records import Record
from ftkit.serving.engines.asking import EngineName

VersionState = Literal["trying", "refused", "live", "canary", "standby", "retired"]
EventName = Literal[
    "tried", "refused", "live", "canary", "promoted", "canary_ended", "rolled_back", "retired", "stopped"
]
_SHARES = 2.0**64


class Version(Record):
    """A model with the engine that serves it.

    ``trying`` is being tested before the switch, ``refused`` did not pass, ``live`` answers, ``canary`` answers a share of the
    requests, ``standby`` was live and can come back at once, ``retired`` was taken out.
    """

    id: str
    target: str = Field(description="run:…, checkpoint:…, export:…, base:… or the address of another server.")
    label: str
    engine: EngineName
    state: VersionState
    share: float = Field(description="Of the requests; while it is tested, what it shall get as a canary.")
    smoke: dict[str, Any] | None = Field(
        description="``smoke.Report``: what the test before the switch found."
    )
    created_at: datetime
    changed_at: datetime


class Event(Record):
    """One switch."""

    number: int
    at: datetime
    event: EventName
    version: str | None
    by: str
    values: dict[str, Any]


class ServingState(Record):
    """Where the gateway stands; ``share`` is the canary's."""

    live: Version | None
    canary: Version | None
    share: float
    standby: tuple[Version, ...] = Field(description="The one that a rollback brings back first.")
    trying: tuple[Version, ...]
    refused: tuple[Version, ...] = Field(description="Those that did not pass, the newest first; a few.")
    events: tuple[Event, ...] = Field(description="Newest first.")


def goes_to_canary(stickiness: str, canary: str, share: float) -> bool:
    """Whether a request of this user belongs to the canary's share; the same user always does, or never does."""
    place = int.from_bytes(sha256(f"{canary}\0{stickiness}".encode("utf-8", "replace")).digest()[:8], "big")
    return place / _SHARES < share
