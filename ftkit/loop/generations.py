"""The generations of the model: each one that was served, how it was measured, what its users said, and how often its traffic drifted.

Takes nothing but the services, gives frozen values, the newest generation first. Only measurements of the same rows stand under the same
``rows_hash``: whoever compares others compares rows. It measures nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import Field

from ftkit.errors import NotFound
from ftkit.evaluation.service import EvaluationService, EvaluationView
from ftkit.monitoring.drift.service import DriftService
from ftkit.monitoring.traffic.service import TrafficService
from ftkit.monitoring.traffic.summary import Share
from ftkit.records import Part, Record, Run
from ftkit.serving.versions.service import ServingService
from ftkit.serving.versions.standing import Version, VersionState

_ANSWERED: frozenset[VersionState] = frozenset({"live", "canary", "standby", "retired"})
_MOST_CHECKS = 10_000


class Measured(Record):
    """What an evaluation says of a generation."""

    evaluation: str
    part: Part
    rows: int
    rows_hash: str = Field(description="The same for the same rows.")
    metrics: dict[str, float]


class Generation(Record):
    """A model that was served. Requests, feedback and checks are those that are still kept."""

    target: str
    label: str
    run: str | None = Field(description="None for a base model and for another server.")
    before: str | None = Field(description="The run that it goes on from.")
    versions: tuple[str, ...] = Field(description="Under which it answered, the newest first.")
    state: VersionState = Field(description="Of the newest version.")
    since: datetime
    until: datetime | None = Field(description="None while it answers.")
    measured: Measured | None
    requests: int
    thumbs_down: Share
    corrections: int
    rating: float | None
    checks: int = Field(description="Drift checks that had enough requests.")
    alarms: int


class Sources(NamedTuple):
    """Where generations are told from; ``run_of`` gives the run of a target."""

    serving: ServingService
    traffic: TrafficService
    drift: DriftService
    evaluation: EvaluationService
    run_of: Callable[[str], str | None]
    run: Callable[[str], Run]


def generations(sources: Sources) -> list[Generation]:
    """All of them, the newest first."""
    by_target: dict[str, list[Version]] = {}
    for version in sorted(sources.serving.versions(), key=lambda one: one.created_at, reverse=True):
        if version.state in _ANSWERED:
            by_target.setdefault(version.target, []).append(version)
    evaluations = [view for view in sources.evaluation.all() if view.report is not None]
    made = []
    wanted = ""
    for versions in by_target.values():
        one = _generation(versions, sources, evaluations, wanted)
        wanted = wanted or (one.measured.rows_hash if one.measured else "")
        made.append(one)
    return made


def _generation(
    versions: Sequence[Version], sources: Sources, evaluations: Sequence[EvaluationView], rows_hash: str
) -> Generation:
    newest = versions[0]
    run = _run(newest.target, sources)
    since = min(one.created_at for one in versions)
    answering = any(one.state in ("live", "canary") for one in versions)
    told = [sources.traffic.summary(since, one.id) for one in versions]
    checks = [check for one in versions for check in sources.drift.checks(one.id, _MOST_CHECKS)]
    rated = [(one.rating, one.ratings) for one in told if one.rating is not None]
    return Generation(
        target=newest.target,
        label=newest.label,
        run=run.id if run else None,
        before=str(run.spec.get("start_from_run") or "") or None if run else None,
        versions=tuple(one.id for one in versions),
        state=newest.state,
        since=since,
        until=None if answering else max(one.changed_at for one in versions),
        measured=_measured(run.id, evaluations, rows_hash) if run else None,
        requests=sum(one.requests for one in told),
        thumbs_down=Share.measured(sum(one.down for one in told), sum(one.up + one.down for one in told)),
        corrections=sum(one.corrections for one in told),
        rating=sum(mean * count for mean, count in rated) / sum(count for _, count in rated)
        if rated
        else None,
        checks=sum(check.outcome in ("steady", "drift") for check in checks),
        alarms=sum(check.outcome == "drift" for check in checks),
    )


def _run(target: str, sources: Sources) -> Run | None:
    try:
        id_ = sources.run_of(target)
        return sources.run(id_) if id_ else None
    except NotFound:
        return None


def _measured(run: str, evaluations: Sequence[EvaluationView], rows_hash: str) -> Measured | None:
    """The newest measurement of the wanted rows, or else of any; that of the test part before others."""
    found = [one for view in evaluations if (one := _measurement(run, view)) is not None]
    found.sort(
        key=lambda one: (bool(rows_hash) and one.rows_hash == rows_hash, one.part == "test"), reverse=True
    )
    return next(iter(found), None)


def _measurement(run: str, view: EvaluationView) -> Measured | None:
    report: dict[str, Any] = view.report or {}
    if view.evaluation.run == run:
        metrics = report.get("tuned", {})
    else:
        metrics = report.get("others", {}).get(run, {}).get("metrics", {})
    numbers = {key: float(value) for key, value in metrics.items() if isinstance(value, int | float)}
    if not numbers:
        return None
    return Measured(
        evaluation=view.evaluation.id,
        part=view.evaluation.part,
        rows=int(report.get("rows", 0)),
        rows_hash=str(report.get("signature", {}).get("rows_hash", "")),
        metrics=numbers,
    )
