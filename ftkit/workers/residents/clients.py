"""The clients of a resident worker: greeted as they come, answered one after another until nobody has asked for a while.

Takes the worker and what answers a request, speaks JSON over an authenticated loopback connection. It knows nothing of what is asked.
"""

import contextlib
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from typing import Any

from ftkit.errors import FtkitError, UserError, WorkerFault
from ftkit.jobs.messages import receive, send
from ftkit.workers.harness import Worker

IDLE_SECONDS = 600.0
_LOOK_SECONDS = 0.5
_REQUEST_SECONDS = 10.0  # a client sends its request as soon as it is connected

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def answer_clients(worker: Worker, answer: Answer, phase: str, memory_mb: Callable[[], int]) -> int:
    """Answer until told to stop, or until nobody has asked for ``IDLE_SECONDS``; tells how many were answered.

    Args:
        worker: its folder holds the key that a client has to know.
        answer: makes a reply of a request; what it raises is told to the client.
        phase: what the worker is doing meanwhile.
        memory_mb: what it holds.
    """
    waiting: queue.Queue[Connection] = queue.Queue()
    answered = 0
    key = (worker.path / "key").read_bytes()
    with Listener(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, key, waiting), daemon=True).start()
        port = listener.address[1]
        worker.progress("ready", waiting=True, port=port)
        idle_since = time.monotonic()
        while not worker.stop_asked() and time.monotonic() - idle_since < IDLE_SECONDS:
            with contextlib.suppress(queue.Empty), waiting.get(timeout=_LOOK_SECONDS) as connection:
                worker.progress(phase, port=port)
                answered += _answer_client(answer, connection)
                worker.progress("ready", waiting=True, port=port, memory_mb=memory_mb())
                idle_since = time.monotonic()
        worker.progress("stopping", port=None)
    return answered


def _accept(listener: Listener, key: bytes, waiting: "queue.Queue[Connection]") -> None:
    """Greet every client in a thread of its own, so that a silent stranger holds up nobody; ends with the listener."""
    while True:
        try:
            connection = listener.accept()
        except ConnectionError:
            continue  # it left before it was accepted
        except OSError:
            return
        threading.Thread(target=_greet, args=(connection, key, waiting), daemon=True).start()


def _greet(connection: Connection, key: bytes, waiting: "queue.Queue[Connection]") -> None:
    """Queue a client that proves that it knows the key, as ``Listener(authkey=…)`` would."""
    try:
        deliver_challenge(connection, key)
        answer_challenge(connection, key)
    except (AuthenticationError, EOFError, OSError):
        connection.close()
    else:
        waiting.put(connection)


def _answer_client(answer: Answer, connection: Connection) -> bool:
    """Answer one client; tells whether it got its answer."""
    try:
        if not connection.poll(_REQUEST_SECONDS):
            return False
        send(connection, _reply(answer, receive(connection)))
        send(connection, {"end": True})
    except (EOFError, ConnectionError):
        return False  # the client went away
    return True


def _reply(answer: Answer, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return answer(request)
    except FtkitError as error:
        return {"error": error.as_dict(), "mistake": isinstance(error, UserError)}
    except Exception as error:  # noqa: BLE001 - one request that fails must not end the worker
        # What an exception says may hold what was asked, which stays out of the log and of the reply.
        print(type(error).__name__, *traceback.format_tb(error.__traceback__), sep="\n", file=sys.stderr)  # noqa: T201 - the log
        fault = WorkerFault("jobs.failed", "{reason}", reason=type(error).__name__)
        return {"error": fault.as_dict()}
