"""Versions, events and states for tests of the serve page."""

from datetime import UTC, datetime
from typing import Any

from ftkit.errors import Refused
from ftkit.serving.versions.smoke import Check, Report
from ftkit.serving.versions.standing import Event, ServingState, Version

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOSTILE = '<img src=x onerror=alert(1)>"'
PASSED = Report(
    checks=(Check(prompt="Hello!", answer=f"Hi {HOSTILE}", tokens=3, seconds=0.25),), seconds=0.3, passed=True
)
FAILED = Report(
    checks=(
        Check(prompt="Hello!", answer="Hi", tokens=1, seconds=0.2),
        Check(prompt="Where?", problem="empty"),
        Check(prompt="When?", answer="Late", seconds=300, problem="slow"),
    ),
    seconds=300.2,
    passed=False,
    error=Refused("serving.live_already", "{label} is live already.", label="Old").as_dict(),
)


def version(id_: str = "v1", state: str = "live", report: Report | None = PASSED, **values: Any) -> Version:
    usual = {
        "id": id_, "target": f"run:{id_}", "label": f"Model {id_}", "engine": "resident", "state": state, "share": 0.0,
        "smoke": report and report.model_dump(mode="json"), "created_at": NOW, "changed_at": NOW,
    }  # fmt: skip
    return Version(**{**usual, **values})


def event(name: str, of: str | None = "v1", by: str = "owner", **values: Any) -> Event:
    return Event(number=1, at=NOW, event=name, version=of, by=by, values=values)


def state(**values: Any) -> ServingState:
    usual: dict[str, Any] = {
        "live": None, "canary": None, "share": 0.0, "standby": (), "trying": (), "refused": (), "events": (),
    }  # fmt: skip
    return ServingState(**{**usual, **values})
