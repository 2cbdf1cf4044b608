"""Queries for alerts: one open one of a kind and version, and what became of their webhooks.

Takes and gives plain values. It sends nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update

from ftkit.store.engine import Database
from ftkit.store.tables import alerts


class AlertLine(NamedTuple):
    """One of the table."""

    id: str
    at: datetime
    kind: str
    version: str
    values: dict[str, Any]
    seen_at: datetime | None = None
    delivery: dict[str, Any] | None = None


class AlertTable:
    """The alerts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, line: AlertLine) -> bool:
        """Keep an alert, unless nobody has seen the last one of this kind and version yet; tells whether it is new."""
        open_one = select(alerts.c.id).where(
            alerts.c.kind == line.kind, alerts.c.version == line.version, alerts.c.seen_at.is_(None)
        )
        with self._database.write() as connection:
            if connection.execute(open_one.limit(1)).first() is not None:
                return False
            connection.execute(insert(alerts).values(**line._asdict()))
        return True

    def all(self, limit: int, *, unseen: bool = False) -> list[AlertLine]:
        """The newest ones."""
        query = select(alerts).order_by(alerts.c.at.desc(), alerts.c.id).limit(limit)
        if unseen:
            query = query.where(alerts.c.seen_at.is_(None))
        with self._database.read() as connection:
            return [AlertLine(**line._mapping) for line in connection.execute(query)]

    def get(self, id_: str) -> AlertLine | None:
        """One by its id."""
        with self._database.read() as connection:
            line = connection.execute(select(alerts).where(alerts.c.id == id_)).first()
        return None if line is None else AlertLine(**line._mapping)

    def see(self, now: datetime, id_: str | None = None) -> int:
        """Somebody has seen one, or all; tells how many were open."""
        query = update(alerts).where(alerts.c.seen_at.is_(None)).values(seen_at=now)
        if id_ is not None:
            query = query.where(alerts.c.id == id_)
        with self._database.write() as connection:
            return connection.execute(query).rowcount

    def undelivered(self) -> list[AlertLine]:
        """Those that wait for their webhook, the oldest first."""
        query = (
            select(alerts).where(alerts.c.delivery["state"].as_string() == "waiting").order_by(alerts.c.at)
        )
        with self._database.read() as connection:
            return [AlertLine(**line._mapping) for line in connection.execute(query)]

    def change_delivery(
        self, id_: str, made: Callable[[dict[str, Any]], dict[str, Any] | None]
    ) -> AlertLine | None:
        """Change how the delivery of an alert stands while nobody else can; ``made`` gives None where it stays as it is.

        Gives the alert where something was changed.
        """
        with self._database.write() as connection:
            line = connection.execute(select(alerts).where(alerts.c.id == id_)).first()
            changed = None if line is None else made(dict(line.delivery or {}))
            if line is None or changed is None:
                return None
            connection.execute(update(alerts).where(alerts.c.id == id_).values(delivery=changed))
        return AlertLine(**line._mapping)
