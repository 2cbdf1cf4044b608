"""What a stop says waits for the last answer of its own session."""

import threading
import time
from types import SimpleNamespace

from ftkit.ui.pages.compare.running import Running

MINE, OTHER = SimpleNamespace(session_hash="mine"), SimpleNamespace(session_hash="other")


def test_a_stop_waits_for_its_own_session_alone() -> None:
    running, release, ended = Running(), threading.Event(), []

    def answer() -> None:
        with running.answering(MINE):
            release.wait(20)
            ended.append(time.monotonic())

    thread = threading.Thread(target=answer)
    with running.answering(OTHER):
        thread.start()
        while not running._sessions[1:]:
            time.sleep(0.01)
        running.wait(MINE, patience=0.05)
        assert not ended
        threading.Timer(0.1, release.set).start()
        running.wait(MINE)
        assert ended
    thread.join()
