"""Whom the page is answering now, and whether that is to end.

Takes the id of a browser session. The handler that answers looks at it between two tokens and ends by itself, so what it shows last
is what the page shows: Gradio's own cancelling may come before or after answers that are on their way to the page.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import gradio as gr

End = Literal["", "stopped", "cleared"]
_PATIENCE = 10.0  # seconds; a model that is being loaded is not waited for


class Running:
    """Sessions with an answer on the way."""

    def __init__(self) -> None:
        self._sessions: dict[str | None, End] = {}
        self._changed = threading.Condition()

    @contextmanager
    def answering(self, request: gr.Request) -> Iterator[Callable[[], End]]:
        """While this lasts, the session is answered; gives what tells how it is to end, "" as long as it goes on."""
        session = request.session_hash
        with self._changed:
            self._sessions[session] = ""
        try:
            yield lambda: self._sessions[session]
        finally:
            with self._changed:
                del self._sessions[session]
                self._changed.notify_all()

    def end(self, request: gr.Request, how: End) -> None:
        """Have the answer end that is on the way to the session; nothing where there is none."""
        with self._changed:
            if request.session_hash in self._sessions:
                self._sessions[request.session_hash] = how

    def busy(self, request: gr.Request) -> bool:
        """Whether an answer is on the way to the session."""
        with self._changed:
            return request.session_hash in self._sessions

    def wait(self, request: gr.Request, patience: float = _PATIENCE) -> None:
        """Return once nothing is on the way to the session any more, or after ``patience``."""
        with self._changed:
            self._changed.wait_for(lambda: request.session_hash not in self._sessions, patience)
