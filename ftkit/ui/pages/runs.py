"""The runs page: all runs, and one of them live.

``?run=`` chooses the run. What is shown comes from files that the worker writes, so closing the page, or restarting the
dashboard, changes nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Event
from ftkit.training.service import RunView
from ftkit.training.watching.comparing import FEWEST
from ftkit.ui import html, plots, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, t
from ftkit.ui.parts import AskFirst, asked, destination, follow, go, page_heading, section
from ftkit.ui.ratings.addresses import to_study
from ftkit.ui.watching import figures, history
from ftkit.workspace import Workspace

_EVERY = 2.0
# Between what was seen of the runs and of the sample answers.
_PART = "#"
# How a person is told of an end; ``ended.js`` chooses.
_TOLD_BY = ("allowed", "refused")
# Components that show one run, its plots among them.
_DETAILS = 14 + len(plots.WATCHED) + len(plots.PREFERENCES)


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("runs")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._seen = gr.State("")
        self._timer = gr.Timer(_EVERY)
        with gr.Column(visible=False) as self._opened:
            with gr.Column(elem_classes="ft-card"):
                self._head = gr.HTML(elem_id="run-head")
                self._lay_out_actions()
                self._lay_out_past()
            with gr.Column(elem_classes="ft-card"):
                self._lay_out_plots()
            with gr.Column(elem_classes="ft-card"):
                section("runs.samples")
                self._samples = gr.HTML(elem_id="run-samples")
        self._list = gr.HTML(elem_id="runs-list")
        self._wire()

    def _lay_out_actions(self) -> None:
        self._deleting = AskFirst(
            "run-delete", t("runs.delete.sure"), t("runs.delete.yes"), t("runs.delete.no")
        )
        self._at_once = AskFirst(
            "run-stop-now", t("runs.stop_now.sure"), t("runs.stop_now.yes"), t("runs.stop_now.no")
        )
        looks: dict[str, Any] = {"visible": False, "min_width": 120}
        with gr.Row(elem_classes="ft-actions"):
            self._resume = gr.Button(t("runs.resume"), variant="primary", elem_id="run-resume", **looks)
            self._pause = gr.Button(t("runs.pause"), elem_id="run-pause", **looks)
            self._stop = gr.Button(t("runs.stop"), variant="stop", elem_id="run-stop", **looks)
            self._at_once.lay_out_button(t("runs.stop_now"), min_width=120, size="md")
            self._deleting.lay_out_button(t("runs.delete"), min_width=120, size="md")
        self._at_once.lay_out_question()
        self._deleting.lay_out_question()
        self._next = gr.HTML()
        self._tell = gr.Checkbox(
            label=t("runs.tell"), visible=False, interactive=True, container=False, elem_id="run-tell"
        )
        notes = (f'<p data-ft-case="{case}" hidden>' + t(f"runs.tell.{case}") + "</p>" for case in _TOLD_BY)
        gr.HTML("".join(notes), elem_id="run-tell-notes", elem_classes="ft-quiet")

    def _lay_out_past(self) -> None:
        with gr.Accordion(t("runs.history"), open=False, elem_id="run-history"):
            self._history = gr.HTML(elem_id="run-timeline")
        with gr.Accordion(t("runs.log"), open=False, elem_id="run-log-part"):
            self._search = gr.Textbox(
                label=t("runs.log.search"),
                info=t("runs.log.search.help"),
                max_length=200,
                elem_id="run-log-search",
            )
            self._found = gr.HTML(elem_id="run-log-found")
            self._log = gr.Textbox(
                label=t("runs.log.label"), lines=12, max_lines=12, autoscroll=True, elem_classes="ft-mono", elem_id="run-log",
                interactive=False,
            )  # fmt: skip

    def _lay_out_plots(self) -> None:
        section("runs.plot")
        self._notice = gr.HTML(elem_id="run-signs")
        blank: dict[str, Any] = {"x_title": " ", "y_title": " ", "min_width": 260}
        self._loss = gr.LinePlot(
            x="step",
            y="loss",
            color="series",
            color_title=" ",
            color_map=plots.loss_colours(),
            label=t("runs.plot.loss_both"),
            height=340,
            elem_id="plot-loss",
            **blank,
        )
        with gr.Row(elem_classes="ft-plots"):
            self._watched = [
                gr.LinePlot(
                    x="step",
                    y="value",
                    label=t(f"runs.plot.{key}"),
                    height=220,
                    elem_id=f"plot-{key}",
                    **blank,
                )
                for key in plots.WATCHED
            ]
            self._preferences = [
                gr.LinePlot(
                    x="step",
                    y="value",
                    color="series",
                    color_title=" ",
                    color_map=plots.loss_colours(),
                    label=t(f"runs.plot.{key}"),
                    height=220,
                    visible=False,
                    elem_id=f"plot-{key}",
                    **blank,
                )
                for key in plots.PREFERENCES
            ]
        with gr.Accordion(t("runs.numbers"), open=False):
            self._numbers = gr.HTML()

    def _wire(self) -> None:
        live = [
            self._seen, self._list, self._opened, self._head, self._next, self._resume, self._pause, self._stop,
            self._at_once.button, self._deleting.button, self._tell, self._history, self._notice, self._loss, *self._watched, *self._preferences, self._numbers, self._log, self._samples,
            self._timer,
        ]  # fmt: skip
        gr.on(
            fn=handler(self._show),
            inputs=self._seen,
            outputs=live,
            api_name="runs_open",
            show_progress="hidden",
        )
        self._timer.tick(
            handler(self._show),
            self._seen,
            live,
            show_progress="hidden",
            trigger_mode="once",
            api_name="runs_tick",
        )
        for button, act, name in (
            (self._pause, self._pause_run, "pause"),
            (self._stop, self._stop_run, "stop"),
            (self._at_once.really, self._stop_run_now, "stop_now"),
            (self._resume, self._resume_run, "resume"),
        ):
            acted = button.click(handler(act), None, self._seen, api_name=f"runs_{name}")
            acted.success(
                handler(self._show), self._seen, live, api_name=f"runs_{name}_show", show_progress="hidden"
            )
        self._at_once.really.click(
            handler(self._at_once.spare), None, self._at_once.question, api_name="runs_asked"
        )
        self._at_once.wire("runs_now")
        self._deleting.wire("runs")
        follow(
            [self._search.change, self._search.submit],
            handler(self._find),
            [self._search],
            [self._found, self._log],
            "runs_search",
            quiet=True,
        )
        go(
            self._deleting.really.click(handler(self._delete_run), None, self._where, api_name="runs_delete"),
            self._where,
            "runs_go",
        )

    def _show(self, request: gr.Request, seen: str) -> Any:
        """Everything on the page; nothing where nothing is new since ``seen``."""
        lang = language(request)
        every = self._workspace.training.all()
        chosen = asked(request, "run")
        view = next((one for one in every if one.run.id == chosen), None)
        events = self._workspace.training.events(view.run.id) if view else []
        revision = "|".join([str(len(every)), *map(_revision, every), _pulse(view, events) if view else ""])
        before, _, sampled = seen.partition(_PART)
        if revision == before:
            return gr.skip()
        idle = all(one.state in ENDED_STATES for one in every)
        table = _list(every, chosen, lang)
        if chosen and view is None:
            table = html.notice("warn", say("runs.unknown", lang, id=chosen)) + table
        timer = gr.Timer(active=not idle)
        if view is None:
            return [revision, table, gr.Column(visible=False), *[gr.skip()] * _DETAILS, timer]
        found = self._workspace.training.samples(view.run.id)
        newest = f"{found.nothing}:{sum(len(one.answers) for one in found.prompts)}"
        # What a person unfolded stays so until there is something new.
        samples = gr.skip() if newest == sampled else figures.samples(found, lang)
        seen = f"{revision}{_PART}{newest}"
        return [seen, table, gr.Column(visible=True), *self._detail(view, events, lang), samples, timer]

    def _detail(self, view: RunView, events: list[Event], lang: str) -> list[Any]:
        curves = self._workspace.training.curves(view.run.id)
        broken = plots.not_finite(curves)
        notice = (
            html.notice("warn", say("runs.not_finite", lang, steps=html.shorten(str(broken), 80)))
            if broken
            else Markup("")
        )
        latest = "" if view.metrics else figures.latest_figures(curves, lang)
        signs = figures.signs(self._workspace.training.signs(view.run.id), curves, lang)
        rewards = {key: plots.preference_frame(curves, key, lang) for key in plots.PREFERENCES}
        step = self._workspace.training.history.resume_step(view.run.id)
        happened = history.what_happened(
            view, events, step, max((one["step"] for one in curves), default=0), lang
        )
        head = views.run_header(view, datetime.now(UTC), lang, happened) + latest + history.mark(view, lang)
        return [
            head,
            _next(view, to_study(self._workspace.loop.next_study(view.run.id)), lang),
            *_actions(view, step, lang),
            history.timeline(events, lang),
            notice + signs if curves else html.notice("info", say("runs.no_curves", lang)),
            plots.loss_frame(curves, lang),
            *(plots.watched_frame(curves, key) for key in plots.WATCHED),
            *(gr.LinePlot(frame, visible=not frame.empty) for frame in rewards.values()),
            figures.numbers_table(curves, lang),
            self._workspace.training.log(view.run.id),
        ]

    def _find(self, request: gr.Request, text: str | None) -> tuple[str, gr.Textbox]:
        """Lines of the log with the text; its end where there is no text."""
        run = asked(request, "run")
        if not (text and text.strip() and run):  # a field that was never touched is no text
            return "", gr.Textbox(visible=True)
        found = self._workspace.training.history.search_log(run, text)
        return history.log_matches(found, language(request)), gr.Textbox(visible=False)

    def _pause_run(self, request: gr.Request) -> str:
        self._workspace.training.pause(asked(request, "run"))
        return ""

    def _stop_run_now(self, request: gr.Request) -> str:
        self._workspace.training.stop(asked(request, "run"), now=True)
        return ""

    def _stop_run(self, request: gr.Request) -> str:
        self._workspace.training.stop(asked(request, "run"))
        return ""

    def _resume_run(self, request: gr.Request) -> str:
        self._workspace.training.resume(asked(request, "run"))
        return ""

    def _delete_run(self, request: gr.Request) -> str:
        self._workspace.training.delete(asked(request, "run"))
        return "/runs"


def _revision(view: RunView) -> str:
    return f"{view.run.id}:{view.state}"


def _pulse(view: RunView, events: list[Event]) -> str:
    """Changes with all that the page shows of one run; of a stalled one also how long it has been so."""
    now = view.progress
    quiet = round(now.quiet / _EVERY) if now and view.state == "stalled" else ""
    return f"{len(events)}:{now.phase}:{now.step}:{quiet}" if now else f"{len(events)}"


def _actions(view: RunView, step: int | None, lang: str) -> list[Any]:
    """What can be done with a run now: Resume, Pause, Stop, Stop now, Delete, and being told of its end."""
    ended, asked_already = view.state in ENDED_STATES, view.state == "stopping"
    return [
        gr.Button(history.resume_label(step, lang), visible=history.goes_on(view)),
        gr.Button(visible=not ended, interactive=not asked_already),
        gr.Button(visible=not ended, interactive=not asked_already),
        gr.Button(visible=view.state in ACTIVE_STATES),
        gr.Button(visible=ended),
        gr.Checkbox(visible=not ended),
    ]


def _list(every: list[RunView], chosen: str, lang: str) -> Markup:
    if not every:
        return html.empty(
            say("runs.empty.title", lang),
            say("runs.empty.text", lang),
            html.link("/train", say("runs.empty.link", lang), primary=True),
        )
    title = html.heading(say("runs.list.title", lang))
    beside = [html.link("/sweeps", say("runs.to_sweeps", lang))]
    if len(every) >= FEWEST:
        beside.insert(0, html.link("/curves", say("runs.curves", lang)))
    table = views.runs_table(every, chosen, lang)
    return Markup('<div class="ft-card">{}{}{}</div>').format(title, html.actions(*beside), table)


def _next(view: RunView, rated: str, lang: str) -> str:
    """Links to what a run is followed by; ``rated`` is the form of a study."""
    run = view.run
    again = html.link(html.url("train", split=run.split, copy=run.id), say("runs.again", lang))
    beside = html.link(html.url("curves", runs=run.id), say("runs.curves_of_it", lang))
    if run.sweep:
        beside += html.link(html.url("sweeps", sweep=run.sweep), say("runs.sweep", lang))
    if view.state != "done":
        return html.actions(again, beside)
    return _hub(view.metrics, lang) + html.actions(
        html.link(html.url("evaluate", run=run.id), say("runs.evaluate", lang), primary=True),
        html.link(html.url("compare", run=run.id), say("runs.compare", lang)),
        html.link(
            rated, say("ratings.next.compare" if run.spec.get("start_from_run") else "runs.ratings", lang)
        ),
        again,
        beside,
    )


def _hub(metrics: Mapping[str, Any], lang: str) -> Markup:
    """Where the result was uploaded to, or why it was not."""
    if "hub_error" in metrics:
        return html.notice("warn", say_error(FtkitError.from_dict(metrics["hub_error"]), lang))
    if "hub" not in metrics:
        return Markup("")
    return html.notice("good", say("runs.hub", lang, address=metrics["hub"]))
