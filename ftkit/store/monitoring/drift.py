"""Queries for drift checks, and for how much traffic waits to be checked.

Takes and gives plain values; only requests whose texts are kept count. It decides nothing about when a check is due.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, null, select, update

from ftkit.store.engine import Database
from ftkit.store.tables import drift_checks, served_versions, traffic

_TEXTS_KEPT = traffic.c.messages.is_not(null())


class CheckLine(NamedTuple):
    """One check of the table."""

    id: str
    version: str
    at: datetime
    begins: datetime | None
    ends: datetime | None
    requests: int
    outcome: str
    report: dict[str, Any]


class Fresh(NamedTuple):
    """Requests that came after a moment: how many, when the first one did, and when the n-th; None where there is none."""

    requests: int
    first_at: datetime | None
    enough_at: datetime | None


class DriftTable:
    """The checks of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, line: CheckLine, unfinished: str) -> str:
        """Keep a check; while another one of its version has the outcome ``unfinished``, that one's id is given instead."""
        query = select(drift_checks.c.id).where(
            drift_checks.c.version == line.version, drift_checks.c.outcome == unfinished
        )
        with self._database.write() as connection:
            running = connection.execute(query).scalar()
            if running is not None:
                return str(running)
            connection.execute(insert(drift_checks).values(**line._asdict()))
        return line.id

    def finish(self, id_: str, unfinished: str, outcome: str, report: Mapping[str, Any]) -> bool:
        """Write down how a check ended; tells whether nobody else has done so."""
        query = (
            update(drift_checks)
            .where(drift_checks.c.id == id_, drift_checks.c.outcome == unfinished)
            .values(outcome=outcome, report=dict(report))
        )
        with self._database.write() as connection:
            return bool(connection.execute(query).rowcount)

    def all(
        self, limit: int, version: str | None = None, outcomes: Sequence[str] | None = None
    ) -> list[CheckLine]:
        """Checks, the newest first."""
        query = select(drift_checks).order_by(drift_checks.c.at.desc(), drift_checks.c.id).limit(limit)
        if version is not None:
            query = query.where(drift_checks.c.version == version)
        if outcomes is not None:
            query = query.where(drift_checks.c.outcome.in_(outcomes))
        with self._database.read() as connection:
            return [CheckLine(*line) for line in connection.execute(query)]

    def get(self, id_: str) -> CheckLine | None:
        """One check."""
        with self._database.read() as connection:
            line = connection.execute(select(drift_checks).where(drift_checks.c.id == id_)).first()
        return None if line is None else CheckLine(*line)

    def versions(self) -> list[str]:
        """Versions with requests whose texts are kept, that with the newest one first."""
        query = (
            select(traffic.c.version)
            .where(_TEXTS_KEPT)
            .group_by(traffic.c.version)
            .order_by(func.max(traffic.c.at).desc())
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def fresh(self, version: str, after: datetime | None, enough: int) -> Fresh:
        """What came to a version after a moment; ``enough`` is the n of the n-th."""
        these: ColumnElement[bool] = and_(traffic.c.version == version, _TEXTS_KEPT)
        if after is not None:
            these = and_(these, traffic.c.at > after)
        nth = select(traffic.c.at).where(these).order_by(traffic.c.at).offset(enough - 1).limit(1)
        with self._database.read() as connection:
            count = int(connection.execute(select(func.count()).where(these)).scalar() or 0)
            first = connection.execute(
                select(traffic.c.at).where(these).order_by(traffic.c.at).limit(1)
            ).scalar()
            return Fresh(count, first, connection.execute(nth).scalar())

    def target(self, version: str) -> str | None:
        """What a version answers with, such as ``run:…``; None where it is no version of the gateway."""
        query = select(served_versions.c.target).where(served_versions.c.id == version)
        with self._database.read() as connection:
            return connection.execute(query).scalar()
