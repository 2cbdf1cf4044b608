"""A stop reaches the answer of its own session, and whoever clears the page waits for its end."""

import threading
import time
from types import SimpleNamespace

from ftkit.ui.watching.answering import Running

MINE, OTHER = SimpleNamespace(session_hash="mine"), SimpleNamespace(session_hash="other")


def test_a_stop_ends_its_own_session_alone() -> None:
    running, ended = Running(), []

    def answer() -> None:
        with running.answering(MINE) as how:
            while not how():
                time.sleep(0.01)
            ended.append(how())

    thread = threading.Thread(target=answer)
    with running.answering(OTHER) as others:
        thread.start()
        while MINE.session_hash not in running._sessions:
            time.sleep(0.01)
        running.wait(MINE, patience=0.05)
        assert not ended
        running.end(MINE, "stopped")
        running.wait(MINE)
        assert ended == ["stopped"]
        assert others() == ""
    thread.join()


def test_a_stop_of_nothing_does_not_wait_for_the_next_answer() -> None:
    running = Running()
    running.end(MINE, "stopped")
    with running.answering(MINE) as how:
        assert how() == ""
