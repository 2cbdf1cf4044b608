"""Queries for the requests of the gateway and for what is said of its answers.

Takes and gives plain values; texts come here masked already. It decides nothing about what is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, not_, null, or_, select, update

from ftkit.store.engine import Database
from ftkit.store.tables import feedback, harvested, traffic

_PIECE = 500  # ids in one statement
_FAILED_FROM = 400  # HTTP
# What a summary needs; texts are long and stay where they are.
_NUMBERS = [
    traffic.c[name]
    for name in (
        *("at", "version", "status", "error", "prompt_tokens", "answer_tokens", "first_token_seconds"),
        *("seconds", "finish", "confidence", "refused", "personal"),
    )
]


class Which(NamedTuple):
    """Which requests: all conditions hold; those left out do not count.

    Args:
        since: not before it.
        until: before it.
        version: of the model that answered.
        ids: these.
        answered: True for those that got an answer, False for those that failed.
        texts: True for those whose texts are kept.
        refused: True for those that the model declined to answer.
        thumb: somebody gave this thumb.
        corrected: somebody gave a correction, whose text is kept.
        confident: confidence is known.
        fresh: True for those that are in no dataset yet.
    """

    since: datetime | None = None
    until: datetime | None = None
    version: str | None = None
    ids: Sequence[str] | None = None
    answered: bool | None = None
    texts: bool | None = None
    refused: bool | None = None
    thumb: int | None = None
    corrected: bool | None = None
    confident: bool | None = None
    fresh: Literal[True] | None = None


class TrafficTable:
    """The requests of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Keep requests; one that is there already stays as it is."""
        with self._database.write() as connection:
            ids = [line["id"] for line in lines]
            known = set(connection.execute(select(traffic.c.id).where(traffic.c.id.in_(ids))).scalars())
            fresh = {line["id"]: dict(line) for line in reversed(lines) if line["id"] not in known}
            if fresh:
                connection.execute(insert(traffic), list(fresh.values()))

    def put_texts(self, id_: str, **texts: Any) -> None:
        """Add what was said to a request."""
        with self._database.write() as connection:
            connection.execute(update(traffic).where(traffic.c.id == id_).values(**texts))

    def say(self, line: Mapping[str, Any]) -> bool:
        """Keep feedback in place of what the same key said before; tells whether there is such a request."""
        of_key = and_(feedback.c.request == line["request"], feedback.c.key == line["key"])
        with self._database.write() as connection:
            if (
                connection.execute(select(traffic.c.id).where(traffic.c.id == line["request"])).first()
                is None
            ):
                return False
            connection.execute(delete(feedback).where(of_key))
            connection.execute(insert(feedback).values(**line))
        return True

    def put_said(self, request: str, key: str, at: datetime, **texts: Any) -> None:
        """Add the texts of feedback to what was said at that moment; nothing where newer words took its place."""
        of_then = and_(feedback.c.request == request, feedback.c.key == key, feedback.c.at == at)
        with self._database.write() as connection:
            connection.execute(update(feedback).where(of_then).values(**texts))

    def rows(self, which: Which, limit: int, offset: int = 0) -> list[dict[str, Any]]:
        """Requests with their feedback, the newest first."""
        query = (
            select(traffic)
            .where(*_conditions(which))
            .order_by(traffic.c.at.desc(), traffic.c.id)
            .limit(limit)
            .offset(offset)
        )
        with self._database.read() as connection:
            found = [dict(row._mapping) for row in connection.execute(query)]
            said = defaultdict(list)
            for piece in _pieces([row["id"] for row in found]):
                of_piece = select(feedback).where(feedback.c.request.in_(piece)).order_by(feedback.c.at)
                for line in connection.execute(of_piece):
                    said[line.request].append(dict(line._mapping))
        return [{**row, "feedback": said[row["id"]]} for row in found]

    def count(self) -> int:
        """All requests that are kept."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(traffic)).scalar_one()

    def numbers(self, which: Which, limit: int) -> list[dict[str, Any]]:
        """What can be counted of requests, the newest first."""
        query = select(*_NUMBERS).where(*_conditions(which)).order_by(traffic.c.at.desc()).limit(limit)
        with self._database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def said(self, which: Which) -> list[dict[str, Any]]:
        """Feedback on requests: the time of the request, thumb, rating and whether there is a correction."""
        query = (
            select(
                traffic.c.at,
                feedback.c.thumb,
                feedback.c.rating,
                (feedback.c.correction.is_not(None)).label("corrected"),
            )
            .join(feedback, feedback.c.request == traffic.c.id)
            .where(*_conditions(which))
        )
        with self._database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def forget(self, before: datetime) -> int:
        """Delete requests that came before, with their feedback; tells how many."""
        with self._database.write() as connection:
            return connection.execute(delete(traffic).where(traffic.c.at < before)).rowcount

    def forget_texts(self) -> int:
        """Erase all that was said, and keep the numbers; tells of how many requests."""
        with self._database.write() as connection:
            connection.execute(
                update(feedback)
                .where(or_(feedback.c.correction.is_not(None), feedback.c.comment.is_not(None)))
                .values(correction=None, comment=None)
            )
            erased = update(traffic).where(
                or_(traffic.c.messages.is_not(None), traffic.c.answer.is_not(None))
            )
            return connection.execute(erased.values(messages=null(), answer=None)).rowcount


def _conditions(which: Which) -> list[ColumnElement[bool]]:
    has_texts = traffic.c.messages.is_not(null())
    made: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "since": lambda since: traffic.c.at >= since,
        "until": lambda until: traffic.c.at < until,
        "version": lambda version: traffic.c.version == version,
        "ids": traffic.c.id.in_,
        "answered": lambda wanted: _if(wanted, traffic.c.status < _FAILED_FROM),
        "texts": lambda wanted: _if(wanted, has_texts),
        "refused": lambda wanted: _if(wanted, and_(traffic.c.refused.is_not(null()), traffic.c.refused)),
        "thumb": lambda thumb: _said(feedback.c.thumb == thumb),
        "corrected": lambda wanted: _if(wanted, _said(feedback.c.correction.is_not(null()))),
        "confident": lambda wanted: _if(wanted, traffic.c.confidence.is_not(null())),
        "fresh": lambda _: ~exists().where(harvested.c.request == traffic.c.id),
    }
    return [made[name](value) for name, value in which._asdict().items() if value is not None]


def _if(wanted: bool, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return condition if wanted else not_(condition)


def _said(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(feedback.c.request == traffic.c.id, condition)


def _pieces(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _PIECE] for start in range(0, len(ids), _PIECE))
