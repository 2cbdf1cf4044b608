"""Drift checks: whether what users ask still looks like what the model was trained on, looked at again and again.

Takes versions of the gateway, gives checks with their reports, and says whether the checks go on. The comparing happens in the worker
``drift``; the texts that it was given are deleted with its end. What a finding means in words is the page's matter.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ftkit.errors import NotFound, Refused
from ftkit.jobs.service import Clock, Jobs, NewId
from ftkit.monitoring.drift.findings import Outcome, too_few
from ftkit.monitoring.drift.requests import asked, outcome
from ftkit.monitoring.drift.schedule import DriftCheck, DriftSettings, Standing, due_at
from ftkit.records import ENDED_STATES, Job
from ftkit.store.engine import Database
from ftkit.store.files import Folders, read_json, write_json
from ftkit.store.monitoring.choices import ChoiceTable
from ftkit.store.monitoring.drift import CheckLine, DriftTable, Fresh
from ftkit.store.monitoring.traffic import TrafficTable, Which

KIND = "drift"
LANE = "watch"
_SETTINGS = "drift"
_UNFINISHED: Outcome = "checking"
_GOOD: tuple[Outcome, ...] = ("steady", "drift", "too_few")  # it came to an end as it should
_SEED = 42
_EARLIER = 2000  # requests before the window, for the quality of answers
_LISTED = 200
_LOOK_EVERY = timedelta(seconds=30)
_AFTER_FAILURE = timedelta(minutes=15)


class TrainedOn(NamedTuple):
    """The rows that the run behind a version learned from.

    Args:
        run: its id.
        file: Parquet file of the train part.
        mapping: role → column.
    """

    run: str
    file: str
    mapping: Mapping[str, str]


class DriftService:
    """Drift checks of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        database: Database,
        folders: Folders,
        jobs: Jobs,
        clock: Clock,
        new_id: NewId,
        trained_on: Callable[[str | None], TrainedOn | None],
        on_drift: Callable[[str, dict[str, Any]], object],
    ) -> None:
        """Make it.

        Args:
            database: of the data folder.
            folders: of it.
            jobs: of it.
            clock: the time.
            new_id: another one each time.
            trained_on: says what the target of a version learned from; None where it was not trained here.
            on_drift: is told of each check that found a drift: version, and values for a sentence.
        """
        self._table = DriftTable(database)
        self._traffic = TrafficTable(database)
        self._choices = ChoiceTable(database, clock)
        self._folders = folders
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id
        self._trained_on = trained_on
        self._on_drift = on_drift
        self._look_at: datetime | None = None
        self._lock = threading.Lock()

    def settings(self) -> DriftSettings:
        """How checks are made now."""
        return DriftSettings(**(self._choices.get(_SETTINGS) or {}))

    def choose(self, settings: DriftSettings) -> None:
        """Make them so from now on."""
        self._choices.put(_SETTINGS, settings.model_dump())

    def start_check(self, version: str | None = None) -> str:
        """Check a version now; while it is being checked already, that check's id is given.

        Args:
            version: which one; None for the one that was asked last.

        Returns:
            Id of the check.

        Raises:
            Refused: no request was kept, or the version was not trained here.
        """
        found = version or next(iter(self._table.versions()), None)
        if found is None:
            raise Refused(
                "drift.no_traffic",
                "No texts of requests are kept, so that there is nothing to compare. Turn on keeping texts and let users ask.",
            )
        reference = self._reference(found)
        if reference is None:
            raise Refused(
                "drift.no_training",
                "The model that answers as {version} was not trained here, so that there are no training rows to compare with. "
                "Serve one of your runs.",
                version=found,
            )
        return self._start(found, reference)

    def checks(self, version: str | None = None, limit: int = _LISTED) -> list[DriftCheck]:
        """Checks, the newest first."""
        self._settle()
        return [_check(line) for line in self._table.all(limit, version)]

    def get(self, id_: str) -> DriftCheck:
        """One check.

        Raises:
            NotFound: there is none with this id.
        """
        self._settle()
        line = self._table.get(id_)
        if line is None:
            raise NotFound(
                "drift.no_check", "There is no drift check {id}. Reload the page.", id=repr(id_[:80])
            )
        return _check(line)

    def latest(self, version: str | None = None) -> DriftCheck | None:
        """The newest check that has ended; None before the first."""
        return next((one for one in self.checks(version) if one.outcome != _UNFINISHED), None)

    def state(self, id_: str) -> dict[str, Any]:
        """How far a check is: the heartbeat of its worker; empty where it does not work."""
        try:
            job = self._jobs.of(id_)
        except NotFound:
            return {}
        return self._jobs.folder(job).state() if job.state not in ENDED_STATES else {}

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> DriftCheck:
        """Supervise a check until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        if self.get(id_).outcome == _UNFINISHED:
            self._jobs.wait(id_, on_look=on_look)
        return self.get(id_)

    def standing(self, version: str | None = None) -> Standing:
        """Whether checks go on as they should: of a version, or else of that which waits in vain or was asked last."""
        self._settle()
        if version is not None:
            return self._standing(version)
        found = [self._standing(one) for one in self._table.versions() if self._reference(one) is not None]
        return next((one for one in found if one.overdue), found[0] if found else Standing())

    def tick(self) -> None:
        """Write down what has ended, and start what is due. Cheap; call it often."""
        with self._lock:
            now = self._clock()
            if self._look_at is not None and now < self._look_at:
                return
            self._look_at = now + _LOOK_EVERY
        self._settle()
        settings = self.settings()
        if not settings.automatic:
            return
        for version in self._table.versions():
            reference = self._reference(version)
            if reference is not None and self._is_due(version, settings, now):
                self._start(version, reference)

    def _start(self, version: str, reference: TrainedOn) -> str:
        settings = self.settings()
        kept = self._traffic.rows(Which(version=version, texts=True), settings.window)
        line = CheckLine(
            id=f"drift-{self._new_id()}",
            version=version,
            at=self._clock(),
            begins=kept[-1]["at"] if kept else None,
            ends=kept[0]["at"] if kept else None,
            requests=len(kept),
            outcome=_UNFINISHED if kept else "too_few",
            report={} if kept else too_few("window", settings.alpha, requests=0),
        )
        id_ = self._table.add(line, _UNFINISHED)
        if id_ != line.id or not kept:
            return id_
        before = self._traffic.rows(Which(version=version, until=line.begins), _EARLIER)
        inputs = {
            "window": [{**outcome(row), "text": asked(row["messages"])} for row in reversed(kept)],
            "earlier": [outcome(row) for row in reversed(before)],
            "reference": {"run": reference.run, "file": reference.file, "mapping": dict(reference.mapping)},
            "alpha": settings.alpha,
            "seed": _SEED,
        }
        write_json(self._folders.work(id_) / "inputs.json", inputs)
        self._jobs.submit(KIND, id_, lane=LANE)
        return id_

    def _settle(self) -> None:
        """Write down how the checks that have ended came out; whoever is first also tells of a drift."""
        for line in self._table.all(_LISTED, outcomes=[_UNFINISHED]):
            report = self._result(line)
            if report is None or not self._table.finish(line.id, _UNFINISHED, report["outcome"], report):
                continue
            for name in ("inputs.json", "report.json"):
                (self._folders.work(line.id) / name).unlink(missing_ok=True)
            if report["outcome"] == "drift":
                self._on_drift(line.version, _told(line.id, report))

    def _result(self, line: CheckLine) -> dict[str, Any] | None:
        """What a check came to; None while it goes on."""
        try:
            job = self._jobs.of(line.id)
        except NotFound:  # the process ended between the two
            young = self._clock() - line.at < _AFTER_FAILURE
            return None if young else {"outcome": "failed", "findings": []}
        if job.state not in ENDED_STATES:
            return None
        report = read_json(self._folders.work(line.id) / "report.json") if job.state == "done" else None
        return report or {"outcome": "failed", "state": job.state, "error": job.error, "findings": []}

    def _reference(self, version: str) -> TrainedOn | None:
        return self._trained_on(self._table.target(version))

    def _standing(self, version: str) -> Standing:
        settings = self.settings()
        good, ended = self._newest(version, _GOOD), self._newest(version, (*_GOOD, "failed"))
        fresh = self._fresh(version, good, settings)
        due = (
            due_at(settings, good.at if good else None, fresh.first_at, fresh.enough_at)
            if settings.automatic
            else None
        )
        return Standing(
            version=version,
            last_at=good.at if good else None,
            due_at=due,
            overdue=due is not None and self._clock() >= due + settings.patience,
            outcome=_check(ended).outcome if ended else None,
            waiting=fresh.requests,
        )

    def _is_due(self, version: str, settings: DriftSettings, now: datetime) -> bool:
        last = self._newest(version, None)
        if last is not None and last.outcome == _UNFINISHED:
            return False
        if last is not None and last.outcome == "failed" and now < last.at + _AFTER_FAILURE:
            return False
        good = self._newest(version, _GOOD)
        fresh = self._fresh(version, good, settings)
        due = due_at(settings, good.at if good else None, fresh.first_at, fresh.enough_at)
        return due is not None and now >= due

    def _newest(self, version: str, outcomes: Sequence[Outcome] | None) -> CheckLine | None:
        return next(iter(self._table.all(1, version, outcomes)), None)

    def _fresh(self, version: str, last: CheckLine | None, settings: DriftSettings) -> Fresh:
        return self._table.fresh(version, last.ends if last else None, settings.every_requests)


def _check(line: CheckLine) -> DriftCheck:
    return DriftCheck.model_validate(line._asdict())


def _told(id_: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the sentence of an alert."""
    drifted = [line for line in report["findings"] if line["drifted"]]
    return {
        "check": id_,
        "cause": report["cause"],
        "kinds": [line["kind"] for line in drifted],
        "words": list(drifted[0]["words"]),
        "value": drifted[0]["value"],
        "reference": drifted[0]["reference"],
        "requests": report["requests"],
    }
