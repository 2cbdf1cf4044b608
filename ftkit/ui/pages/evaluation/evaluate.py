"""The evaluate page: base and tuned model measured on the same rows that training never saw.

``?run=`` chooses the run, ``?evaluation=`` one of its evaluations; without it the newest one is shown.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.evaluation.service import EvaluationView
from ftkit.records import ENDED_STATES, Part, Run
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.evaluation import scores
from ftkit.ui.evaluation.benchmarks import benchmarks_card
from ftkit.ui.evaluation.form import MeasuredFields, chosen_options
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.evaluation.judge import JudgeSection
from ftkit.ui.parts import asked, destination, go, go_on_choice, page_heading
from ftkit.workspace import Workspace

_EVERY = 2.0
_SAMPLES = 10


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("evaluate")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._seen = gr.State("")
        self._offset = gr.State(0)
        self._timer = gr.Timer(_EVERY, active=False)
        self._note = gr.HTML()
        with gr.Column(visible=False, elem_classes="ft-card") as self._form:
            with gr.Row(elem_classes="ft-fields"):
                self._run = gr.Dropdown(label=t("evaluate.run.label"), elem_id="evaluate-run", min_width=260)
                self._part = gr.Radio(
                    choices=[
                        (t("evaluate.part.test"), "test"),
                        (t("evaluate.part.validation"), "validation"),
                    ],
                    value="test",
                    label=t("evaluate.part.label"),
                    info=t("evaluate.part.help"),
                    elem_id="evaluate-part",
                )
            self._others = gr.Dropdown(
                multiselect=True,
                value=[],
                label=t("evaluate.with.label"),
                info=t("evaluate.with.help"),
                visible=False,
                elem_id="evaluate-with",
            )
            self._measured = MeasuredFields()
            with gr.Row(elem_classes="ft-actions"):
                self._start = gr.Button(
                    t("evaluate.start"), variant="primary", elem_id="evaluate-start", min_width=180
                )
        self._result = gr.HTML(elem_id="evaluate-result")
        with gr.Row(elem_classes="ft-actions"):
            self._stop = gr.Button(t("evaluate.stop"), visible=False, elem_id="evaluate-stop", min_width=120)
            self._resume = gr.Button(
                t("evaluate.resume"), visible=False, elem_id="evaluate-resume", min_width=120
            )
        with gr.Column(visible=False, elem_classes="ft-card") as self._rows:
            self._samples = gr.HTML(elem_id="evaluate-samples")
            with gr.Row(elem_classes="ft-actions"):
                self._back = gr.Button(t("evaluate.back"), size="sm", min_width=80, elem_id="samples-back")
                self._on = gr.Button(t("evaluate.on"), size="sm", min_width=80, elem_id="samples-on")
        self._judge = JudgeSection(workspace, self._chosen)
        self._wire()

    def _wire(self) -> None:
        shown = [self._seen, self._result, self._rows, self._samples, self._timer, self._stop, self._resume]
        choice = [self._note, self._form, self._run, self._others]
        gr.on(
            fn=handler(self._open), outputs=choice, api_name="evaluate_open", show_progress="hidden"
        ).success(handler(self._show), self._seen, shown, api_name="evaluate_show", show_progress="hidden")
        self._timer.tick(
            handler(self._show),
            self._seen,
            shown,
            show_progress="hidden",
            trigger_mode="once",
            api_name="evaluate_tick",
        )
        go_on_choice(self._run, "/evaluate?run=", "evaluate_choose")
        started = self._start.click(
            handler(self._begin),
            [self._run, self._part, self._others, *self._measured.components],
            self._where,
            api_name="evaluate_start",
        )
        for asked_for, act, name in (
            (self._stop, self._end, "stop"),
            (self._resume, self._go_on, "resume"),
        ):
            asked_for.click(handler(act), None, shown, api_name=f"evaluate_{name}")
        go(started, self._where, "evaluate_go")
        for button, turn, name in ((self._back, self._turn_back, "back"), (self._on, self._turn_on, "on")):
            button.click(
                handler(turn),
                self._offset,
                [self._offset, self._samples],
                api_name=f"evaluate_{name}",
                show_progress="hidden",
            )

    def _finished(self) -> list[Run]:
        return [view.run for view in self._workspace.training.all() if view.state == "done"]

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        done = self._finished()
        if not done:
            return [_no_run(lang), gr.skip(), gr.skip(), gr.skip()]
        choices = [(views.run_choice(one), one.id) for one in done]
        run = asked(request, "run") or done[0].id
        if run not in {one.id for one in done}:
            nobody = gr.Dropdown(choices=choices, value=None)
            return [_not_done(run, lang), gr.Column(visible=True), nobody, gr.skip()]
        model = next(one.model for one in done if one.id == run)
        beside = [(views.run_choice(one), one.id) for one in done if one.model == model and one.id != run]
        others = gr.Dropdown(choices=beside, value=[], multiselect=True, visible=bool(beside))
        return ["", gr.Column(visible=True), gr.Dropdown(choices=choices, value=run), others]

    def _show(self, request: gr.Request, seen: str) -> Any:
        lang = language(request)
        view = self._chosen(request)
        if view is None:
            nothing = html.empty(say("evaluate.none.title", lang), say("evaluate.none.text", lang))
            return [
                "",
                nothing + self._benchmarks(request, None) if self._finished() else "",
                gr.Column(visible=False),
                "",
                gr.Timer(active=False),
                *_buttons(None),
            ]
        revision = f"{view.evaluation.id} {view.job.state} {view.progress and (view.progress.phase, view.progress.step)}"
        if revision == seen:
            return gr.skip()
        ended = view.job.state in ENDED_STATES
        result = scores.evaluation_card(view, lang) + self._benchmarks(request, view)
        if view.report is None:
            hidden = [gr.Column(visible=False), ""]
            return [revision, result, *hidden, gr.Timer(active=not ended), *_buttons(view)]
        return [
            revision,
            result,
            gr.Column(visible=True),
            self._page_of_samples(view, 0, lang),
            gr.Timer(active=False),
            *_buttons(view),
        ]

    def _chosen(self, request: gr.Request) -> EvaluationView | None:
        """The evaluation that the address names, else the newest of the run."""
        if wanted := asked(request, "evaluation"):
            return self._workspace.evaluation.get(wanted)
        run = self._run_asked(request)
        every = self._workspace.evaluation.all(run) if run else []
        return every[0] if every else None

    def _benchmarks(self, request: gr.Request, view: EvaluationView | None) -> Markup:
        """What was asked of the run beside its evaluations."""
        run = view.evaluation.run if view is not None else self._run_asked(request)
        return benchmarks_card(self._workspace.benchmarks.finished(run) if run else [], language(request))

    def _run_asked(self, request: gr.Request) -> str:
        """The run that the address names, else the newest finished one; empty where there is none."""
        return asked(request, "run") or next((one.id for one in self._finished()), "")

    def _begin(self, run: str, part: Part, others: list[str], *measured: Any) -> str:
        made = self._workspace.evaluation.start(run, part, chosen_options(*measured), others or ())
        return html.url("evaluate", run=run, evaluation=made.id)

    def _end(self, request: gr.Request) -> Any:
        view = self._chosen(request)
        if view is not None:
            self._workspace.evaluation.stop(view.evaluation.id)
        return self._show(request, "")

    def _go_on(self, request: gr.Request) -> Any:
        view = self._chosen(request)
        if view is not None:
            self._workspace.evaluation.resume(view.evaluation.id)
        return self._show(request, "")

    def _turn_back(self, request: gr.Request, offset: int) -> list[Any]:
        return self._turn(request, offset - _SAMPLES)

    def _turn_on(self, request: gr.Request, offset: int) -> list[Any]:
        return self._turn(request, offset + _SAMPLES)

    def _turn(self, request: gr.Request, offset: int) -> list[Any]:
        view = self._chosen(request)
        if view is None or view.report is None or not 0 <= offset < view.report["rows"]:
            return [gr.skip(), gr.skip()]
        return [offset, self._page_of_samples(view, offset, language(request))]

    def _page_of_samples(self, view: EvaluationView, offset: int, lang: str) -> Markup:
        rows = self._workspace.evaluation.samples(view.evaluation.id, offset, _SAMPLES)
        return scores.samples_table(rows, view.report or {}, offset, lang)


def _buttons(view: EvaluationView | None) -> list[gr.Button]:
    """Stop while it runs, resume where it ended before it was done."""
    state = view.job.state if view is not None else "done"
    return [
        gr.Button(visible=state not in ENDED_STATES),
        gr.Button(visible=state in ENDED_STATES and state != "done"),
    ]


def _no_run(lang: str) -> Markup:
    return html.empty(
        say("evaluate.empty.title", lang),
        say("evaluate.empty.text", lang),
        html.link("/train", say("evaluate.empty.link", lang), primary=True),
        html.link("/runs", say("evaluate.empty.runs", lang)),
    )


def _not_done(run: str, lang: str) -> Markup:
    link = html.link(html.url("runs", run=run), say("evaluate.not_done.link", lang))
    return html.notice("warn", html.paragraph(say("evaluate.not_done", lang)) + html.actions(link))
