"""What of the traffic is worth an alert.

Takes a summary and the owner's limits, gives kinds with their values. It raises nothing.
"""

from collections.abc import Iterator
from typing import Any

from ftkit.monitoring.alerts.alert import AlertKind, AlertRules
from ftkit.monitoring.traffic.summary import Share, Summary


def noticed(found: Summary, rules: AlertRules) -> Iterator[tuple[AlertKind, dict[str, Any]]]:
    """The rules that the traffic breaks, with the figures that say so."""
    about = {"hours": rules.hours, "requests": found.requests}
    if found.requests >= rules.at_least and _above(found.failed, rules.error_share):
        yield "errors", {**about, **_figures(found.failed, rules.error_share), "errors": found.errors}
    if (
        rules.p95_seconds is not None
        and found.latency.of >= rules.at_least
        and found.latency.p95 is not None
        and found.latency.p95 > rules.p95_seconds
    ):
        yield (
            "latency",
            {**about, "p95": found.latency.p95, "p50": found.latency.p50, "limit": rules.p95_seconds},
        )
    if found.thumbs_down.of >= rules.at_least and _above(found.thumbs_down, rules.down_share):
        yield "feedback", {**about, **_figures(found.thumbs_down, rules.down_share)}


def _above(share: Share, limit: float | None) -> bool:
    return limit is not None and share.low is not None and share.low > limit


def _figures(share: Share, limit: float | None) -> dict[str, Any]:
    return {"count": share.count, "of": share.of, "share": share.share, "limit": limit}
