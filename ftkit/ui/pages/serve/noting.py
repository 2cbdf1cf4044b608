"""What a person is told once a switch was made: a toast in their language.

Takes a request and a text's key, gives nothing back. Names in it come from people and stay text.
"""

from html import escape

import gradio as gr

from ftkit.ui.i18n import language, say


def note(request: gr.Request, key: str, **values: str) -> None:
    """Say it; toasts render HTML, so all of it is escaped."""
    gr.Info(escape(say(key, language(request), **values)))
