"""One export on its page: how far it is, what can be done with it, and, once it is done, how it was verified and its files.

``?export=`` chooses it. Takes the workspace, gives components; while the worker works, it looks by itself.
"""

from typing import Any

import gradio as gr

from ftkit.errors import NotFound
from ftkit.records import ENDED_STATES
from ftkit.ui.border import handler
from ftkit.ui.exporting import shown
from ftkit.ui.i18n import language, t
from ftkit.ui.parts import AskFirst, asked, destination, go
from ftkit.workspace import Workspace

_EVERY = 1.5
_AGAIN = frozenset({"failed", "stopped", "paused", "lost"})


class WatchingSection:
    """Its components, and the clock that looks; ``seen`` changes whenever something else is to be seen."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.seen = gr.State("")
        self._where = destination()
        self._timer = gr.Timer(_EVERY, active=False)
        self._deleting = AskFirst(
            "export-delete", t("export.delete.sure"), t("export.delete.yes"), t("export.delete.no")
        )
        looks: dict[str, Any] = {"visible": False, "min_width": 120}
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="export-one") as self._card:
            self._head = gr.HTML(elem_id="export-head")
            self._result = gr.HTML(elem_id="export-result")
            with gr.Row(elem_classes="ft-actions"):
                self._retry = gr.Button(t("export.retry"), variant="primary", elem_id="export-retry", **looks)
                self._stop = gr.Button(t("export.stop"), variant="stop", elem_id="export-stop", **looks)
                self._deleting.lay_out_button(t("export.delete"), min_width=120, size="md")
            self._deleting.lay_out_question()
        self._wire()

    def _wire(self) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        outputs = [
            self.seen, self._card, self._head, self._result, self._retry, self._stop, self._deleting.button,
            self._timer,
        ]  # fmt: skip
        gr.on(fn=handler(self._arrive), outputs=outputs, api_name="export_one", **quiet)
        self._timer.tick(
            handler(self._show), self.seen, outputs, trigger_mode="once", api_name="export_tick", **quiet
        )
        for button, act, name in (
            (self._retry, self._retry_it, "retry"),
            (self._stop, self._stop_it, "stop"),
        ):
            acted = button.click(handler(act), None, None, api_name=f"export_{name}")
            acted.success(handler(self._show), self.seen, outputs, api_name=f"export_{name}_show", **quiet)
        self._deleting.wire("export_delete")
        deleted = self._deleting.really.click(
            handler(self._delete), None, self._where, api_name="export_delete"
        )
        go(deleted, self._where, "export_deleted_go")

    def _arrive(self, request: gr.Request) -> Any:
        return self._show(request, "")

    def _show(self, request: gr.Request, seen: str) -> Any:
        lang, chosen = language(request), asked(request, "export")
        hidden = gr.Button(visible=False)
        try:
            view = self._workspace.exports.get(chosen) if chosen else None
        except NotFound:  # the page says so
            view = None
        if view is None:
            return ["", gr.Column(visible=False), "", "", hidden, hidden, hidden, gr.Timer(active=False)]
        mark = f"{view.job.id} {view.job.state} {view.progress} {view.report is not None} {lang}"
        if mark == seen:
            return gr.skip()
        state = view.job.state
        ended = state in ENDED_STATES
        run = next(
            (one.run.name for one in self._workspace.training.all() if one.run.id == view.export.run), ""
        )
        return [
            mark,
            gr.Column(visible=True),
            shown.head(view, run, lang),
            shown.result(view, lang) if state == "done" else "",
            gr.Button(visible=state in _AGAIN),
            gr.Button(visible=not ended),
            gr.Button(visible=ended),
            gr.Timer(active=not ended),
        ]

    def _retry_it(self, request: gr.Request) -> None:
        self._workspace.exports.retry(asked(request, "export"))

    def _stop_it(self, request: gr.Request) -> None:
        self._workspace.exports.stop(asked(request, "export"))

    def _delete(self, request: gr.Request) -> str:
        self._workspace.exports.delete(asked(request, "export"))
        return "/export"
