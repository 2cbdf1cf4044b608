"""Whom the page is answering now, so that what a stop says comes after the last answer and not before it.

Takes the id of a browser session. It stops nothing: Gradio cancels the handler, which ends at its next token.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

_PATIENCE = 10.0  # seconds; a model that is being loaded is not waited for


class Running:
    """Sessions with an answer on the way."""

    def __init__(self) -> None:
        self._sessions: list[str | None] = []
        self._changed = threading.Condition()

    @contextmanager
    def answering(self, request: gr.Request) -> Iterator[None]:
        """While this lasts, the session is answered."""
        session = request.session_hash
        with self._changed:
            self._sessions.append(session)
        try:
            yield
        finally:
            with self._changed:
                self._sessions.remove(session)
                self._changed.notify_all()

    def wait(self, request: gr.Request, patience: float = _PATIENCE) -> None:
        """Return once nothing is on the way to the session any more, or after ``patience``."""
        with self._changed:
            self._changed.wait_for(lambda: request.session_hash not in self._sessions, patience)
