"""The state machine: what a job's state is, given what can be seen of its worker.

    queued → starting → running → done | failed | stopped | lost
                 └──────────┴→ stopping → stopped | done | failed

Pure: an observation in, a move out. It looks at no process and no file.
"""

from typing import Any, NamedTuple

from ftkit.errors import FtkitError, WorkerFault
from ftkit.records import Job, JobState

# A worker registers before it imports anything heavy; a machine that needs longer than this is not starting it.
START_LIMIT = 60.0

OUTCOMES: frozenset[str] = frozenset({"done", "failed", "stopped", "paused"})


class Observation(NamedTuple):
    """What can be seen of a job's worker."""

    registered: bool
    alive: bool
    locked: bool
    result: dict[str, Any] | None
    seconds_since_start: float


class Move(NamedTuple):
    """The state that a job should be in, with the reason where it ended badly."""

    state: JobState
    error: FtkitError | None = None


def next_move(job: Job, seen: Observation) -> Move | None:
    """Where an active job should go; None to leave it."""
    if seen.result is not None:
        return _ended(seen.result)
    if seen.alive or seen.locked:
        return Move("running") if job.state == "starting" and seen.registered else None
    if job.state == "starting" and not seen.registered and seen.seconds_since_start < START_LIMIT:
        return None
    if job.state == "stopping":
        return Move("stopped")
    if not seen.registered:
        return Move(
            "lost",
            WorkerFault("jobs.never_started", "The worker did not start. Look at its log, then start again."),
        )
    return Move(
        "lost",
        WorkerFault(
            "jobs.vanished",
            "The worker ended without a word: killed, or the machine restarted; the cause is unknown. "
            "Resume to go on from its last checkpoint.",
        ),
    )


def _ended(result: dict[str, Any]) -> Move:
    outcome = result.get("outcome")
    if outcome not in OUTCOMES:
        return Move(
            "failed", WorkerFault("jobs.bad_result", "The worker's result cannot be read. Start again.")
        )
    error = result.get("error")
    return Move(outcome, FtkitError.from_dict(error) if error else None)
