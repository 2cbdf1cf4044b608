"""What the owner has to know, and what became of telling another program: frozen values.

Nothing is said in words here: a sentence is made of ``kind`` and ``values`` where it is shown.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ftkit.records import Record

AlertKind = Literal["drift", "errors", "latency", "feedback", "overdue", "masking"]


class Delivery(Record):
    """How the webhook of an alert stands; ``reason`` is an error as ``FtkitError.as_dict`` has it."""

    state: Literal["waiting", "sent", "failed"]
    tries: int = 0
    at: datetime | None = Field(default=None, description="Of the last try.")
    next_at: datetime | None = None
    reason: dict[str, Any] | None = None


class Alert(Record):
    """One alert; ``version`` is empty where it is of none, ``delivery`` None where no webhook was chosen."""

    id: str
    at: datetime
    kind: AlertKind
    version: str
    values: dict[str, Any]
    seen_at: datetime | None = None
    delivery: Delivery | None = None


class AlertRules(Record):
    """When the traffic alone is worth an alert; None switches a rule off.

    A share counts as above its limit where its whole 95 % interval is: a few failures in a few requests are no alert.
    """

    hours: int = Field(default=1, ge=1, le=168, description="How much of the traffic is looked at.")
    at_least: int = Field(default=20, ge=10, le=100_000, description="Requests before anything is said.")
    error_share: float | None = Field(default=0.05, gt=0, lt=1, description="Requests that failed.")
    p95_seconds: float | None = Field(
        default=None, gt=0, description="Time of the slowest 5 % of the answers."
    )
    down_share: float | None = Field(default=0.3, gt=0, lt=1, description="Thumbs down among all thumbs.")
