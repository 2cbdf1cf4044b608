"""The resident worker: started by the first question, shared, restarted after it went to sleep."""

import contextlib
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener

import pytest

from ftkit.errors import WorkerFault
from ftkit.jobs.resident import Resident
from ftkit.store.files import write_json
from tests.jobs.conftest import Yard
from tests.jobs.test_service import until


@pytest.fixture
def resident(yard: Yard) -> Resident:
    return Resident(yard.jobs, yard.folders, "echo")


def words(resident: Resident, text: str) -> list[str]:
    return [reply["word"] for reply in resident.ask({"text": text})]


def test_the_first_question_starts_it_and_the_next_finds_it_warm(yard: Yard, resident: Resident) -> None:
    assert words(resident, "one two") == ["one", "two"]
    pid = yard.jobs.of("echo").pid
    assert words(resident, "three") == ["three"]
    assert yard.jobs.of("echo").pid == pid


def test_after_its_sleep_it_comes_back_by_itself(yard: Yard, resident: Resident) -> None:
    words(resident, "one")
    first = yard.jobs.of("echo")
    assert yard.jobs.wait("echo", 15).state == "done"
    assert words(resident, "two") == ["two"]
    assert yard.jobs.of("echo").id != first.id


def test_a_question_that_came_as_it_went_to_sleep_is_asked_again(yard: Yard, resident: Resident) -> None:
    replies = list(resident.ask({"text": "one two", "sleepy": True}))
    assert [reply["word"] for reply in replies] == ["one", "two"]
    assert (yard.folders.work("echo") / "slept").exists()


def test_who_asks_may_look_up_while_nothing_comes(resident: Resident) -> None:
    replies = list(resident.ask({"text": "one two three"}, pulse=0.001))
    assert [reply["word"] for reply in replies if reply] == ["one", "two", "three"]
    assert {} in replies


def test_a_port_that_somebody_else_has_by_now_is_no_worker(yard: Yard, resident: Resident) -> None:
    with Listener(("127.0.0.1", 0), authkey=b"another") as stranger:

        def greet() -> None:
            with contextlib.suppress(AuthenticationError, OSError):
                stranger.accept()

        threading.Thread(target=greet, daemon=True).start()
        write_json(yard.folders.work("echo") / "state.json", {"port": stranger.address[1]})
        assert words(resident, "one") == ["one"]


def test_a_client_that_leaves_ends_the_answer(yard: Yard, resident: Resident) -> None:
    answer = resident.ask({"text": "word " * 2000})
    next(answer)
    answer.close()
    until(lambda: (yard.folders.work("echo") / "client-left").exists())
    assert words(resident, "still here") == ["still", "here"]


def test_a_worker_that_dies_in_mid_answer_is_an_error_with_words(resident: Resident) -> None:
    with pytest.raises(WorkerFault, match="Ask again"):
        list(resident.ask({"die": True}))


def test_stop_frees_it(yard: Yard, resident: Resident) -> None:
    words(resident, "one")
    resident.stop()
    assert yard.jobs.wait("echo", 15).state in {"stopped", "done"}
    begun = time.monotonic()
    resident.stop()
    assert time.monotonic() - begun < 1
