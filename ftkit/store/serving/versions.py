"""Queries for the versions that the gateway answers with, and for the events of their switches.

Takes and gives plain values; a change of several versions with its event is one transaction of the caller's. Which change is
allowed is the room's matter.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from ftkit.store.tables import served_versions, serving_events


class VersionLine(NamedTuple):
    """One of the table."""

    id: str
    target: str
    label: str
    engine: str
    state: str
    share: float
    smoke: dict[str, Any] | None
    created_at: datetime
    changed_at: datetime


class EventLine(NamedTuple):
    """One of the table."""

    number: int
    at: datetime
    event: str
    version: str | None
    by: str
    values: dict[str, Any]


def add(connection: Connection, line: VersionLine) -> None:
    """Keep one more."""
    connection.execute(insert(served_versions).values(**line._asdict()))


def get(connection: Connection, id_: str) -> VersionLine | None:
    """One by its id."""
    line = connection.execute(select(served_versions).where(served_versions.c.id == id_)).first()
    return None if line is None else VersionLine(*line)


def of_states(connection: Connection, states: Collection[str]) -> list[VersionLine]:
    """Those in one of the states, the one that changed last first."""
    query = (
        select(served_versions)
        .where(served_versions.c.state.in_(states))
        .order_by(served_versions.c.changed_at.desc(), served_versions.c.id)
    )
    return [VersionLine(*line) for line in connection.execute(query)]


def newest(connection: Connection, most: int) -> list[VersionLine]:
    """All of them, the one made last first."""
    query = (
        select(served_versions)
        .order_by(served_versions.c.created_at.desc(), served_versions.c.id)
        .limit(most)
    )
    return [VersionLine(*line) for line in connection.execute(query)]


def change(connection: Connection, id_: str, **values: Any) -> None:
    """Change some of its fields."""
    connection.execute(update(served_versions).where(served_versions.c.id == id_).values(**values))


def note(
    connection: Connection, at: datetime, event: str, version: str | None, by: str, **values: Any
) -> None:
    """Add an event."""
    line = {"at": at, "event": event, "version": version, "by": by, "values": values}
    connection.execute(insert(serving_events).values(line))


def events(connection: Connection, most: int) -> list[EventLine]:
    """The newest events first."""
    query = select(serving_events).order_by(serving_events.c.number.desc()).limit(most)
    return [EventLine(*line) for line in connection.execute(query)]
