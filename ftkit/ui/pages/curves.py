"""The page that compares runs: their loss curves in one plot, their figures and the settings in which they differ.

``?runs=a,b,c`` chooses the runs. What is shown grows while they run. Answers are compared on the Compare page.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import BadInput
from ftkit.records import ENDED_STATES
from ftkit.training.service import RunView
from ftkit.training.watching.comparing import FEWEST, MOST
from ftkit.ui import html, plots, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, destination, go, page_heading, section
from ftkit.ui.watching import side_by_side
from ftkit.workspace import Workspace

_EVERY = 3.0


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("curves")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._seen = gr.State("")
        self._timer = gr.Timer(_EVERY, active=False)
        with gr.Column(visible=False, elem_classes="ft-card") as self._form:
            self._runs = gr.Dropdown(
                label=t("curves.runs.label"),
                info=t("curves.runs.help"),
                multiselect=True,
                max_choices=MOST,
                elem_id="curves-runs",
            )
            with gr.Row(elem_classes="ft-actions"):
                self._show_them = gr.Button(
                    t("curves.show"), variant="primary", elem_id="curves-show", min_width=180
                )
        self._note = gr.HTML(elem_id="curves-note")
        with gr.Column(visible=False) as self._body:
            with gr.Column(elem_classes="ft-card"):
                section("curves.plot")
                self._plot = gr.LinePlot(
                    x="step", y="loss", color="series", color_title=" ", x_title=" ", y_title=" ", height=420,
                    label=t("runs.plot.loss_both"), elem_id="plot-runs",
                )  # fmt: skip
                self._legend = gr.HTML(elem_id="curves-legend")
            with gr.Column(elem_classes="ft-card"):
                section("curves.figures")
                self._figures = gr.HTML(elem_id="curves-figures")
            with gr.Column(elem_classes="ft-card"):
                section("curves.settings")
                self._settings = gr.HTML(elem_id="curves-settings")
        self._wire()

    def _wire(self) -> None:
        shown = [
            self._seen,
            self._note,
            self._body,
            self._plot,
            self._legend,
            self._figures,
            self._settings,
            self._timer,
        ]
        arrived = gr.on(
            fn=handler(self._open),
            outputs=[self._form, self._runs],
            api_name="curves_open",
            show_progress="hidden",
        )
        arrived.success(
            handler(self._show), self._seen, shown, api_name="curves_show", show_progress="hidden"
        )
        self._timer.tick(
            handler(self._show),
            self._seen,
            shown,
            show_progress="hidden",
            trigger_mode="once",
            api_name="curves_tick",
        )
        go(
            self._show_them.click(handler(self._choose), self._runs, self._where, api_name="curves_choose"),
            self._where,
            "curves_go",
        )

    def _open(self, request: gr.Request) -> list[Any]:
        every = self._workspace.training.all()
        known = {one.run.id for one in every}
        choices = [(views.run_choice(one.run), one.run.id) for one in every]
        chosen = [id_ for id_ in _ids(request) if id_ in known]
        return [gr.Column(visible=len(every) >= FEWEST), gr.Dropdown(choices, value=chosen, multiselect=True)]

    def _choose(self, runs: list[str] | None) -> str:
        """The address of the chosen runs.

        Raises:
            BadInput: there are too few or too many.
        """
        if not FEWEST <= len(runs or []) <= MOST:
            raise BadInput(
                "ui.choose_runs",
                "Choose {fewest} to {most} runs to compare; {n} are chosen.",
                fewest=FEWEST,
                most=MOST,
                n=len(runs or []),
            )
        return "/curves?runs=" + ",".join(runs or [])

    def _show(self, request: gr.Request, seen: str) -> Any:
        """Everything below the choice; nothing where nothing is new since ``seen``."""
        lang = language(request)
        every = {one.run.id: one for one in self._workspace.training.all()}
        wanted = _ids(request)
        runs = [every[id_] for id_ in wanted if id_ in every]
        revision = "|".join([str(len(every)), *(_revision(one) for one in runs)])
        if revision == seen:
            return gr.skip()
        missing = [id_ for id_ in wanted if id_ not in every]
        gone = (
            html.notice("warn", say("curves.gone", lang, ids=", ".join(missing))) if missing else Markup("")
        )
        active = gr.Timer(active=any(one.state not in ENDED_STATES for one in runs))
        if len(runs) < FEWEST:
            note = gone + _too_few(len(every), lang)
            return [revision, note, gr.Column(visible=False), *[gr.skip()] * 4, active]
        ids = [one.run.id for one in runs]
        _, options = self._workspace.training.compare(ids)
        curves = [self._workspace.training.curves(id_) for id_ in ids]
        names = side_by_side.names(runs)
        colours = plots.runs_colours(names, lang)
        return [
            revision,
            gone,
            gr.Column(visible=True),
            gr.LinePlot(plots.runs_frame(names, curves, lang), color_map=colours),
            side_by_side.legend(runs, colours),
            side_by_side.figures_table(runs, lang),
            side_by_side.settings_table(runs, options, lang),
            active,
        ]


def _ids(request: gr.Request) -> list[str]:
    """The runs of the address, each once, no more than can be told apart."""
    return list(dict.fromkeys(filter(None, asked(request, "runs").split(","))))[:MOST]


def _revision(view: RunView) -> str:
    step = f"{view.progress.phase}:{view.progress.step}" if view.progress else "-"
    return f"{view.run.id}:{view.state}:{step}"


def _too_few(runs: int, lang: str) -> Markup:
    if runs < FEWEST:
        return html.empty(
            say("curves.empty.title", lang),
            say("curves.empty.text", lang),
            html.link("/train", say("runs.empty.link", lang), primary=True),
        )
    return html.notice("info", say("curves.choose", lang))
