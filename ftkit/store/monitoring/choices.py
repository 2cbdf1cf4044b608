"""Queries for what the owner chose and what outlives the process beside it: one JSON object a subject.

Takes and gives the object as it stands. It knows no subject.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from ftkit.store.engine import Database
from ftkit.store.tables import choices


class ChoiceTable:
    """The choices of one database."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def get(self, subject: str) -> dict[str, Any] | None:
        """What was chosen; None where nothing was yet."""
        with self._database.read() as connection:
            return _found(connection, subject)

    def put(self, subject: str, values: Mapping[str, Any]) -> None:
        """Choose."""
        self.change(subject, lambda _: dict(values))

    def change(self, subject: str, made: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Make the new values of the old ones while nobody else can change them; gives the new ones."""
        with self._database.write() as connection:
            former = _found(connection, subject)
            values = made(dict(former or {}))
            told = {"values": values, "changed_at": self._clock()}
            if former is None:
                connection.execute(insert(choices).values(subject=subject, **told))
            else:
                connection.execute(update(choices).where(choices.c.subject == subject).values(**told))
        return values


def _found(connection: Connection, subject: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = connection.execute(
        select(choices.c["values"]).where(choices.c.subject == subject)
    ).scalar()
    return found
