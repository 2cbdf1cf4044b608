"""Where the questions of other processes come in: an authenticated loopback listener, and those who wait for their turn.

Takes a key, gives waiting clients with their requests in the order of arrival. It answers nothing but "ask again" when it closes.
"""

import contextlib
import threading
import traceback
from collections import deque
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from types import TracebackType
from typing import Any, NamedTuple, Self

from ftkit.errors import FtkitError, UserError, WorkerFault
from ftkit.jobs.messages import receive, send

_REQUEST_SECONDS = 10.0  # a client sends its request as soon as it is connected
_GREETING_SECONDS = 2.0
_BACKLOG = 128  # who comes while nobody accepts; beyond it a client waits for ever


class Waiting(NamedTuple):
    """A client with its request."""

    connection: Connection
    request: dict[str, Any]


class Door:
    """Use it as a context manager: whoever still waits when it closes is told to ask again."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._listener = Listener(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._listener.address[1]
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._greeted = 0  # clients that are just coming in
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def next(self, seconds: float) -> Waiting | None:
        """Who is first; None where nobody has come for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, seconds)
            return self._waiting.popleft() if self._waiting else None

    def next_if(self, fits: Callable[[Waiting], bool]) -> Waiting | None:
        """Who is first, if ``fits`` says so; nobody overtakes them."""
        with self._changed:
            return self._waiting.popleft() if self._waiting and fits(self._waiting[0]) else None

    def _accept(self) -> None:
        """Greet every client in a thread of its own, so that a silent stranger holds up nobody; ends with the listener."""
        while True:
            try:
                connection = self._listener.accept()
            except ConnectionError:
                continue  # it left before it was accepted
            except OSError:
                return
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: Connection) -> None:
        """Queue a client that proves that it knows the key, as ``Listener(authkey=…)`` would, and says what it wants."""
        try:
            deliver_challenge(connection, self._key)
            answer_challenge(connection, self._key)
        except (AuthenticationError, EOFError, OSError):
            connection.close()
            return
        with self._changed:
            self._greeted += 1
        try:
            request = receive(connection) if connection.poll(_REQUEST_SECONDS) else None
        except (EOFError, OSError, ValueError):
            request = None
        if request is None or not self._let_in(Waiting(connection, request)):
            _send_away(connection, again=request is not None)
        with self._changed:
            self._greeted -= 1
            self._changed.notify_all()

    def _let_in(self, client: Waiting) -> bool:
        with self._changed:
            if not self._closed:
                self._waiting.append(client)
                self._changed.notify_all()
            return not self._closed

    def close(self) -> None:
        """Let nobody in any more; whoever waits is told to ask again."""
        self._listener.close()
        with self._changed:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            _send_away(one.connection, again=True)
        with self._changed:
            self._changed.wait_for(lambda: not self._greeted, _GREETING_SECONDS)

    def __enter__(self) -> Self:
        """Nothing more than the door itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class Client:
    """One who waits for an answer and gets the newest state of it. A slow or silent one holds up nobody.

    Whole answers are sent, so that one which was not sent in time is replaced by the next.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._next: dict[str, Any] | None = None
        self._last = False
        self._lost = False
        self._thread = threading.Thread(target=self._send_all, daemon=True)
        self._thread.start()

    def tell(self, reply: dict[str, Any], *, last: bool = False) -> None:
        """The state of the answer; after the last one the connection is closed."""
        with self._changed:
            self._next, self._last = reply, last
            self._changed.notify()

    @property
    def gone(self) -> bool:
        """Whether nobody waits any more: a client says nothing after its request, so what can be read is its end."""
        try:
            return self._lost or self._connection.poll()
        except OSError:
            return True

    def drop(self) -> None:
        """Send nothing more."""
        with self._changed:
            self._lost = True
            self._changed.notify()

    @property
    def ended(self) -> bool:
        """Whether it has got its last reply, or left."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Until it has ended."""
        self._thread.join(seconds)

    def _send_all(self) -> None:
        last = False
        try:
            while not last:
                with self._changed:
                    self._changed.wait_for(lambda: self._next is not None or self._lost)
                    reply, last, self._next = self._next, self._last, None
                if reply is None:
                    break
                send(self._connection, reply)
            if last:
                send(self._connection, {"end": True})
        except OSError:
            self._lost = True
        self._connection.close()


def _send_away(connection: Connection, *, again: bool) -> None:
    with contextlib.suppress(OSError):
        if again:
            send(connection, {"again": True})
    connection.close()


def error_reply(error: Exception) -> dict[str, Any]:
    """What a client is told of an error; one that nobody has foreseen is written to the log, too."""
    if isinstance(error, FtkitError):
        return {"error": error.as_dict(), "mistake": isinstance(error, UserError)}
    traceback.print_exception(error)
    fault = WorkerFault("jobs.failed", "{reason}", reason=f"{type(error).__name__}: {error}"[:600])
    return {"error": fault.as_dict()}
