"""The owner's page of rating studies: all of them and the form of a new one, or one study live.

``?study=`` chooses a study; without it ``?sides=``, ``?run=``, ``?split=`` and ``?part=`` fill in the form.
"""

from typing import Any

import gradio as gr

from ftkit.errors import NotFound
from ftkit.ratings.sides.names import Side
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say
from ftkit.ui.pages.ratings.making import MakingSection
from ftkit.ui.pages.ratings.watching import WatchingSection
from ftkit.ui.parts import asked, page_heading
from ftkit.ui.ratings import studies
from ftkit.workspace import Workspace


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("ratings")
    _Page(workspace)


class _Page:
    """The list, and the two sections."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._list = gr.HTML(elem_id="studies")
        WatchingSection(workspace)
        MakingSection(workspace)
        gr.on(fn=handler(self._open), outputs=self._list, api_name="ratings_open", show_progress="hidden")

    def _open(self, request: gr.Request) -> Any:
        lang, chosen = language(request), asked(request, "study")
        note = ""
        if chosen:
            try:
                self._workspace.studies.get(chosen)
            except NotFound:
                note = html.notice("warn", say("ratings.unknown", lang, id=chosen))
            else:
                return html.actions(html.link("/ratings", say("ratings.back", lang)))
        found = self._workspace.studies.all()
        if not found and not any(side.kind == "run" for side in self._workspace.sides.offered()):
            return note + studies.nothing_to_rate(lang)
        names = {name for one in found for name in one.study.sides}
        labels = {name: self._workspace.sides.label(Side.parse(name)) for name in names}
        return note + studies.studies_card(found, labels, lang) if found else note
