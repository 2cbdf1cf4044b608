"""The state machine as a table."""

from datetime import UTC, datetime

import pytest

from ftkit.jobs.states import START_LIMIT, Observation, next_move
from ftkit.records import Job

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(state: str) -> Job:
    return Job(id="j", kind="train", lane="compute", artefact="a", state=state, nonce="n", queued_at=NOW)


def seen(registered=False, alive=False, locked=False, result=None, seconds=1.0) -> Observation:
    return Observation(registered, alive, locked, result, seconds)


@pytest.mark.parametrize(
    ("state", "observation", "expected"),
    [
        ("starting", seen(), None),
        ("starting", seen(seconds=START_LIMIT + 1), "lost"),
        ("starting", seen(locked=True, seconds=START_LIMIT + 1), None),
        ("starting", seen(registered=True, alive=True), "running"),
        ("starting", seen(registered=True), "lost"),
        ("running", seen(registered=True, alive=True), None),
        ("running", seen(registered=True), "lost"),
        ("running", seen(registered=True, result={"outcome": "done"}), "done"),
        ("running", seen(registered=True, result={"outcome": "stopped"}), "stopped"),
        ("running", seen(registered=True, result={"outcome": "nonsense"}), "failed"),
        ("stopping", seen(registered=True, alive=True), None),
        ("stopping", seen(registered=True), "stopped"),
        ("stopping", seen(registered=True, result={"outcome": "done"}), "done"),
    ],
)
def test_moves(state: str, observation: Observation, expected: str | None) -> None:
    move = next_move(job(state), observation)
    assert (move.state if move else None) == expected


def test_an_error_keeps_its_key_and_values() -> None:
    error = {"key": "a.b", "text": "Value {v} is wrong.", "values": {"v": "3"}}
    move = next_move(job("running"), seen(registered=True, result={"outcome": "failed", "error": error}))
    assert move is not None
    assert move.error is not None
    assert (move.error.key, str(move.error)) == ("a.b", "Value 3 is wrong.")
