"""Queries for jobs: add once per start, look up, order the queue, move from one state to another.

Every move names the states that it may start from and is refused by the database otherwise, so that the page, the
command line and a second web process can all supervise at once. It starts and signals nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Select, func, insert, or_, select, update

from ftkit.errors import NotFound, Refused
from ftkit.records import ACTIVE_STATES, Artefact, Job, JobState
from ftkit.store.artefacts import insert_artefact, is_artefact
from ftkit.store.engine import Database
from ftkit.store.tables import jobs

# Lanes of workers that are kept warm, and that make room for a job that needs their memory.
RESIDENT = "resident:"

Where = Literal["first", "up", "down", "last"]

_FIELDS = [jobs.c[name] for name in Job.model_fields]
# The order of a queue: by priority, then as they came or were moved.
_ORDER = (jobs.c.priority.desc(), jobs.c.place, jobs.c.position)


class Claim(NamedTuple):
    """What a job takes on when it leaves the queue: ``by`` names the process that is about to start it."""

    nonce: str
    by: str
    now: datetime


class JobTable:
    """The jobs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: Job, record: Artefact | None = None, most_waiting: int | None = None) -> Job:
        """Queue a job; where its artefact already has an unfinished one, that one is returned instead.

        Args:
            job: the new job.
            record: its artefact where that is new, too: both are stored or neither. Where the artefact is there already,
                somebody was faster: its newest job is returned.
            most_waiting: how many jobs of its owner may wait in its lane.

        Raises:
            Refused: as many wait already.
        """
        unfinished = jobs.c.state.in_([*ACTIVE_STATES, "queued"])
        with self._database.write() as connection:
            known = record is not None and is_artefact(connection, record.id)
            query = _of(job.artefact) if known else _of(job.artefact).where(unfinished)
            row = connection.execute(query).first()
            if row is not None:
                return _job(row)
            if most_waiting is not None:
                _check_room(connection, job, most_waiting)
            if record is not None and not known:
                insert_artefact(connection, record)
            last = connection.execute(select(func.coalesce(func.max(jobs.c.position), 0))).scalar_one()
            values = {"position": last + 1, "place": last + 1, **job.model_dump()}
            connection.execute(insert(jobs).values(values))
        return job

    def get(self, id_: str) -> Job:
        """The job with this id.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as connection:
            row = connection.execute(select(*_FIELDS).where(jobs.c.id == id_)).first()
        if row is None:
            raise NotFound("store.unknown_id", "There is no {kind} with the id {id}.", kind="job", id=id_)
        return _job(row)

    def newest(self, artefact: str) -> Job | None:
        """The last job that was made for an artefact."""
        with self._database.read() as connection:
            row = connection.execute(_of(artefact)).first()
        return _job(row) if row is not None else None

    def in_states(self, states: Collection[JobState]) -> list[Job]:
        """All jobs in these states, oldest first."""
        query = select(*_FIELDS).where(jobs.c.state.in_(list(states))).order_by(jobs.c.position)
        with self._database.read() as connection:
            return [_job(row) for row in connection.execute(query)]

    def waiting(self, lane: str | None = None) -> list[Job]:
        """Queued jobs in the order in which they will start."""
        query = select(*_FIELDS).where(jobs.c.state == "queued").order_by(*_ORDER)
        if lane is not None:
            query = query.where(jobs.c.lane == lane)
        with self._database.read() as connection:
            return [_job(row) for row in connection.execute(query)]

    def move(self, job: Job, sources: Collection[JobState], **changes: Any) -> bool:
        """Change a job if it still is in one of ``sources`` under the same nonce; tell whether it was."""
        statement = (
            update(jobs)
            .where(jobs.c.id == job.id, jobs.c.nonce == job.nonce, jobs.c.state.in_(list(sources)))
            .values(**changes)
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount == 1

    def claim_next(self, claim: Claim, held: Collection[str] = ()) -> Job | None:
        """Take the next queued job whose lane is free and mark it ``starting``; None when there is none.

        Args:
            claim: what it takes on.
            held: lanes from which nothing may start now.
        """
        busy = select(jobs.c.lane).where(jobs.c.state.in_(list(ACTIVE_STATES)))
        alone = select(jobs.c.id).where(jobs.c.state.in_([*ACTIVE_STATES, "queued"]), jobs.c.alone)
        query = (
            select(*_FIELDS)
            .where(jobs.c.state == "queued", jobs.c.lane.not_in(busy), jobs.c.lane.not_in(list(held)))
            .where(or_(jobs.c.lane.not_like(f"{RESIDENT}%"), ~alone.exists()))
            .order_by(*_ORDER)
            .limit(1)
        )
        changes = {
            "state": "starting",
            "nonce": claim.nonce,
            "claimed_by": claim.by,
            "started_at": claim.now,
            "pid": None,
            "pid_started": None,
            "boot_id": None,
            "error": None,
        }
        with self._database.write() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(**changes))
        return _job(row).model_copy(update=changes)

    def reorder(self, id_: str, where: Where) -> bool:
        """Move a queued job within the queue of its lane; tell whether it still waits.

        It takes over the priority of the jobs that it passes.
        """
        with self._database.write() as connection:
            rows = self._queue_of(connection, id_)
            places = [row.id for row in rows]
            if id_ not in places:
                return False
            at = places.index(id_)
            to = {"first": 0, "up": max(0, at - 1), "down": min(len(rows) - 1, at + 1), "last": len(rows) - 1}
            places.insert(to[where], places.pop(at))
            for place, row in zip(places, rows, strict=True):
                values = {"priority": row.priority, "place": row.place}
                connection.execute(update(jobs).where(jobs.c.id == place).values(**values))
        return True

    @staticmethod
    def _queue_of(connection: Connection, id_: str) -> Sequence[Any]:
        lane = select(jobs.c.lane).where(jobs.c.id == id_).scalar_subquery()
        query = select(jobs.c.id, jobs.c.priority, jobs.c.place).where(
            jobs.c.state == "queued", jobs.c.lane == lane
        )
        return connection.execute(query.order_by(*_ORDER)).all()


def _check_room(connection: Connection, job: Job, most: int) -> None:
    query = select(func.count()).where(
        jobs.c.state == "queued", jobs.c.owner == job.owner, jobs.c.lane == job.lane
    )
    if connection.execute(query).scalar_one() >= most:
        raise Refused(
            "jobs.queue_full",
            "{most} of yours wait already, and no more may. Wait until one has started, or stop one.",
            most=most,
        )


def _of(artefact: str) -> Select[Any]:
    return select(*_FIELDS).where(jobs.c.artefact == artefact).order_by(jobs.c.position.desc()).limit(1)


def _job(row: Any) -> Job:
    return Job.model_validate(row._asdict())
