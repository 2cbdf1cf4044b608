"""The state machine as a table, and every branch of it."""

from datetime import UTC, datetime
from itertools import product

import pytest

from ftkit.jobs.states import OUTCOMES, START_LIMIT, STOPPABLE, Observation, next_move
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Job

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ERROR = {"key": "a.b", "text": "Value {v} is wrong.", "values": {"v": "3"}}


def job(state: str, tries: int = 0) -> Job:
    return Job(
        id="j", kind="train", lane="compute", artefact="a", state=state, nonce="n", queued_at=NOW, tries_left=tries
    )  # fmt: skip


def seen(**values) -> Observation:
    return Observation(**values)


def up(**values) -> Observation:
    return Observation(registered=True, alive=True, locked=True, beating=True, **values)


def gone(**values) -> Observation:
    return Observation(registered=True, **values)


TABLE = [
    # Taken from the queue, worker not seen yet.
    ("starting", seen(claimed=True), None, None),
    ("starting", seen(claimed=True, seconds_since_claim=START_LIMIT + 1), "lost", "jobs.never_started"),
    ("starting", seen(), "lost", "jobs.never_started"),
    ("starting", seen(locked=True, seconds_since_claim=START_LIMIT + 1), None, None),
    ("starting", seen(alive=True, locked=True), None, None),
    ("starting", up(), "running", None),
    ("starting", gone(), "lost", "jobs.vanished"),
    # It runs, gets stuck, gets on.
    ("running", up(), None, None),
    ("running", up(quiet=119), None, None),
    ("running", up(quiet=121), "stalled", None),
    ("running", up(quiet=121, step_seconds=13), None, None),
    ("running", up(quiet=131, step_seconds=13), "stalled", None),
    ("running", up(quiet=3, stall_seconds=2), "stalled", None),
    ("stalled", up(quiet=121), None, None),
    ("stalled", up(quiet=1), "running", None),
    ("stalled", up(), "running", None),
    ("stalled", gone(), "lost", "jobs.vanished"),
    # It ends without a word.
    ("running", gone(), "lost", "jobs.vanished"),
    ("running", gone(out_of_memory=True), "lost", "jobs.memory_limit"),
    ("running", gone(rebooted=True), "lost", "jobs.rebooted"),
    # In another container its pid means nothing: its lock and its heartbeat do. What it left behind has only the lock.
    ("running", gone(locked=True, beating=True), None, None),
    ("running", gone(locked=True), "lost", "jobs.vanished"),
    # It says how it ended.
    ("running", gone(result={"outcome": "done"}), "done", None),
    ("running", gone(result={"outcome": "failed", "error": ERROR}), "failed", "a.b"),
    ("running", gone(result={"outcome": "paused", "error": ERROR}), "paused", "a.b"),
    ("running", gone(result={"outcome": "stopped"}), "stopped", "jobs.interrupted"),
    ("running", gone(result={"outcome": "nonsense"}), "failed", "jobs.bad_result"),
    # Somebody asked it to.
    ("stopping", up(quiet=1000), None, None),
    ("stopping", seen(), "stopped", None),
    ("stopping", gone(), "stopped", None),
    ("stopping", gone(result={"outcome": "stopped"}), "stopped", None),
    ("stopping", gone(result={"outcome": "paused"}), "paused", None),
    ("stopping", gone(result={"outcome": "done"}), "done", None),
]


@pytest.mark.parametrize(("state", "observation", "expected", "reason"), TABLE)
def test_moves(state: str, observation: Observation, expected: str | None, reason: str | None) -> None:
    move = next_move(job(state), observation)
    assert (move.state if move else None) == expected
    assert (move.error.key if move and move.error else None) == reason


@pytest.mark.parametrize(
    ("observation", "reason"), [(seen(), "jobs.never_started"), (gone(rebooted=True), "jobs.rebooted")]
)
def test_what_nobody_did_is_tried_again_while_tries_are_left(observation: Observation, reason: str) -> None:
    again = next_move(job("starting", tries=1), observation)
    assert again is not None
    assert (again.state, again.error.key) == ("queued", reason)
    assert next_move(job("starting", tries=0), observation).state == "lost"


@pytest.mark.parametrize(
    "observation", [gone(), gone(out_of_memory=True), gone(result={"outcome": "failed"})]
)
def test_a_worker_that_had_begun_is_never_started_again_by_itself(observation: Observation) -> None:
    assert next_move(job("running", tries=2), observation).state in {"lost", "failed"}


def test_an_error_keeps_its_key_and_values() -> None:
    move = next_move(job("running"), gone(result={"outcome": "failed", "error": ERROR}))
    assert str(move.error) == "Value 3 is wrong."


def test_whatever_is_seen_the_machine_has_an_answer() -> None:
    """Every active state × every observation: a move only where one is drawn, and nothing is ended while its worker lives."""
    results = [None, {}, *({"outcome": outcome} for outcome in OUTCOMES)]
    flags = list(product([False, True], repeat=7))
    for state, result, bits, quiet in product(sorted(ACTIVE_STATES), results, flags, [None, 1.0, 1000.0]):
        registered, alive, locked, beating, claimed, rebooted, out_of_memory = bits
        looked = Observation(
            registered, alive, locked, beating, result, claimed, 1.0, rebooted, out_of_memory, quiet
        )
        move = next_move(job(state), looked)
        if move is None:
            assert result is None
            assert looked.lives or (claimed and state != "stopping")
        elif result is None and looked.lives:
            assert move.state in {"running", "stalled"} - {state}
        else:
            assert move.state in ENDED_STATES


def test_only_an_active_job_can_be_stopped() -> None:
    assert STOPPABLE == ACTIVE_STATES
