"""The jobs room: queue, start, watch, adopt and stop worker processes.

Any number of processes (dashboard, command line) may own a ``Jobs`` over the same data folder: each ``tick`` looks at
every unfinished job, whoever started it, and moves it by compare-and-set. It knows nothing of what a worker does.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.errors import NotFound, Refused, WorkerFault
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.identity import Identity, is_alive
from ftkit.jobs.launch import Launcher, end_tree, is_locked
from ftkit.jobs.states import Observation, next_move
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Job
from ftkit.store.files import Folders
from ftkit.store.jobs import JobTable

Clock = Callable[[], datetime]
NewId = Callable[[], str]

# Which folder a job of a kind works in; other kinds get a folder under work/.
_ROOMS: dict[str, Callable[[Folders, str], Path]] = {
    "train": Folders.run,
    "evaluate": Folders.evaluation,
    "sweep": Folders.sweep,
}
# A worker asked by flag stops at its next step; after this many seconds it is sent SIGTERM, then SIGKILL.
_FLAG_PATIENCE = 4.0
_TERM_PATIENCE = 6.0


class Jobs:
    """Supervises the worker processes of one data folder."""

    def __init__(
        self, table: JobTable, folders: Folders, launcher: Launcher, clock: Clock, new_id: NewId
    ) -> None:
        self._table = table
        self._folders = folders
        self._launcher = launcher
        self._clock = clock
        self._new_id = new_id
        self._tick_lock = threading.Lock()

    def submit(self, kind: str, artefact: str, lane: str = "compute", owner: str = "owner") -> Job:
        """Queue a job for an artefact and start it if its lane is free.

        Asking twice is harmless: the unfinished job of the artefact is returned.
        """
        job = self._table.add(
            Job(
                id=self._new_id(),
                kind=kind,
                lane=lane,
                artefact=artefact,
                state="queued",
                nonce=self._new_id(),
                owner=owner,
                queued_at=self._clock(),
            )
        )
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

    def folder(self, job: Job) -> JobFolder:
        """Where a job works."""
        return JobFolder(_ROOMS.get(job.kind, Folders.work)(self._folders, job.artefact))

    def tick(self) -> None:
        """Look at every active job, then start what is next. Cheap; call it every second or two."""
        with self._tick_lock:
            self._look()
            while (claimed := self._claim()) is not None:
                self._start(claimed)

    def settle(self) -> None:
        """Look at every active job, and start none."""
        with self._tick_lock:
            self._look()

    def adopt_started(self) -> None:
        """Take jobs that wait in the queue, but whose folder says that they were started, for started.

        An older copy of the database knows of no start after it: without this, finished jobs would run once more.
        """
        for job in self._table.in_states({"queued"}):
            nonce = self.folder(job).nonce_of(job.id)
            if nonce and nonce != job.nonce:
                self._table.move(job, {"queued"}, state="starting", nonce=nonce, started_at=self._clock())

    def stop(self, artefact: str) -> Job:
        """Stop the job of an artefact: unqueue it, or ask, then end its whole process tree.

        Raises:
            Refused: it has ended already.
        """
        job = self.of(artefact)
        now = self._clock()
        if self._table.move(job, {"queued"}, state="stopped", finished_at=now):
            return self.of(artefact)
        if not self._table.move(job, {"starting", "running", "stopping"}, state="stopping"):
            raise Refused("jobs.ended", "It has ended already ({state}).", state=job.state)
        self.folder(job).ask_to_stop()
        threading.Thread(target=self._end, args=(job,), name=f"stop-{job.id}").start()
        return self.of(artefact)

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

    def _look(self) -> None:
        self._launcher.reap()
        for job in self._table.in_states(ACTIVE_STATES):
            self._look_at(job)

    def _claim(self) -> Job | None:
        return self._table.claim_next(self._new_id(), self._clock())

    def _start(self, job: Job) -> None:
        folder = self.folder(job)
        if is_locked(folder.path):  # a worker of a former start still lives: never a second one beside it
            self._table.move(
                job,
                {"starting"},
                state="failed",
                finished_at=self._clock(),
                error=WorkerFault(
                    "jobs.locked", "An earlier worker still runs in this folder. Stop it first."
                ).as_dict(),
            )
            return
        folder.prepare(job.id, job.kind, job.nonce)
        identity = self._launcher.start(job.kind, folder)
        if identity is not None:
            self._note_identity(job, identity)

    def _note_identity(self, job: Job, identity: Identity) -> None:
        self._table.move(
            job,
            ACTIVE_STATES,
            pid=identity.pid,
            pid_started=identity.started,
            boot_id=identity.boot_id,
        )

    def _look_at(self, job: Job) -> None:
        folder = self.folder(job)
        # Liveness first: a worker that ends between the two looks has left its result by the second one.
        identity = folder.registered(job.nonce)
        alive = identity is not None and is_alive(identity)
        seen = Observation(
            registered=identity is not None,
            alive=alive,
            locked=not alive and is_locked(folder.path),
            result=folder.result(job.nonce),
            seconds_since_start=(self._clock() - (job.started_at or job.queued_at)).total_seconds(),
        )
        move = next_move(job, seen)
        if move is None:
            return
        if move.state == "running" and identity is not None:
            self._note_identity(job, identity)
            self._table.move(job, {"starting"}, state="running")
            return
        if alive and identity is not None:
            return  # it has written its result and is on its way out: the lane is free when it is gone
        self._table.move(
            job,
            ACTIVE_STATES,
            state=move.state,
            error=move.error.as_dict() if move.error else None,
            finished_at=self._clock(),
        )

    def _end(self, job: Job) -> None:
        folder = self.folder(job)
        deadline = time.monotonic() + _FLAG_PATIENCE
        while time.monotonic() < deadline and self._identity(job) and folder.result(job.nonce) is None:
            time.sleep(0.1)
        identity = self._identity(job)
        if identity is not None:
            # A job that this one has started is a job of its own.
            others = {one.pid for one in self.unfinished() if one.pid is not None and one.id != job.id}
            end_tree(identity, _TERM_PATIENCE, others)
        self.tick()

    def _identity(self, job: Job) -> Identity | None:
        """The live worker of a job, registered or only started."""
        fresh = self._table.get(job.id)
        known = self.folder(job).registered(job.nonce)
        if known is None and fresh.pid is not None:
            known = Identity(fresh.pid, fresh.pid_started or "", fresh.boot_id or "")
        return known if known is not None and is_alive(known) else None
