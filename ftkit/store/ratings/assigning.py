"""Queries for assignments: which items may be given to a rater, and what was given already.

Takes a connection of a transaction in which nobody else writes to the study. An assignment that was given counts for its item
until ``kept_until``: a lease. How an order of answers is chosen is the ratings room's matter.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select, update

from ftkit.store.tables import assignments, rating_items, ratings


class Assignment(NamedTuple):
    """An item that was given to a rater; ``state``: given, rated or skipped."""

    id: str
    study: str
    item: str
    rater: str
    state: str
    answer_order: list[int]
    given_at: datetime
    kept_until: datetime
    draft: dict[str, Any] | None
    draft_number: int


class Who(NamedTuple):
    """For whom an item is looked for, and when."""

    study: str
    rater: str
    now: datetime


class Own(NamedTuple):
    """What a rater has had so far: items that are rated or skipped, gold and others."""

    golds: int
    others: int


def add(connection: Connection, assignment: Assignment) -> None:
    """Give an item to a rater."""
    connection.execute(insert(assignments).values(assignment._asdict()))


def own(connection: Connection, rater: str, id_: str) -> Assignment | None:
    """An assignment of this rater."""
    query = select(assignments).where(assignments.c.id == id_, assignments.c.rater == rater)
    row = connection.execute(query).first()
    return None if row is None else Assignment(**row._mapping)


def given(connection: Connection, rater: str) -> list[Assignment]:
    """What a rater has not answered yet, oldest first."""
    query = (
        select(assignments)
        .where(assignments.c.rater == rater, assignments.c.state == "given")
        .order_by(assignments.c.given_at, assignments.c.id)
    )
    return [Assignment(**row._mapping) for row in connection.execute(query)]


def change(connection: Connection, id_: str, **values: Any) -> None:
    """Change an assignment."""
    connection.execute(update(assignments).where(assignments.c.id == id_).values(**values))


def orders(connection: Connection, item: str, now: datetime) -> list[list[int]]:
    """In which orders the answers of an item were rated, or are looked at now."""
    query = select(assignments.c.answer_order).where(
        assignments.c.item == item, or_(assignments.c.state == "rated", _live(now))
    )
    return list(connection.execute(query).scalars())


def next_item(connection: Connection, who: Who, overlap: int) -> str | None:
    """The item with the fewest ratings that the rater never had and that is not full."""
    live = _others_live(who).subquery()
    taken = rating_items.c.rated + func.coalesce(live.c.leases, 0)
    query = (
        select(rating_items.c.id)
        .outerjoin(live, live.c.item == rating_items.c.id)
        .where(*_wanting(who, overlap), taken < overlap, rating_items.c.id.not_in(_had(who)))
        .order_by(taken, rating_items.c.shuffled, rating_items.c.id)
        .limit(1)
    )
    return connection.execute(query).scalar()


def has_room(connection: Connection, who: Who, item: str, overlap: int) -> bool:
    """Whether an item may still get a rating of this rater."""
    live = _others_live(who).where(assignments.c.item == item).subquery()
    leases = connection.execute(select(live.c.leases)).scalar() or 0
    rated = connection.execute(select(rating_items.c.rated).where(rating_items.c.id == item)).scalar_one()
    return int(rated) + int(leases) < overlap


def may_become(connection: Connection, who: Who, overlap: int) -> int:
    """Items that are no gold and may still get a rating of this rater, now or when others give up."""
    settled = _had(who).where(assignments.c.state != "given")
    query = select(func.count()).select_from(rating_items)
    query = query.where(*_wanting(who, overlap), rating_items.c.id.not_in(settled))
    return int(connection.execute(query).scalar_one())


def golds_left(connection: Connection, who: Who) -> list[str]:
    """Gold items that the rater never had."""
    query = select(rating_items.c.id).where(
        rating_items.c.study == who.study, rating_items.c.gold, rating_items.c.id.not_in(_had(who))
    )
    return list(connection.execute(query.order_by(rating_items.c.place)).scalars())


def golds_open(connection: Connection, who: Who) -> int:
    """Gold items that the rater has neither rated nor skipped."""
    settled = _had(who).where(assignments.c.state != "given")
    query = select(func.count()).select_from(rating_items)
    query = query.where(
        rating_items.c.study == who.study, rating_items.c.gold, rating_items.c.id.not_in(settled)
    )
    return int(connection.execute(query).scalar_one())


def had(connection: Connection, rater: str) -> Own:
    """How many items a rater was given."""
    query = (
        select(rating_items.c.gold, func.count().label("tasks"))
        .select_from(assignments)
        .join(rating_items, rating_items.c.id == assignments.c.item)
        .where(assignments.c.rater == rater)
        .group_by(rating_items.c.gold)
    )
    found = {bool(line.gold): int(line.tasks) for line in connection.execute(query)}
    return Own(found.get(True, 0), found.get(False, 0))


def rated_by(connection: Connection, rater: str) -> int:
    """How many items a rater has rated."""
    query = (
        select(func.count())
        .select_from(assignments)
        .where(assignments.c.rater == rater, assignments.c.state == "rated")
    )
    return int(connection.execute(query).scalar_one())


def rated_tasks(connection: Connection, rater: str) -> list[dict[str, Any]]:
    """What a rater has rated, newest change first: assignment, revision, time and the item's content."""
    query = (
        select(
            ratings.c.assignment,
            ratings.c.revision,
            ratings.c.changed_at,
            rating_items.c.content,
        )
        .join(assignments, assignments.c.id == ratings.c.assignment)
        .join(rating_items, rating_items.c.id == ratings.c.item)
        .where(assignments.c.rater == rater)
        .order_by(ratings.c.changed_at.desc(), ratings.c.assignment)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def _had(who: Who) -> Select[Any]:
    return select(assignments.c.item).where(assignments.c.rater == who.rater)


def _wanting(who: Who, overlap: int) -> tuple[ColumnElement[bool], ...]:
    return rating_items.c.study == who.study, ~rating_items.c.gold, rating_items.c.rated < overlap


def _live(now: datetime) -> ColumnElement[bool]:
    return and_(assignments.c.state == "given", assignments.c.kept_until > now)


def _others_live(who: Who) -> Select[Any]:
    """Items with the number of leases that others hold now."""
    return (
        select(assignments.c.item, func.count().label("leases"))
        .where(assignments.c.study == who.study, _live(who.now), assignments.c.rater != who.rater)
        .group_by(assignments.c.item)
    )
