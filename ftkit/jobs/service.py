"""The jobs room: queue, start, watch, adopt, pause and stop worker processes.

Any number of processes (dashboard, command line) may own a ``Jobs`` over the same data folder: each ``tick`` looks at
every unfinished job, whoever started it, and moves it by compare-and-set. It knows nothing of what a worker does.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ftkit.errors import NotFound, Refused
from ftkit.jobs.folder import JobFolder, Request
from ftkit.jobs.launch import Launcher
from ftkit.jobs.supervision import STOP_PATIENCE, Clock, Conditions, NewId, Supervision
from ftkit.records import ACTIVE_STATES, ENDED_STATES, OWNER, Artefact, Event, Job, Record
from ftkit.store.files import Folders
from ftkit.store.jobs import RESIDENT, JobTable, Where

__all__ = ["Clock", "Conditions", "Jobs", "NewId", "Where", "Wish"]

# Which folder a job of a kind works in; other kinds get a folder under work/.
_ROOMS: dict[str, Callable[[Folders, str], Path]] = {
    "train": Folders.run,
    "evaluate": Folders.evaluation,
    "sweep": Folders.sweep,
    "judge": Folders.judgement,
    "benchmark": Folders.benchmark,
    "study": Folders.study,
    "export": Folders.export,
}


class Wish(Record):
    """How a job is to be queued: before which others, how often again by itself, with how much memory in view."""

    priority: int = 0
    tries: int = 2
    needs_mb: int | None = None


_AS_IT_COMES = Wish()


class Jobs:
    """Supervises the worker processes of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        table: JobTable,
        folders: Folders,
        launcher: Launcher,
        clock: Clock,
        new_id: NewId,
        conditions: Conditions | None = None,
    ) -> None:
        self._table = table
        self._folders = folders
        self._launcher = launcher
        self._clock = clock
        self._new_id = new_id
        self._conditions = conditions or Conditions()
        self._supervision = Supervision(
            table=table,
            launcher=launcher,
            folder_of=partial(_folder_of, folders),
            conditions=self._conditions,
            clock=clock,
            new_id=new_id,
        )

    def submit(
        self,
        kind: str,
        artefact: str,
        lane: str = "compute",
        owner: str = OWNER,
        record: Artefact | None = None,
        wish: Wish = _AS_IT_COMES,
    ) -> Job:
        """Queue a job for an artefact and start it if its lane is free.

        Asking twice is harmless: the unfinished job of the artefact is returned.

        Args:
            kind: name of the worker module.
            artefact: id of what it works for.
            lane: jobs of one lane run one after another.
            owner: who asks.
            record: the artefact itself where it is new: it and its job come into being together.
            wish: how it is to be queued.

        Raises:
            Refused: the owner has as many jobs waiting as anybody but the machine's owner may have.
        """
        most = None if owner == OWNER else self._conditions.waiting_per_owner
        wanted = Job(
            id=self._new_id(),
            kind=kind,
            lane=lane,
            artefact=artefact,
            state="queued",
            nonce=self._new_id(),
            owner=owner,
            queued_at=self._clock(),
            priority=wish.priority,
            tries_left=wish.tries,
            needs_mb=wish.needs_mb,
        )
        job = self._table.add(wanted, record, most)
        if job.id == wanted.id:
            self._supervision.note(job, "queued", by=job.owner)
        self.tick()
        return self._table.get(job.id)

    def of(self, artefact: str) -> Job:
        """The newest job of an artefact.

        Raises:
            NotFound: it never had one.
        """
        job = self._table.newest(artefact)
        if job is None:
            raise NotFound("jobs.none", "Nothing was ever started for {id}.", id=artefact)
        return job

    def unfinished(self) -> list[Job]:
        """Queued and active jobs, oldest first."""
        return self._table.in_states([*ACTIVE_STATES, "queued"])

    def queue(self, lane: str = "compute") -> list[Job]:
        """Jobs that wait in a lane, in the order in which they will start."""
        return self._table.waiting(lane)

    def reorder(self, artefact: str, where: Where) -> list[Job]:
        """Move a waiting job within its queue; gives the queue.

        Raises:
            Refused: it does not wait.
        """
        job = self.of(artefact)
        if not self._table.reorder(job.id, where):
            raise Refused(
                "jobs.not_waiting", "It is {state} and waits for nothing.", state=self.of(artefact).state
            )
        self._supervision.note(job, "moved", values={"where": where})
        return self.queue(job.lane)

    def folder(self, job: Job) -> JobFolder:
        """Where a job works."""
        return _folder_of(self._folders, job)

    def events(self, artefact: str) -> list[Event]:
        """All that happened to the jobs of an artefact, in that order, from supervision and from the workers."""
        return [Event.model_validate(one) for one in self.folder(self.of(artefact)).events()]

    def tick(self) -> None:
        """Look at every active job, then start what is next. Cheap; call it every second or two."""
        self._supervision.tick()

    def settle(self) -> None:
        """Look at every active job, and start none."""
        self._supervision.look()

    def adopt_started(self) -> None:
        """Take jobs that wait in the queue, but whose folder says that they were started, for started.

        An older copy of the database knows of no start after it: without this, finished jobs would run once more.
        """
        for job in self._table.in_states({"queued"}):
            nonce = self.folder(job).nonce_of(job.id)
            if nonce and nonce != job.nonce:
                self._table.move(job, {"queued"}, state="starting", nonce=nonce, started_at=self._clock())

    def stop(self, artefact: str, by: str = OWNER, now: bool = False) -> Job:
        """Stop the job of an artefact: unqueue it, or ask, then end its whole process tree.

        Args:
            artefact: whose job.
            by: who asks.
            now: do not wait until it has saved.

        Raises:
            Refused: it has ended already.
        """
        return self._ask(artefact, Request("stop", by), 0.0 if now else STOP_PATIENCE)

    def pause(self, artefact: str, by: str = OWNER) -> Job:
        """Ask the job of an artefact to save and end; it gets all the time that this takes.

        Raises:
            Refused: it has ended already.
        """
        return self._ask(artefact, Request("pause", by), None)

    def wait(
        self,
        artefact: str,
        seconds: float | None = None,
        on_look: Callable[[Job, dict[str, Any]], None] | None = None,
    ) -> Job:
        """Supervise until the job of an artefact has ended, or ``seconds`` have passed.

        Args:
            artefact: whose job.
            seconds: how long to wait at most; None for ever.
            on_look: called at each look with the job and the worker's heartbeat.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            self.tick()
            job = self.of(artefact)
            if on_look is not None:
                on_look(job, self.folder(job).state())
            if job.state in ENDED_STATES and job.pid is not None:
                self._launcher.collect(job.pid)
            if job.state in ENDED_STATES or (deadline is not None and time.monotonic() >= deadline):
                return job
            time.sleep(0.3)

    def reclaimable_mb(self) -> int:
        """Memory that resident workers hold and would give back to a job that needs it."""
        residents = [one for one in self.unfinished() if one.lane.startswith(RESIDENT)]
        return sum(int(self.folder(one).state().get("memory_mb") or 0) for one in residents)

    def _ask(self, artefact: str, request: Request, patience: float | None) -> Job:
        job = self.of(artefact)
        ended = "paused" if request.how == "pause" else "stopped"
        if self._table.move(job, {"queued"}, state=ended, finished_at=self._clock(), alone=False):
            self._supervision.note(job, ended, by=request.by)
        elif not self._supervision.ask(self.of(artefact), request, patience):
            raise Refused("jobs.ended", "It has ended already ({state}).", state=self.of(artefact).state)
        return self.of(artefact)


def _folder_of(folders: Folders, job: Job) -> JobFolder:
    return JobFolder(_ROOMS.get(job.kind, Folders.work)(folders, job.artefact))
