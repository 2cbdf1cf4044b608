from pathlib import Path

import pytest

from ftkit.errors import BadInput, WorkerFault
from ftkit.jobs.call import call_worker
from ftkit.settings import Settings

ENVIRONMENT = {
    **Settings.from_environment().worker_environment(),
    "PYTHONPATH": str(Path(__file__).parents[2]),
}


def ask(number: object, seconds: float = 60) -> object:
    return call_worker("question", {"number": number}, ENVIRONMENT, seconds, package="tests.jobs.fakes")


def test_a_question_gets_its_answer_and_nothing_else() -> None:
    assert ask(21) == 42


def test_a_mistake_of_the_user_comes_back_as_one() -> None:
    with pytest.raises(BadInput, match="-1 is negative") as caught:
        ask(-1)
    assert caught.value.key == "test.negative"


def test_a_crash_is_named_by_its_last_line() -> None:
    with pytest.raises(WorkerFault, match="TypeError"):
        ask(None)


def test_a_slow_worker_is_given_up() -> None:
    with pytest.raises(WorkerFault, match="longer than"):
        ask(1, seconds=0.01)
