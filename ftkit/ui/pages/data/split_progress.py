"""The card on the data page that shows how far a large split is.

``?splitting=`` names the split that is being made; without it, one that is under way for the dataset is shown. It begins no
split: the split's own card does.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.records import ENDED_STATES
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, destination, go
from ftkit.workspace import Workspace

_EVERY = 1.0


class SplitProgress:
    """Components and what happens on them; lay out, then wire."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        # A field of its own: the tick may end while another action of the page does.
        self._where = destination()
        self._watched = gr.State("")
        with gr.Column(elem_classes="ft-card", visible=False) as self._card:
            self._progress = gr.HTML(elem_id="split-progress")
            with gr.Row(elem_classes="ft-actions"):
                self._cancel = gr.Button(
                    t("data.splitting.cancel"), variant="stop", elem_id="split-cancel", min_width=140
                )
        self._timer = gr.Timer(_EVERY, active=False)

    def wire(self, arrived: gr.events.Dependency) -> None:
        """Connect everything; ``arrived`` is the page's own opening."""
        live = [self._watched, self._card, self._progress, self._cancel, self._where, self._timer]
        shown = arrived.success(
            handler(self.show), self._watched, live, api_name="data_splitting", show_progress="hidden"
        )
        go(shown, self._where, "data_splitting_go")
        ticked = self._timer.tick(
            handler(self.show),
            self._watched,
            live,
            show_progress="hidden",
            trigger_mode="once",
            api_name="data_split_tick",
        )
        go(ticked, self._where, "data_split_tick_go")
        self._cancel.click(handler(self.cancel), self._watched, self._cancel, api_name="data_split_cancel")

    def show(self, request: gr.Request, watched: str) -> list[Any]:
        """How far it is, why it failed, or the address of the split that is made."""
        dataset, splits = asked(request, "dataset"), self._workspace.splits
        split = asked(request, "splitting") or watched or (dataset and splits.under_way(dataset)) or ""
        job = splits.job(split) if split else None
        if job is None:
            return ["", gr.Column(visible=False), *[gr.skip()] * 3, gr.Timer(active=False)]
        lang = language(request)
        if job.state in ("done", "stopped"):
            there = html.url("data", dataset=dataset, split=split if job.state == "done" else "")
            return [*[gr.skip()] * 4, there, gr.Timer(active=False)]
        ended = job.state in ENDED_STATES
        said = (
            views.error_notice(job.error, lang)
            if ended
            else views.progress_bar(views.progress_of({"phase": "starting", **splits.state(split)}), lang)
        )
        return [
            split,
            gr.Column(visible=True),
            Markup('<h2 class="ft-title">{} {}</h2>{}').format(
                say("data.splitting.title", lang), views.state_pill(job.state, lang), said
            ),
            gr.Button(visible=not ended, interactive=job.state != "stopping"),
            gr.skip(),
            gr.Timer(active=not ended),
        ]

    def cancel(self, split: str) -> gr.Button:
        """Stop it; the next look leaves for the dataset."""
        self._workspace.splits.cancel(split)
        return gr.Button(interactive=False)


def address(workspace: Workspace, dataset: str, split: str) -> str:
    """Where a split that was begun is seen: itself, or how far it is."""
    made_at_once = workspace.splits.job(split) is None
    return html.url("data", dataset=dataset, **{"split" if made_at_once else "splitting": split})
