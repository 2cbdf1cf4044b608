"""One sweep live, and the list of all of them.

Reads ``?sweep=`` of the page's address; asks every two seconds while something goes on. It starts no sweep.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.records import ENDED_STATES
from ftkit.training.sweeps.service import SweepView
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.sweeps import views
from ftkit.ui.pages.sweeps.plot import parallel_plot
from ftkit.ui.parts import AskFirst, asked, destination, go, section
from ftkit.workspace import Workspace

_EVERY = 2.0
_DETAILS = 9


class Followed:
    """Components and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._seen = gr.State("")
        self._timer = gr.Timer(_EVERY)
        with gr.Column(visible=False) as self._opened:
            with gr.Column(elem_classes="ft-card"):
                self._head = gr.HTML(elem_id="sweep-head")
                self._lay_out_actions()
            with gr.Column(elem_classes="ft-card"):
                self._best = gr.HTML(elem_id="sweep-best")
            with gr.Column(elem_classes="ft-card"):
                section("sweeps.plot")
                self._plot = gr.HTML(elem_id="sweep-plot")
            with gr.Column(elem_classes="ft-card"):
                self._table = gr.HTML(elem_id="sweep-trials-table")
            with gr.Column(elem_classes="ft-card"):
                section("sweeps.importance")
                self._importance = gr.HTML(elem_id="sweep-importance")
                with gr.Accordion(t("runs.log"), open=False):
                    self._log = gr.Textbox(
                        label=t("runs.log.label"), lines=8, max_lines=8, autoscroll=True, elem_classes="ft-mono",
                        elem_id="sweep-log", interactive=False,
                    )  # fmt: skip
        self._list = gr.HTML(elem_id="sweeps-list")
        self._wire()

    def _lay_out_actions(self) -> None:
        self._deleting = AskFirst(
            "sweep-delete", t("sweeps.delete.sure"), t("runs.delete.yes"), t("runs.delete.no")
        )
        with gr.Row(elem_classes="ft-actions"):
            self._stop = gr.Button(
                t("runs.stop"), variant="stop", visible=False, elem_id="sweep-stop", min_width=120
            )
            self._resume = gr.Button(
                t("runs.resume"), variant="primary", visible=False, elem_id="sweep-resume", min_width=120
            )
            self._deleting.lay_out_button(t("runs.delete"), min_width=120, size="md")
        self._deleting.lay_out_question()

    def _wire(self) -> None:
        live = [
            self._seen, self._list, self._opened, self._head, self._stop, self._resume, self._deleting.button, self._best, self._plot,
            self._table, self._importance, self._log, self._timer,
        ]  # fmt: skip
        show = handler(self._show)
        gr.on(fn=show, inputs=self._seen, outputs=live, api_name="sweeps_follow", show_progress="hidden")
        self._timer.tick(
            show, self._seen, live, show_progress="hidden", trigger_mode="once", api_name="sweeps_tick"
        )
        for button, act, name in (
            (self._stop, self._stop_it, "stop"),
            (self._resume, self._resume_it, "resume"),
        ):
            acted = button.click(handler(act), None, self._seen, api_name=f"sweeps_{name}")
            acted.success(show, self._seen, live, api_name=f"sweeps_{name}_show", show_progress="hidden")
        self._deleting.wire("sweeps")
        go(
            self._deleting.really.click(
                handler(self._delete_it), None, self._where, api_name="sweeps_delete"
            ),
            self._where,
            "sweeps_delete_go",
        )

    def _show(self, request: gr.Request, seen: str) -> Any:
        """Everything about the sweep; nothing where nothing is new since ``seen``."""
        lang = language(request)
        every = self._workspace.sweeps.all()
        chosen = asked(request, "sweep")
        view = next((one for one in every if one.sweep.id == chosen), None)
        revision = "|".join([str(len(every)), *map(_revision, every), _pulse(view)])
        if revision == seen:
            return gr.skip()
        idle = all(one.state in ENDED_STATES for one in every)
        table = self._all(every, chosen, lang)
        if chosen and view is None:
            table = html.notice("warn", say("sweeps.unknown", lang, id=chosen)) + table
        timer = gr.Timer(active=not idle)
        if view is None:
            return [revision, table, gr.Column(visible=False), *[gr.skip()] * _DETAILS, timer]
        return [revision, table, gr.Column(visible=True), *self._detail(view, lang), timer]

    def _detail(self, view: SweepView, lang: str) -> list[Any]:
        runs = {one.run.id for one in self._workspace.training.all()}
        ended = view.state in ENDED_STATES
        best = views.best(view, runs, lang)
        return [
            views.head(view, lang),
            gr.Button(visible=not ended, interactive=view.state != "stopping"),
            gr.Button(visible=ended and view.state != "done"),
            gr.Button(visible=ended),
            best or html.waiting(say("sweeps.best.later", lang)),
            parallel_plot(view.sweep, view.trials, view.best, lang),
            Markup("{}{}").format(
                html.heading(say("sweeps.trials.title", lang)), views.trials_table(view, runs, lang)
            ),
            views.importance(view, lang),
            self._workspace.sweeps.log(view.sweep.id),
        ]

    def _all(self, every: list[SweepView], chosen: str, lang: str) -> Markup:
        """The other sweeps below an open one, with the way to a new one."""
        others = [one for one in every if one.sweep.id != chosen]
        if not chosen and not every:
            return Markup("")
        new = (
            html.actions(html.link("/sweeps", say("sweeps.new", lang), primary=True))
            if chosen
            else Markup("")
        )
        if not others:
            return new
        title = html.heading(say("sweeps.list.title", lang))
        return Markup('<div class="ft-card">{}{}{}</div>').format(
            title, views.sweeps_table(others, lang), new
        )

    def _stop_it(self, request: gr.Request) -> str:
        self._workspace.sweeps.stop(asked(request, "sweep"))
        return ""

    def _resume_it(self, request: gr.Request) -> str:
        self._workspace.sweeps.resume(asked(request, "sweep"))
        return ""

    def _delete_it(self, request: gr.Request) -> str:
        self._workspace.sweeps.delete(asked(request, "sweep"))
        return "/sweeps"


def _revision(view: SweepView) -> str:
    return f"{view.sweep.id}:{view.state}:{view.ended}:{len(view.trials)}"


def _pulse(view: SweepView | None) -> str:
    if view is None or view.progress is None:
        return "-"
    left = view.progress.seconds_left
    return f"{view.progress.step}:{left and round(left, -1)}:{[trial.run for trial in view.trials]}"
