"""Queries for ratings and for everything that was ever submitted, whose lines are chained by hashes.

Takes a connection of a transaction in which nobody else writes to the study. A line of the history is never changed: its hash
covers the line and the hash of the one before it, so a line that was changed, dropped or put between is found by ``verify``.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from ftkit.store.tables import assignments, rating_changes, rating_items, ratings, studies


class Change(NamedTuple):
    """One submission of a rater; ``revision`` counts those of one task from 1."""

    study: str
    assignment: str
    item: str
    rater: str
    submission: str
    revision: int
    values: dict[str, Any]
    seconds: float
    changed_at: datetime


class Verified(NamedTuple):
    """How many changes a study has, and the number of the first that is not as it was written; None where all are."""

    changes: int
    first_broken: int | None


_SUBMITTED = select(rating_changes.c.assignment, rating_changes.c.revision).where(
    rating_changes.c.rater == bindparam("rater"), rating_changes.c.submission == bindparam("submission")
)
_CURRENT = select(ratings).where(ratings.c.assignment == bindparam("assignment"))
_NEWEST = (
    select(rating_changes.c.number, rating_changes.c.hash)
    .where(rating_changes.c.study == bindparam("study"))
    .order_by(rating_changes.c.number.desc())
    .limit(1)
)
_ONE_MORE = (
    update(rating_items)
    .where(rating_items.c.id == bindparam("rated_item"))
    .values(rated=rating_items.c.rated + 1)
)
_ADD, _LINE = insert(ratings), insert(rating_changes)
_EDIT = update(ratings).where(ratings.c.assignment == bindparam("task"))
_COUNTED = update(studies).where(studies.c.study == bindparam("of"))


def submitted(connection: Connection, rater: str, submission: str) -> Any | None:
    """What came of a submission, if it ever came: its ``assignment`` and ``revision``."""
    return connection.execute(_SUBMITTED, {"rater": rater, "submission": submission}).first()


def current(connection: Connection, assignment: str) -> Any | None:
    """The rating of a task as it is now."""
    return connection.execute(_CURRENT, {"assignment": assignment}).first()


def write(connection: Connection, change: Change) -> int:
    """Make a change the rating of its task, and a line of the history; gives the line's number.

    The caller says which revision it is: 1 makes a new rating.
    """
    now = {"values": change.values, "seconds": change.seconds, "changed_at": change.changed_at}
    if change.revision == 1:
        keys = {name: getattr(change, name) for name in ("assignment", "study", "item", "rater")}
        line = {**keys, **now, "revision": 1, "rated_at": change.changed_at}
        connection.execute(_ADD, line)
        connection.execute(_ONE_MORE, {"rated_item": change.item})
    else:
        connection.execute(_EDIT, {"task": change.assignment, **now, "revision": change.revision})
    return _append(connection, change)


def all_ratings(connection: Connection, study: str) -> list[dict[str, Any]]:
    """The ratings of a study as they are now, with the order in which the rater saw the answers."""
    query = (
        select(ratings, assignments.c.answer_order)
        .join(assignments, assignments.c.id == ratings.c.assignment)
        .where(ratings.c.study == study)
        .order_by(ratings.c.rated_at, ratings.c.assignment)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def changes(connection: Connection, study: str) -> Iterator[dict[str, Any]]:
    """The whole history of a study, in order."""
    query = select(rating_changes).where(rating_changes.c.study == study).order_by(rating_changes.c.number)
    for row in connection.execute(query):
        yield dict(row._mapping)


def verify(connection: Connection, study: str) -> Verified:
    """Compare every line of the history with its hash, and every rating with the last line about it."""
    before, count, last = _start(study), 0, {}
    for line in changes(connection, study):
        count += 1
        number = int(line["number"])
        if number != count or line["hash"] != _hash(before, number, _change(line)):
            return Verified(count, min(number, count))
        before = line["hash"]
        last[line["assignment"]] = line
    said = select(studies.c.changes).where(studies.c.study == study)
    if (expected := int(connection.execute(said).scalar_one())) != count:
        return Verified(count, min(expected, count) + 1)
    return Verified(count, _first_other(connection, study, last))


def _first_other(connection: Connection, study: str, last: dict[str, dict[str, Any]]) -> int | None:
    """The number of the first change that the rating of its task does not follow."""
    told = {line["assignment"]: line for line in all_ratings(connection, study)}
    names = ("values", "revision", "seconds", "item", "rater")
    other = [
        int(line["number"])
        for task, line in last.items()
        if task not in told or any(told[task][name] != line[name] for name in names)
    ]
    if told.keys() - last.keys():
        other.append(1 + max((int(line["number"]) for line in last.values()), default=0))
    return min(other, default=None)


def _append(connection: Connection, change: Change) -> int:
    newest = connection.execute(_NEWEST, {"study": change.study}).first()
    number = 1 + (newest.number if newest else 0)
    hash_ = _hash(newest.hash if newest else _start(change.study), number, change)
    connection.execute(_LINE, {**change._asdict(), "number": number, "hash": hash_})
    connection.execute(_COUNTED, {"of": change.study, "changes": number})
    return number


def _change(line: dict[str, Any]) -> Change:
    return Change(**{name: line[name] for name in Change._fields})


def _start(study: str) -> str:
    """What the first line holds in place of a hash before it."""
    return sha256(study.encode()).hexdigest()


def _hash(before: str, number: int, change: Change) -> str:
    told = {**change._asdict(), "changed_at": change.changed_at.astimezone(UTC).isoformat()}
    text = json.dumps([before, number, told], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
