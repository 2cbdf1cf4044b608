"""Queries for requests that became rows of a dataset.

Takes ids, remembers them for as long as the dataset may be trained on. It knows no texts.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, insert, select

from ftkit.store.engine import Database
from ftkit.store.tables import harvested


class HarvestTable:
    """The harvests of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, requests: Collection[str], dataset: str, now: datetime) -> int:
        """Note that these became rows of a dataset; those that did so before stay as they are. Tells how many are new."""
        with self._database.write() as connection:
            known = set(connection.execute(select(harvested.c.request)).scalars())
            fresh = [one for one in dict.fromkeys(requests) if one not in known]
            if fresh:
                lines = [{"request": one, "dataset": dataset, "at": now} for one in fresh]
                connection.execute(insert(harvested), lines)
        return len(fresh)

    def datasets(self) -> list[tuple[str, datetime, int]]:
        """Datasets that requests became rows of, the newest first: id, when, how many requests."""
        query = (
            select(harvested.c.dataset, func.max(harvested.c.at), func.count())
            .group_by(harvested.c.dataset)
            .order_by(func.max(harvested.c.at).desc())
        )
        with self._database.read() as connection:
            return [(dataset, at, count) for dataset, at, count in connection.execute(query)]
