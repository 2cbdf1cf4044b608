"""The state machine: what a job's state is, given what can be seen of its worker.

    queued ──→ starting ──→ running ←──→ stalled
      ↑           │            │            │
      └───────────┤            └─────┬──────┘         stopping: from starting, running and stalled, when somebody asks
     the worker never started,       │
     or the machine restarted,       ▼
     while tries are left      done | failed | stopped | paused | lost

* ``queued``    waits for its lane.
* ``starting``  taken from the queue; its worker is not seen yet.
* ``running``   its worker is registered and alive.
* ``stalled``   its worker is alive, but neither its phase nor its step has changed for longer than ``Limits`` allow. Nothing is
                done to it: it runs again as soon as it gets on, and a stop works as ever.
* ``stopping``  somebody asked it to stop or to pause; it ends as whatever its worker says, or as ``stopped``.
* ``done``, ``failed``, ``stopped``, ``paused``  what the worker said in its result. ``paused`` waits for a person: who asked for
                it, or who frees the disk that was full.
* ``lost``      its worker ended without a word; the error says what is proven of the cause.

A job that has ended never changes again; to go on from it is a new job of the same artefact. Out of the queue a job can also be
stopped or paused directly. Pure: an observation in, a move out. It looks at no process and no file.
"""

from typing import Any, NamedTuple

from ftkit.errors import FtkitError, WorkerFault
from ftkit.records import Job, JobState

# Between taking a job from the queue and starting its worker lie milliseconds; who needs longer than this is not doing it.
START_LIMIT = 60.0
# A step that takes this many times the median one is no longer a slow one.
_SLOW_STEPS = 10.0

OUTCOMES: frozenset[str] = frozenset({"done", "failed", "stopped", "paused"})
STOPPABLE: frozenset[JobState] = frozenset({"starting", "running", "stalled", "stopping"})


class Observation(NamedTuple):
    """What can be seen of a job's worker.

    Args:
        registered: it has registered for this start.
        alive: its process lives, registered or only spawned.
        locked: somebody holds the folder's lock: the worker, from its birth on, or a process that it left behind.
        beating: its heartbeat is fresh.
        result: what it ended with.
        claimed: the process that took the job from the queue lives and has not spawned a worker yet.
        seconds_since_claim: since it was taken from the queue.
        rebooted: the machine was restarted since.
        out_of_memory: the kernel ended a process for want of memory since.
        quiet: seconds since the worker last got on; None where it waits for others, or never said.
        step_seconds: the median step; 0 while unknown.
        stall_seconds: how long a worker may be quiet whatever its steps take.
    """

    registered: bool = False
    alive: bool = False
    locked: bool = False
    beating: bool = False
    result: dict[str, Any] | None = None
    claimed: bool = False
    seconds_since_claim: float = 0.0
    rebooted: bool = False
    out_of_memory: bool = False
    quiet: float | None = None
    step_seconds: float = 0.0
    stall_seconds: float = 120.0

    @property
    def lives(self) -> bool:
        """Whether its worker lives; with an unknown pid, in another container, the lock and the heartbeat say it."""
        return self.alive or (self.locked and (self.beating or not self.registered))

    @property
    def stalled(self) -> bool:
        """Whether it has been quiet for too long."""
        return self.quiet is not None and self.quiet > max(
            self.stall_seconds, _SLOW_STEPS * self.step_seconds
        )


class Move(NamedTuple):
    """The state that a job should be in, with the reason where it ended badly."""

    state: JobState
    error: FtkitError | None = None


def next_move(job: Job, seen: Observation) -> Move | None:
    """Where an active job should go; None to leave it."""
    if seen.result is not None:
        return _ended(job, seen.result)
    if seen.lives:
        return _living(job, seen)
    if job.state == "stopping":
        return Move("stopped")
    if not seen.registered:
        return _not_started(job, seen)
    return _vanished(job, seen)


def _living(job: Job, seen: Observation) -> Move | None:
    if not seen.registered:
        return None
    if job.state == "starting" or (job.state == "stalled" and not seen.stalled):
        return Move("running")
    if job.state == "running" and seen.stalled:
        return Move("stalled")
    return None


def _not_started(job: Job, seen: Observation) -> Move | None:
    if seen.claimed and seen.seconds_since_claim < START_LIMIT:
        return None
    return _once_more(
        job, WorkerFault("jobs.never_started", "The worker did not start. Look at its log, then start again.")
    )


def _vanished(job: Job, seen: Observation) -> Move:
    if seen.rebooted:
        return _once_more(
            job,
            WorkerFault(
                "jobs.rebooted",
                "The machine restarted while it ran. Resume to go on from its last checkpoint.",
            ),
        )
    if seen.out_of_memory:
        return Move(
            "lost",
            WorkerFault(
                "jobs.memory_limit",
                "The system ended the worker because memory ran out. Use a smaller batch or shorter rows, or end other "
                "programs; then resume to go on from its last checkpoint.",
            ),
        )
    return Move(
        "lost",
        WorkerFault(
            "jobs.vanished",
            "The worker ended without a word, killed by something; the cause is unknown. Resume to go on from its last "
            "checkpoint.",
        ),
    )


def _once_more(job: Job, reason: WorkerFault) -> Move:
    """Into the queue again while tries are left: nothing that a person did is the cause."""
    return Move("queued" if job.tries_left > 0 else "lost", reason)


def _ended(job: Job, result: dict[str, Any]) -> Move:
    outcome = result.get("outcome")
    if outcome not in OUTCOMES:
        return Move(
            "failed", WorkerFault("jobs.bad_result", "The worker's result cannot be read. Start again.")
        )
    error = result.get("error")
    if outcome == "stopped" and job.state != "stopping":
        return Move(
            "stopped",
            WorkerFault(
                "jobs.interrupted",
                "It was ended from outside, by a signal, as when a machine shuts down; it had time to save. Resume to go on.",
            ),
        )
    return Move(outcome, FtkitError.from_dict(error) if error else None)
