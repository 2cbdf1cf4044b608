"""Queries for examples that a person kept.

Takes and gives their content as it stands; the order is that in which they were kept. It knows nothing of what they hold.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select

from ftkit.store.engine import Database
from ftkit.store.tables import saved_examples


class ExampleLine(NamedTuple):
    """One of the table."""

    id: str
    content: dict[str, Any]
    saved_by: str
    saved_at: datetime


class ExampleTable:
    """The examples of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, line: ExampleLine) -> None:
        """Keep one more."""
        with self._database.write() as connection:
            connection.execute(insert(saved_examples).values(**line._asdict()))

    def all(self) -> list[ExampleLine]:
        """All of them, the first one first."""
        query = select(saved_examples).order_by(saved_examples.c.saved_at, saved_examples.c.id)
        with self._database.read() as connection:
            return [ExampleLine(*line) for line in connection.execute(query)]

    def delete(self, id_: str) -> bool:
        """Forget one; tells whether it was there."""
        with self._database.write() as connection:
            done = connection.execute(delete(saved_examples).where(saved_examples.c.id == id_))
        return bool(done.rowcount)
