"""From an engine's iterator, which runs in a thread, to answers that the event loop can wait for.

Takes an engine with a request, gives the newest answer each time there is one. Leaving it ends the generation of this request only. It
knows no client.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable

from ftkit.errors import Fault, FtkitError, Refused
from ftkit.serving.engines.asking import Answer, Asked, Engine, Source

_LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)


class ClientGone(Exception):  # noqa: N818 - not an error: nobody waits any more
    """The client has gone away."""


class Asking:
    """One answer on its way. Make it within the event loop."""

    def __init__(self, engine: Engine, source: Source, asked: Asked, seconds: float) -> None:
        """``seconds``: how long the whole answer may take."""
        self._engine, self._source, self._asked = engine, source, asked
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + seconds
        self._seconds = seconds
        self._changed = asyncio.Event()
        self._left = threading.Event()
        self._newest: Answer | None = None
        self._seen: Answer | None = None
        self._error: FtkitError | None = None
        self._ended = False
        threading.Thread(target=self._run, name="answer", daemon=True).start()

    async def newest(self, gone: Callable[[], Awaitable[bool]]) -> Answer | None:
        """The newest answer that was not given yet; None after the last one.

        Args:
            gone: tells whether the client has gone away; asked twice a second.

        Raises:
            FtkitError: the engine's.
            Refused: it takes too long.
            ClientGone: it has.
        """
        while self._newest is self._seen:
            if self._error is not None:
                raise self._error
            if self._ended:
                return None
            if self._loop.time() > self._deadline:
                raise Refused(
                    "gateway.too_slow",
                    "The answer took longer than {seconds:.0f} s. Ask for fewer tokens, or again when fewer others do.",
                    seconds=self._seconds,
                )
            await self._wait()
            if await gone():
                raise ClientGone
        self._seen = self._newest
        return self._seen

    def leave(self) -> None:
        """Nobody waits any more: the generation ends with its next token."""
        self._left.set()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), _LOOK_SECONDS)
        self._changed.clear()

    def _run(self) -> None:
        """In a thread of its own."""
        error: FtkitError | None = None
        try:
            answers = self._engine.answer(self._source, self._asked)
            try:
                for answer in answers:
                    if self._left.is_set():
                        break
                    self._tell(answer, None, False)
            finally:
                getattr(answers, "close", _nothing)()
        except FtkitError as problem:
            error = problem
        except Exception as problem:  # noqa: BLE001 - the top of a thread: nobody above could handle it
            _log.exception("An engine failed")
            error = Fault(
                "gateway.failed",
                "The engine failed ({kind}). The server's log says more.",
                kind=type(problem).__name__,
            )
        self._tell(None, error, True)

    def _tell(self, answer: Answer | None, error: FtkitError | None, ended: bool) -> None:
        def note() -> None:
            self._newest = answer or self._newest
            self._error = self._error or error
            self._ended = ended
            self._changed.set()

        with contextlib.suppress(RuntimeError):  # the server has ended meanwhile
            self._loop.call_soon_threadsafe(note)


def _nothing() -> None:
    """Of an iterator that holds nothing."""
