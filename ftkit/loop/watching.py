"""Watching what is served: the traffic of each version against the owner's rules, texts that were lost, drift checks that stopped.

Takes the services, raises alerts. It looks once a minute and judges by the rules of the alerts.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from ftkit.monitoring.alerts.rules import noticed
from ftkit.monitoring.alerts.service import AlertService
from ftkit.monitoring.drift.service import DriftService
from ftkit.monitoring.traffic.service import TrafficService
from ftkit.serving.versions.service import ServingService

_LOOK_EVERY = timedelta(minutes=1)


class Watch:
    """The watch over one data folder."""

    def __init__(
        self,
        serving: ServingService,
        traffic: TrafficService,
        drift: DriftService,
        alerts: AlertService,
        clock: Callable[[], datetime],
    ) -> None:
        self._serving = serving
        self._traffic = traffic
        self._drift = drift
        self._alerts = alerts
        self._clock = clock
        self._look_at: datetime | None = None
        self._lost: dict[str, int] | None = None

    def tick(self) -> None:
        """Look when a minute has passed. Cheap; call it often."""
        now = self._clock()
        if self._look_at is None or now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            self.look()

    def look(self) -> None:
        """Look now."""
        now, rules = self._clock(), self._alerts.rules()
        for version in self._serving.answering():
            summary = self._traffic.summary(now - timedelta(hours=rules.hours), version.id)
            for kind, values in noticed(summary, rules):
                self._alerts.raise_alert(kind, version.id, {"label": version.label, **values})
        standing = self._drift.standing()
        if standing.overdue:
            due_at = standing.due_at.isoformat() if standing.due_at else None
            self._alerts.raise_alert(
                "overdue", standing.version, {"due_at": due_at, "waiting": standing.waiting}
            )
        self._look_for_losses()

    def _look_for_losses(self) -> None:
        lost = self._traffic.lost()
        counts = {name: int(lost[name]) for name in ("texts", "numbers")}
        former, self._lost = self._lost, counts
        if former is None:  # what was lost before this process began was told by that one
            return
        more = {name: counts[name] - former[name] for name in counts}
        if any(count > 0 for count in more.values()):
            self._alerts.raise_alert("masking", "", {**more, "reasons": lost["reasons"]})
