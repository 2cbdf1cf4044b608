"""Queries for jobs: add once per start, look up, move from one state to another.

Every move names the states that it may start from and is refused by the database otherwise, so that the page, the
command line and a second web process can all supervise at once. It starts and signals nothing.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, insert, select, update

from ftkit.errors import NotFound
from ftkit.records import ACTIVE_STATES, Job, JobState
from ftkit.store.engine import Database
from ftkit.store.tables import jobs

_FIELDS = [jobs.c[name] for name in Job.model_fields]


class JobTable:
    """The jobs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: Job) -> Job:
        """Queue a job; where its artefact already has an unfinished one, that one is returned instead."""
        unfinished = select(*_FIELDS).where(
            jobs.c.artefact == job.artefact, jobs.c.state.in_([*ACTIVE_STATES, "queued"])
        )
        with self._database.write() as connection:
            row = connection.execute(unfinished).first()
            if row is not None:
                return _job(row)
            last = connection.execute(select(func.coalesce(func.max(jobs.c.position), 0))).scalar_one()
            connection.execute(insert(jobs).values(position=last + 1, **job.model_dump()))
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
        query = select(*_FIELDS).where(jobs.c.artefact == artefact).order_by(jobs.c.position.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return _job(row) if row is not None else None

    def in_states(self, states: Collection[JobState]) -> list[Job]:
        """All jobs in these states, oldest first."""
        query = select(*_FIELDS).where(jobs.c.state.in_(list(states))).order_by(jobs.c.position)
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

    def claim_next(self, nonce: str, now: Any) -> Job | None:
        """Take the oldest queued job whose lane is free and mark it ``starting``; None when there is none."""
        busy = select(jobs.c.lane).where(jobs.c.state.in_(list(ACTIVE_STATES)))
        query = (
            select(*_FIELDS)
            .where(jobs.c.state == "queued", jobs.c.lane.not_in(busy))
            .order_by(jobs.c.position)
            .limit(1)
        )
        with self._database.write() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            changes = {"state": "starting", "nonce": nonce, "started_at": now}
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(**changes))
        return _job(row).model_copy(update=changes)


def _job(row: Any) -> Job:
    return Job.model_validate(row._asdict())
