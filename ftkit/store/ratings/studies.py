"""Queries for studies and their items: where a study stands, what is rated in it, and counts for a page.

Takes a connection of the caller's transaction and plain values. What an item consists of is the ratings room's matter.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, delete, false, func, insert, select, update

from ftkit.store.tables import assignments, raters, rating_items, ratings, studies


class Standing(NamedTuple):
    """Where a study stands."""

    study: str
    state: str
    secret: str
    changes: int
    left_out: dict[str, int] | None
    opened_at: datetime | None
    closed_at: datetime | None


class NewItem(NamedTuple):
    """An item on its way into the database; ``shuffled`` places it among the others when they are given out."""

    id: str
    place: int
    gold: bool
    named: bool
    shuffled: str
    content: dict[str, Any]


class Counts(NamedTuple):
    """What stands in a study; ``complete``: items that are not gold and have all their ratings; ``needed``: ratings of those that
    are not gold."""

    items: int
    gold: int
    named: int
    complete: int
    raters: int
    ratings: int
    needed: int


_STANDING = select(studies).where(studies.c.study == bindparam("study"))
_LOCKED = _STANDING.with_for_update()
_ITEM = select(rating_items.c.content).where(rating_items.c.id == bindparam("id"))
_SIZES = select(
    select(func.count())
    .select_from(rating_items)
    .where(rating_items.c.study == bindparam("study"), rating_items.c.gold == false())
    .scalar_subquery(),
    select(func.count()).select_from(raters).where(raters.c.study == bindparam("study")).scalar_subquery(),
)


def add_study(connection: Connection, study: str, secret: str) -> None:
    """Note a new study; nothing happens where it is there already."""
    if standing(connection, study) is None:
        connection.execute(insert(studies).values(study=study, state="preparing", secret=secret, changes=0))


def standing(connection: Connection, study: str, *, lock: bool = False) -> Standing | None:
    """Where a study stands.

    Args:
        connection: the caller's transaction.
        study: its id.
        lock: let nobody else write to the study until the transaction ends. SQLite has a single writer anyway.
    """
    row = connection.execute(_LOCKED if lock else _STANDING, {"study": study}).first()
    return None if row is None else Standing(**row._mapping)


def in_state(connection: Connection, state: str) -> list[str]:
    """Ids of all studies in a state."""
    return list(connection.execute(select(studies.c.study).where(studies.c.state == state)).scalars())


def move(connection: Connection, study: str, sources: Collection[str], **changes: Any) -> bool:
    """Change a study if it is in one of ``sources``; tell whether it was."""
    query = (
        update(studies).where(studies.c.study == study, studies.c.state.in_(list(sources))).values(**changes)
    )
    return connection.execute(query).rowcount == 1


def add_items(connection: Connection, study: str, items: Iterable[NewItem]) -> None:
    """Store the items of a study."""
    lines = [{"study": study, **item._asdict()} for item in items]
    if lines:
        connection.execute(insert(rating_items), lines)


def items_of(connection: Connection, study: str) -> list[dict[str, Any]]:
    """Contents of all items, by place."""
    query = select(rating_items.c.content).where(rating_items.c.study == study).order_by(rating_items.c.place)
    return list(connection.execute(query).scalars())


def content_of(connection: Connection, item: str) -> dict[str, Any]:
    """What an item that must be there consists of."""
    found: dict[str, Any] = connection.execute(_ITEM, {"id": item}).scalar_one()
    return found


def sizes(connection: Connection, study: str) -> tuple[int, int]:
    """How many items that are no gold a study has, and how many raters."""
    items, people = connection.execute(_SIZES, {"study": study}).one()
    return int(items), int(people)


def drop_items(connection: Connection, study: str, items: Collection[str]) -> int:
    """Delete items that nobody has seen yet; tells how many there were."""
    query = delete(rating_items).where(rating_items.c.study == study, rating_items.c.id.in_(list(items)))
    return connection.execute(query).rowcount


def count(connection: Connection, study: str, overlap: int) -> Counts:
    """The numbers of a study's page."""
    gold = rating_items.c.gold
    full = (~gold) & (rating_items.c.rated >= overlap)
    of_items = connection.execute(
        select(
            func.count(),
            func.sum(case((gold, 1), else_=0)),
            func.sum(case((rating_items.c.named, 1), else_=0)),
            func.sum(case((full, 1), else_=0)),
            func.sum(case((gold, 0), else_=rating_items.c.rated)),
        ).where(rating_items.c.study == study)
    ).one()
    people = connection.execute(
        select(func.count()).select_from(raters).where(raters.c.study == study)
    ).scalar_one()
    said = connection.execute(
        select(func.count()).select_from(ratings).where(ratings.c.study == study)
    ).scalar_one()
    items, golden, named, complete, needed = (int(one or 0) for one in of_items)
    return Counts(items, golden, named, complete, int(people), int(said), needed)


def work_of(connection: Connection, study: str) -> Mapping[str, Mapping[str, int]]:
    """How many assignments of each state every rater has."""
    query = (
        select(assignments.c.rater, assignments.c.state, func.count().label("tasks"))
        .where(assignments.c.study == study)
        .group_by(assignments.c.rater, assignments.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for line in connection.execute(query):
        found.setdefault(line.rater, {})[line.state] = int(line.tasks)
    return found
