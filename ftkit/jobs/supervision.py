"""Looking after the jobs: what each worker does, what starts next, what makes room, what is ended.

Takes the table and the folders; moves jobs by compare-and-set, so that any number of processes may supervise at once, and writes
down each move as an event. It offers nothing to pages: ``service`` does.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ftkit.errors import WorkerFault
from ftkit.failpoints import reach
from ftkit.jobs.evidence import Evidence
from ftkit.jobs.folder import JobFolder, Request
from ftkit.jobs.identity import Identity, boot_id, identify, is_alive
from ftkit.jobs.launch import Launcher, end_tree, locking
from ftkit.jobs.states import STOPPABLE, Observation, next_move
from ftkit.records import ACTIVE_STATES, LATE_HEARTBEAT, Job
from ftkit.store.jobs import RESIDENT, Claim, JobTable

Clock = Callable[[], datetime]
NewId = Callable[[], str]

# A worker asked by flag stops at its next step; after this many seconds it is sent SIGTERM, then SIGKILL.
STOP_PATIENCE = 4.0
_TERM_PATIENCE = 9.0  # a run takes up to 8 to save and end
# A resident worker that is to make room may end the answer that it is giving.
_ROOM_PATIENCE = 60.0
# What a worker leaves behind when it ends by itself gets a moment to end by itself, too.
_LEFTOVER_PATIENCE = 1.0


@dataclass(frozen=True)
class Conditions:
    """What supervision depends on beside the jobs.

    Args:
        stall_seconds: how long a worker may get on with nothing before it counts as stalled.
        waiting_per_owner: how many jobs of anybody but the machine's owner may wait in one lane.
        free_mb: measures the memory that is free for a job; without it nothing ever makes room.
        evidence: tells an end for want of memory from any other.
    """

    stall_seconds: float = 120.0
    waiting_per_owner: int = 2
    free_mb: Callable[[], int] | None = None
    evidence: Evidence = field(default_factory=Evidence)


class Supervision:
    """Watches over the unfinished jobs of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the jobs room, by name
        self,
        *,
        table: JobTable,
        launcher: Launcher,
        folder_of: Callable[[Job], JobFolder],
        conditions: Conditions,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._table = table
        self._launcher = launcher
        self._folder_of = folder_of
        self._conditions = conditions
        self._clock = clock
        self._new_id = new_id
        self._lock = threading.Lock()
        self._enders: dict[str, threading.Thread] = {}
        me = identify(os.getpid())
        assert me is not None, "this process is alive"  # noqa: S101
        self._me = me

    def tick(self) -> None:
        """Look at every active job, then start what is next."""
        with self._lock:
            self._look()
            held = self._make_room()
            while (claimed := self._claim(held)) is not None:
                self._start(claimed)

    def look(self) -> None:
        """Look at every active job, and start none."""
        with self._lock:
            self._look()

    def note(self, job: Job, event: str, **values: Any) -> None:
        """Write an event down; a full disk loses the event, never the move."""
        with contextlib.suppress(OSError):
            self._folder_of(job).note_event(event, self._clock(), job=job.id, **values)

    def ask(self, job: Job, request: Request, patience: float | None) -> bool:
        """Ask a worker to stop at its next safe point; tell whether there was one to ask.

        Args:
            job: whose worker.
            request: how, and who asks.
            patience: seconds until its whole tree is ended; None leaves it all the time that it takes.
        """
        if not self._table.move(job, STOPPABLE, state="stopping"):
            return False
        self._folder_of(job).ask_to_stop(request._replace(nonce=job.nonce))
        self.note(job, f"asked_to_{request.how}", by=request.by)
        if patience is not None:
            self._end_soon(job, patience)
        return True

    def _claim(self, held: set[str]) -> Job | None:
        claim = Claim(self._new_id(), self._me.as_text(), self._clock())
        return self._table.claim_next(claim, held)

    def _start(self, job: Job) -> None:
        """Start the worker of a job that was taken from the queue.

        It is born with the folder's lock. So whoever finds the folder unlocked and this process gone knows that there is none.
        """
        folder = self._folder_of(job)
        reach("jobs.row_written")
        try:
            with locking(folder.path) as lock:
                if lock is None:
                    error = WorkerFault(
                        "jobs.locked", "An earlier worker still runs in this folder. Stop it first."
                    )
                    self._fail(job, error)
                    return
                if not self._table.move(job, {"starting"}, state="starting"):
                    return  # stopped in the meantime
                folder.prepare(job.id, job.kind, job.nonce, **self._conditions.evidence.note())
                identity = self._launcher.start(job.kind, folder, lock)
                reach("jobs.spawned")
        except OSError as error:
            reason = error.strerror or str(error)
            self._fail(
                job,
                WorkerFault(
                    "jobs.cannot_start",
                    "The worker could not be started ({reason}). Mend that, then start again.",
                    reason=reason,
                ),
            )
            return
        self.note(job, "started")
        if identity is not None:
            self._note_identity(job, identity)

    def _fail(self, job: Job, error: WorkerFault) -> None:
        if self._table.move(
            job, {"starting"}, state="failed", finished_at=self._clock(), error=error.as_dict()
        ):
            self.note(job, "failed", error=error.as_dict())

    def _note_identity(self, job: Job, identity: Identity) -> None:
        self._table.move(
            job,
            ACTIVE_STATES,
            pid=identity.pid,
            pid_started=identity.started,
            boot_id=identity.boot_id,
        )

    def _look(self) -> None:
        self._launcher.reap()
        for job in self._table.in_states(ACTIVE_STATES):
            self._look_at(job)

    def _look_at(self, job: Job) -> None:
        folder = self._folder_of(job)
        # Liveness first: a worker that ends between the two looks has left its result by the second one.
        registered = folder.registered(job.nonce)
        worker = registered or _spawned(job)
        alive = worker is not None and is_alive(worker)
        if alive:
            self._move(job, registered, self._observe(job, registered, worker, alive, locked=True))
            return
        # Whoever moves a job whose worker is gone holds its lock meanwhile: nobody starts one between the look and the move.
        with locking(folder.path, patience=0) as lock:
            self._move(job, registered, self._observe(job, registered, worker, alive, locked=lock is None))

    def _observe(
        self, job: Job, registered: Identity | None, worker: Identity | None, alive: bool, locked: bool
    ) -> Observation:
        folder = self._folder_of(job)
        beat = folder.state() if registered is not None else {}
        same_boot = worker is None or worker.boot_id == boot_id()
        now = time.monotonic()
        age = now - beat["monotonic"] if same_boot and "monotonic" in beat else None
        return Observation(
            registered=registered is not None,
            alive=alive,
            locked=locked,
            beating=age is not None and age < LATE_HEARTBEAT,
            result=folder.result(job.nonce),
            claimed=worker is None and _lives(job.claimed_by),
            seconds_since_claim=(self._clock() - (job.started_at or job.queued_at)).total_seconds(),
            rebooted=not same_boot,
            out_of_memory=not alive and self._conditions.evidence.proves(folder.known(job.nonce)),
            quiet=None if age is None or beat.get("waiting") else now - beat["progressed"],
            step_seconds=beat.get("step_seconds", 0.0),
            stall_seconds=self._conditions.stall_seconds,
        )

    def _move(self, job: Job, worker: Identity | None, seen: Observation) -> None:
        move = next_move(job, seen)
        if move is None:
            if job.state == "stopping" and seen.lives:
                self._see_to_its_end(job)
            return
        if move.state in {"running", "stalled"} and worker is not None:
            self._follow(job, worker, move.state == "stalled")
            return
        if seen.alive:
            return  # it has written its result and is on its way out: the lane is free when it is gone
        # A worker that was killed could end nothing of what it had started.
        end_tree(None, job.nonce, 0 if seen.result is None else _LEFTOVER_PATIENCE)
        error = move.error.as_dict() if move.error else None
        changes: dict[str, Any] = {"state": move.state, "error": error}
        if move.state == "queued":
            changes |= {"tries_left": job.tries_left - 1}
        else:
            changes |= {"finished_at": self._clock(), "alone": False}
        if self._table.move(job, {job.state}, **changes):
            self.note(job, "requeued" if move.state == "queued" else move.state, error=error)

    def _follow(self, job: Job, worker: Identity, stalled: bool) -> None:
        """A worker that lives: it has come up, it is stuck, or it gets on again."""
        if job.state == "starting":
            self._note_identity(job, worker)
            if self._table.move(job, {"starting"}, state="running"):
                self.note(job, "running")
        elif stalled and self._table.move(job, {"running"}, state="stalled"):
            self.note(job, "stalled")
            if is_alive(worker):
                os.kill(worker.pid, signal.SIGUSR1)  # it writes the stack of each of its threads into its log
        elif not stalled and self._table.move(job, {"stalled"}, state="running"):
            self.note(job, "recovered")

    def _make_room(self) -> set[str]:
        """Ask resident workers to sleep where the next job needs their memory; gives the lanes that wait for that."""
        if self._conditions.free_mb is None:
            return set()
        active = self._table.in_states(ACTIVE_STATES)
        residents = [job for job in active if job.lane.startswith(RESIDENT)]
        if not residents:
            return set()
        held: set[str] = set()
        seen = {job.lane for job in active}
        for job in self._table.waiting():
            if job.lane in seen:
                continue
            seen.add(job.lane)
            if job.needs_mb is None or self._conditions.free_mb() >= job.needs_mb:
                continue
            held.add(job.lane)
            self._table.move(job, {"queued"}, alone=True)
            for resident in residents:
                if resident.state != "stopping":
                    self.ask(resident, Request("pause", by=job.artefact), _ROOM_PATIENCE)
        return held

    def _see_to_its_end(self, job: Job) -> None:
        """Go on with a stop that another process has begun and not ended; a pause has all its time."""
        request = self._folder_of(job).request()
        if request is None or request.how == "stop":
            self._end_soon(job, STOP_PATIENCE)
        elif job.lane.startswith(RESIDENT):
            self._end_soon(job, _ROOM_PATIENCE)

    def _end_soon(self, job: Job, patience: float) -> None:
        former = self._enders.get(job.id)
        if former is not None and former.is_alive() and patience:
            return
        self._enders = {id_: thread for id_, thread in self._enders.items() if thread.is_alive()}
        thread = threading.Thread(target=self._end, args=(job, patience), name=f"stop-{job.id}")
        self._enders[job.id] = thread
        thread.start()

    def _end(self, job: Job, patience: float) -> None:
        folder = self._folder_of(job)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self._live(job) and folder.result(job.nonce) is None:
            time.sleep(0.1)
        identity = self._live(job)
        # A job that this one has started is a job of its own.
        unfinished = self._table.in_states(ACTIVE_STATES)
        others = {one.pid for one in unfinished if one.pid is not None and one.id != job.id}
        if identity is not None:
            end_tree(identity, job.nonce, _TERM_PATIENCE if patience else 0, others)
        self.tick()

    def _live(self, job: Job) -> Identity | None:
        """The live worker of a job, registered or only started."""
        known = self._folder_of(job).registered(job.nonce) or _spawned(self._table.get(job.id))
        return known if known is not None and is_alive(known) else None


def _spawned(job: Job) -> Identity | None:
    """The worker as its starter noted it."""
    if job.pid is None:
        return None
    return Identity(job.pid, job.pid_started or "", job.boot_id or "")


def _lives(claimed_by: str | None) -> bool:
    return claimed_by is not None and is_alive(Identity.of_text(claimed_by))
