"""How far a running worker is, and how long it has got on with nothing.

Takes a job and its worker's heartbeat. It does not judge whether that is too long: supervision does.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftkit.records import ACTIVE_STATES, LATE_HEARTBEAT, Job


@dataclass(frozen=True)
class Progress:
    """How far a running worker is.

    ``quiet`` is for how many seconds neither its phase nor its step has changed.
    """

    phase: str
    step: int
    steps: int
    seconds_left: float | None
    heartbeat: float
    quiet: float = 0.0


def progress_of(job: Job, state: Mapping[str, Any]) -> Progress | None:
    """How far a worker is by its heartbeat; None where none works."""
    if not state or job.state not in ACTIVE_STATES:
        return None
    silent = time.time() - state["time"]
    return Progress(
        phase=state["phase"],
        step=state.get("step", 0),
        steps=state.get("steps", 0),
        seconds_left=state.get("seconds_left"),
        heartbeat=state["time"],
        quiet=_quiet(state) + (silent if silent > LATE_HEARTBEAT else 0.0),
    )


def _quiet(state: Mapping[str, Any]) -> float:
    """By the worker's own clock, at its last heartbeat."""
    if "monotonic" not in state or state.get("waiting"):
        return 0.0
    return max(0.0, float(state["monotonic"] - state.get("progressed", state["monotonic"])))
