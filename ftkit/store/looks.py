"""Queries for looks: which evaluations of a test part are done, by the rows that they looked at.

Takes and gives plain values. A line outlives its evaluation: who deletes a result has seen it all the same.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select

from ftkit.store.engine import Database
from ftkit.store.tables import looks


class Look(NamedTuple):
    """One finished evaluation of a test part; ``rows_hash`` is of the rows alone, whatever split they lie in."""

    evaluation: str
    split: str
    part: str
    rows_hash: str
    run: str
    looked_at: datetime


class Looks:
    """The looks of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, look: Look) -> int:
        """Count a look once, however often it is told; gives how many there were at its rows."""
        known = self._at(look.rows_hash)
        if look.evaluation not in known:
            with self._database.write() as connection:
                query = select(looks.c.evaluation).where(looks.c.evaluation == look.evaluation)
                if connection.execute(query).first() is None:  # another process may have been faster
                    connection.execute(insert(looks).values(**look._asdict()))
            known = self._at(look.rows_hash)
        return len(known)

    def _at(self, rows_hash: str) -> set[str]:
        query = select(looks.c.evaluation).where(looks.c.rows_hash == rows_hash)
        with self._database.read() as connection:
            return {row.evaluation for row in connection.execute(query)}
