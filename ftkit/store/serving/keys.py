"""Queries for the keys of the gateway.

Takes and gives plain values. A key's secret never comes here, only its hash; what a key may do is decided by the room.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select, update

from ftkit.store.engine import Database
from ftkit.store.tables import api_keys, traffic


class KeyLine(NamedTuple):
    """One of the table."""

    id: str
    name: str
    hash: str
    hint: str
    scopes: list[str]
    requests_per_minute: int | None
    tokens_per_day: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyTable:
    """The keys of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, line: KeyLine) -> None:
        """Keep one more."""
        with self._database.write() as connection:
            connection.execute(insert(api_keys).values(**line._asdict()))

    def all(self) -> list[KeyLine]:
        """All of them, the newest first."""
        query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        with self._database.read() as connection:
            return [KeyLine(*line) for line in connection.execute(query)]

    def get(self, id_: str) -> KeyLine | None:
        """One by its id."""
        with self._database.read() as connection:
            line = connection.execute(select(api_keys).where(api_keys.c.id == id_)).first()
        return None if line is None else KeyLine(*line)

    def by_hash(self, hash_: str) -> KeyLine | None:
        """One by the hash of its secret."""
        with self._database.read() as connection:
            line = connection.execute(select(api_keys).where(api_keys.c.hash == hash_)).first()
        return None if line is None else KeyLine(*line)

    def note_used(self, id_: str, at: datetime) -> None:
        """When it was used last."""
        with self._database.write() as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == id_).values(last_used_at=at))

    def revoke(self, id_: str, at: datetime) -> None:
        """End it; the first end stays."""
        query = update(api_keys).where(api_keys.c.id == id_, api_keys.c.revoked_at.is_(None))
        with self._database.write() as connection:
            connection.execute(query.values(revoked_at=at))

    def tokens_since(self, id_: str, since: datetime) -> int:
        """Tokens of prompts and answers that the traffic log counts for a key."""
        tokens = func.coalesce(traffic.c.prompt_tokens, 0) + func.coalesce(traffic.c.answer_tokens, 0)
        query = select(func.coalesce(func.sum(tokens), 0)).where(traffic.c.key == id_, traffic.c.at >= since)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())
