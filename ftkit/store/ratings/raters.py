"""Queries for raters: invite, find by the hash of a token, revoke.

Takes a connection of the caller's transaction. A token itself never comes here, only its sha256.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from ftkit.store.tables import assignments, raters, studies


class Rater(NamedTuple):
    """Somebody who was invited to one study."""

    id: str
    study: str
    name: str
    token_hash: str
    invited_at: datetime
    seen_at: datetime | None
    revoked_at: datetime | None


_BY_TOKEN = select(raters).where(raters.c.token_hash == bindparam("token_hash"))


def add(connection: Connection, rater: Rater) -> None:
    """Note a new rater."""
    connection.execute(insert(raters).values(rater._asdict()))


def of_study(connection: Connection, study: str) -> list[Rater]:
    """All raters of a study, in the order of their invitation."""
    query = select(raters).where(raters.c.study == study).order_by(raters.c.invited_at, raters.c.id)
    return [Rater(**row._mapping) for row in connection.execute(query)]


def by_token(connection: Connection, token_hash: str) -> Rater | None:
    """The rater of a token; nobody else writes to their study until the transaction ends."""
    row = connection.execute(_BY_TOKEN, {"token_hash": token_hash}).first()
    if row is not None and connection.dialect.name != "sqlite":  # which has a single writer anyway
        connection.execute(select(studies.c.study).where(studies.c.study == row.study).with_for_update())
        row = connection.execute(_BY_TOKEN, {"token_hash": token_hash}).first()  # shut out meanwhile?
    return None if row is None else Rater(**row._mapping)


def see(connection: Connection, rater: str, now: datetime) -> None:
    """Note that a rater was there."""
    connection.execute(update(raters).where(raters.c.id == rater).values(seen_at=now))


def renew(connection: Connection, study: str, rater: str, token_hash: str) -> bool:
    """Give a rater another token, and let them in again; tell whether there is such a rater."""
    query = (
        update(raters)
        .where(raters.c.id == rater, raters.c.study == study)
        .values(token_hash=token_hash, revoked_at=None)
    )
    return connection.execute(query).rowcount == 1


def revoke(connection: Connection, study: str, rater: str, now: datetime) -> bool:
    """Let a rater in no more, and others have what was given to them; tell whether there is such a rater."""
    query = update(raters).where(raters.c.id == rater, raters.c.study == study).values(revoked_at=now)
    kept = assignments.c.rater == rater, assignments.c.state == "given", assignments.c.kept_until > now
    connection.execute(update(assignments).where(*kept).values(kept_until=now))
    return connection.execute(query).rowcount == 1
