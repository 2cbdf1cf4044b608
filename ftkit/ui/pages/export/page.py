"""The export page: one export with its verification, the form of a new one, and all there are.

``?export=`` chooses one; ``?run=`` fills in the form.
"""

from typing import Any

import gradio as gr

from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.exporting import shown
from ftkit.ui.i18n import language, say
from ftkit.ui.pages.export.making import MakingSection, exportable
from ftkit.ui.pages.export.watching import WatchingSection
from ftkit.ui.parts import asked, page_heading
from ftkit.workspace import Workspace


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("export")
    _Page(workspace)


class _Page:
    """The two sections, and the list below them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._first = gr.HTML(elem_id="export-first")
        one = WatchingSection(workspace)
        MakingSection(workspace)
        self._list = gr.HTML(elem_id="exports")
        shown_here: dict[str, Any] = {
            "fn": handler(self._open), "outputs": [self._first, self._list], "show_progress": "hidden"
        }  # fmt: skip
        gr.on(api_name="export_open", **shown_here)
        one.seen.change(api_name="export_changed", **shown_here)

    def _open(self, request: gr.Request) -> list[Any]:
        lang, chosen = language(request), asked(request, "export")
        found = self._workspace.exports.all()
        first = ""
        if chosen and all(one.export.id != chosen for one in found):
            first = html.notice("warn", say("export.unknown", lang, id=chosen))
        if not found and not exportable(self._workspace):
            return [first + shown.nothing_yet(lang), ""]
        names = {one.run.id: one.run.name for one in self._workspace.training.all()}
        return [first, shown.list_card(found, names, chosen, lang) if found else ""]
