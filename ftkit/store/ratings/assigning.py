"""Queries for assignments: which items may be given to a rater, and what was given already.

Takes a connection of a transaction in which nobody else writes to the study. The statements are made once: a rater's request runs a
dozen of them, and making them would cost more than running them. An assignment that was given counts for its item
until ``kept_until``: a lease. How an order of answers is chosen is the ratings room's matter.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

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


def _live() -> ColumnElement[bool]:
    return and_(assignments.c.state == "given", assignments.c.kept_until > bindparam("now"))


def _had() -> Select[Any]:
    return select(assignments.c.item).where(assignments.c.rater == bindparam("rater"))


def _settled() -> Select[Any]:
    return _had().where(assignments.c.state != "given")


def _others_live() -> Select[Any]:
    """Items with the number of leases that others hold now."""
    mine = assignments.c.study == bindparam("study"), assignments.c.rater != bindparam("rater")
    leases = select(assignments.c.item, func.count().label("leases"))
    return leases.where(*mine, _live()).group_by(assignments.c.item)


def _next_item() -> Select[Any]:
    live = _others_live().subquery()
    taken = rating_items.c.rated + func.coalesce(live.c.leases, 0)
    return (
        select(rating_items.c.id)
        .outerjoin(live, live.c.item == rating_items.c.id)
        .where(*_WANTING, taken < bindparam("overlap"), rating_items.c.id.not_in(_had()))
        .order_by(taken, rating_items.c.shuffled, rating_items.c.id)
        .limit(1)
    )


def _room() -> Select[Any]:
    live = _others_live().where(assignments.c.item == bindparam("item")).subquery()
    leases = func.coalesce(select(live.c.leases).scalar_subquery(), 0)
    return select(rating_items.c.gold, rating_items.c.rated + leases).where(
        rating_items.c.id == bindparam("item")
    )


def _count(what: Any) -> Select[Any]:
    return select(func.count()).select_from(what)


_WANTING = (
    rating_items.c.study == bindparam("study"),
    rating_items.c.gold == false(),
    rating_items.c.rated < bindparam("overlap"),
)
_GOLD = rating_items.c.study == bindparam("study"), rating_items.c.gold == true()
_MINE = assignments.c.rater == bindparam("rater")
_OWN = select(assignments).where(assignments.c.id == bindparam("id"), _MINE)
_ADD, _CHANGE = insert(assignments), update(assignments).where(assignments.c.id == bindparam("task"))
_GIVEN = (
    select(assignments)
    .where(_MINE, assignments.c.state == "given")
    .order_by(assignments.c.given_at, assignments.c.id)
)
_ORDERS = select(assignments.c.answer_order).where(
    assignments.c.item == bindparam("item"), or_(assignments.c.state == "rated", _live())
)
_NEXT_ITEM, _ROOM = _next_item(), _room()
_MAY_BECOME = _count(rating_items).where(*_WANTING, rating_items.c.id.not_in(_settled()))
_GOLDS_LEFT = select(rating_items.c.id).where(*_GOLD, rating_items.c.id.not_in(_had()))
_GOLDS_OPEN = _count(rating_items).where(*_GOLD, rating_items.c.id.not_in(_settled()))
_RATED_BY = _count(assignments).where(_MINE, assignments.c.state == "rated")
_RATED_TASKS = (
    select(ratings.c.assignment, ratings.c.revision, ratings.c.changed_at, rating_items.c.content)
    .join(assignments, assignments.c.id == ratings.c.assignment)
    .join(rating_items, rating_items.c.id == ratings.c.item)
    .where(_MINE)
    .order_by(ratings.c.changed_at.desc(), ratings.c.assignment)
)
_HAD = (
    select(rating_items.c.gold, func.count().label("tasks"))
    .select_from(assignments)
    .join(rating_items, rating_items.c.id == assignments.c.item)
    .where(_MINE)
    .group_by(rating_items.c.gold)
)


def add(connection: Connection, assignment: Assignment) -> None:
    """Give an item to a rater."""
    connection.execute(_ADD, assignment._asdict())


def own(connection: Connection, rater: str, id_: str) -> Assignment | None:
    """An assignment of this rater."""
    row = connection.execute(_OWN, {"id": id_, "rater": rater}).first()
    return None if row is None else Assignment(**row._mapping)


def given(connection: Connection, rater: str) -> list[Assignment]:
    """What a rater has not answered yet, oldest first."""
    return [Assignment(**row._mapping) for row in connection.execute(_GIVEN, {"rater": rater})]


def change(connection: Connection, id_: str, **values: Any) -> None:
    """Change an assignment."""
    connection.execute(_CHANGE, {"task": id_, **values})


def orders(connection: Connection, item: str, now: datetime) -> list[list[int]]:
    """In which orders the answers of an item were rated, or are looked at now."""
    return list(connection.execute(_ORDERS, {"item": item, "now": now}).scalars())


def next_item(connection: Connection, who: Who, overlap: int) -> str | None:
    """The item with the fewest ratings that the rater never had and that is not full."""
    return connection.execute(_NEXT_ITEM, {**who._asdict(), "overlap": overlap}).scalar()


def has_room(connection: Connection, who: Who, item: str, overlap: int) -> bool:
    """Whether an item may still get a rating of this rater; a gold one always may."""
    gold, taken = connection.execute(_ROOM, {**who._asdict(), "item": item}).one()
    return bool(gold) or int(taken) < overlap


def may_become(connection: Connection, who: Who, overlap: int) -> int:
    """Items that are no gold and may still get a rating of this rater, now or when others give up."""
    told = {"study": who.study, "rater": who.rater, "overlap": overlap}
    return int(connection.execute(_MAY_BECOME, told).scalar_one())


def golds_left(connection: Connection, who: Who) -> list[str]:
    """Gold items that the rater never had."""
    return list(connection.execute(_GOLDS_LEFT, {"study": who.study, "rater": who.rater}).scalars())


def golds_open(connection: Connection, who: Who) -> int:
    """Gold items that the rater has neither rated nor skipped."""
    return int(connection.execute(_GOLDS_OPEN, {"study": who.study, "rater": who.rater}).scalar_one())


def had(connection: Connection, rater: str) -> Own:
    """How many items a rater was given."""
    found = {bool(line.gold): int(line.tasks) for line in connection.execute(_HAD, {"rater": rater})}
    return Own(found.get(True, 0), found.get(False, 0))


def rated_by(connection: Connection, rater: str) -> int:
    """How many items a rater has rated."""
    return int(connection.execute(_RATED_BY, {"rater": rater}).scalar_one())


def rated_tasks(connection: Connection, rater: str) -> list[dict[str, Any]]:
    """What a rater has rated, newest change first: assignment, revision, time and the item's content."""
    return [dict(row._mapping) for row in connection.execute(_RATED_TASKS, {"rater": rater})]
