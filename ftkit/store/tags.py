"""Queries for tags: what people said of single rows of an evaluation.

Takes and gives plain values. Which words are allowed is the evaluation room's matter.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from ftkit.store.engine import Database
from ftkit.store.tables import tags


class TagTable:
    """The tags of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, evaluation: str) -> dict[int, tuple[str, ...]]:
        """The tags of every tagged row, in the order in which they were given."""
        query = (
            select(tags.c.row, tags.c.tag)
            .where(tags.c.evaluation == evaluation)
            .order_by(tags.c.row, tags.c.tagged_at, tags.c.tag)
        )
        found: dict[int, tuple[str, ...]] = {}
        with self._database.read() as connection:
            for line in connection.execute(query):
                found[line.row] = (*found.get(line.row, ()), line.tag)
        return found

    def add(
        self, evaluation: str, rows: Sequence[int], tag: str, by: str, at: datetime, most: int
    ) -> list[int]:
        """Give rows a tag, all of them or none; those that have it keep who gave it first.

        Args:
            evaluation: whose rows.
            rows: their places in the part.
            tag: a word.
            by: who says so.
            at: when.
            most: tags that one row can have.

        Returns:
            Rows that have ``most`` other tags already: where there are any, nothing was written.
        """
        with self._database.write() as connection:
            mine = tags.c.evaluation == evaluation
            having = set(connection.execute(select(tags.c.row).where(mine, tags.c.tag == tag)).scalars())
            counts = select(tags.c.row, func.count().label("rows")).where(mine).group_by(tags.c.row)
            given = {line.row: int(line.rows) for line in connection.execute(counts)}
            new = [row for row in dict.fromkeys(rows) if row not in having]
            full = [row for row in new if given.get(row, 0) >= most]
            if new and not full:
                common = {"evaluation": evaluation, "tag": tag, "tagged_by": by, "tagged_at": at}
                connection.execute(insert(tags), [{**common, "row": row} for row in new])
        return full

    def remove(self, evaluation: str, row: int, tag: str) -> None:
        """Take a tag back."""
        query = delete(tags).where(tags.c.evaluation == evaluation, tags.c.row == row, tags.c.tag == tag)
        with self._database.write() as connection:
            connection.execute(query)
