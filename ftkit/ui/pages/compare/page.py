"""The compare page: up to four models answer the same, side by side, as they write.

``?run=`` chooses a run and its base model, ``?sides=`` any models by name, ``?comparison=`` shows a saved one. Answers are untrusted
text: they are shown escaped, never as HTML or Markdown.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, t
from ftkit.ui.pages.compare import panes
from ftkit.ui.pages.compare.chat import Chat
from ftkit.ui.pages.compare.choosing import Chooser
from ftkit.ui.pages.compare.listing import PromptList
from ftkit.ui.pages.compare.shelf import Shelf
from ftkit.ui.parts import asked, page_heading
from ftkit.workspace import Workspace


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("compare")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._note = gr.HTML(elem_id="compare-note")
        with gr.Column(visible=False) as self._form:
            with gr.Column(elem_classes="ft-card"):
                self._chooser = Chooser(workspace)
            with gr.Tabs():
                with gr.Tab(t("compare.tab.chat")):
                    self._chat = Chat(workspace, self._chooser)
                with gr.Tab(t("compare.tab.list"), elem_id="tab-list"):
                    self._list = PromptList(workspace, self._chooser, self._chat.offered)
            self._shelf = Shelf(workspace)
        self._chooser.wire(self._chat.rows, self._chat.offered)
        self._shelf.wire(self._chat, self._list)
        self._outputs = [
            self._note,
            self._form,
            *self._chooser.outputs,
            self._chat.rows,
            self._chat.offered,
            *self._shelf.outputs,
        ]
        gr.on(fn=handler(self._open), outputs=self._outputs, api_name="compare_open")

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        if id_ := asked(request, "comparison"):
            try:
                return self._only(panes.saved(self._workspace.comparisons.saved(id_), lang))
            except FtkitError as error:
                return self._only(_gone(error, lang))
        offered = self._workspace.sides.offered()
        if not offered:
            return self._only(_no_model(lang))
        note: Markup | str = "" if any(side.kind != "base" for side in offered) else _no_run(lang)
        try:
            sides = self._chooser.from_address(request)
        except FtkitError as error:
            sides, note = offered[:1], html.notice("warn", say_error(error, lang))
        return [
            note,
            gr.Column(visible=True),
            *self._chooser.opened(sides, lang),
            *self._chooser.rows(sides, lang),
            *self._shelf.shown(request),
        ]

    def _only(self, shown: Markup) -> list[Any]:
        """Nothing but this."""
        return [shown, *[gr.skip()] * (len(self._outputs) - 1)]


def _gone(error: FtkitError, lang: str) -> Markup:
    again = html.link("/compare", say("compare.saved.back", lang), primary=True)
    return html.notice("warn", say_error(error, lang)) + html.actions(again)


def _no_model(lang: str) -> Markup:
    return html.empty(
        say("compare.nothing.title", lang),
        say("compare.nothing.text", lang),
        html.link("/model", say("compare.nothing.link", lang), primary=True),
    )


def _no_run(lang: str) -> Markup:
    return html.empty(
        say("compare.empty.title", lang),
        say("compare.empty.text", lang),
        html.link("/train", say("compare.empty.link", lang), primary=True),
        html.link("/runs", say("compare.empty.runs", lang)),
    )
