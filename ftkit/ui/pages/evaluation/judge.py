"""The judge's section of the evaluate page: have a language model compare both answers, and see what it said.

``?judgement=`` chooses one of the evaluation; without it the newest one is shown. Takes a workspace and the page's way to find its
evaluation, gives components; it looks by itself while something goes on.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from ftkit.errors import NotFound
from ftkit.evaluation.judge.options import KEY_VARIABLE, JudgeOptions
from ftkit.evaluation.judge.rubric import default_rubric
from ftkit.evaluation.judge.service import JudgementView
from ftkit.evaluation.service import EvaluationView
from ftkit.records import ENDED_STATES
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.evaluation.judge import judgement_card, others, sent_note
from ftkit.ui.i18n import LANGUAGES, language, say, t
from ftkit.ui.parts import asked, destination, go, section
from ftkit.workspace import Workspace

_EVERY = 2.0
_ENDPOINT, _LOCAL = "endpoint", "local"


class JudgeSection:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace, chosen: Callable[[gr.Request], EvaluationView | None]) -> None:
        self._workspace = workspace
        self._chosen = chosen
        self._where = destination()
        self._seen = gr.State("")
        self._timer = gr.Timer(_EVERY, active=False)
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="judge") as self._card:
            section("judge")
            self._result = gr.HTML(elem_id="judge-result")
            with gr.Row(elem_classes="ft-actions"):
                self._retry = gr.Button(
                    t("judge.retry"),
                    variant="primary",
                    visible=False,
                    elem_id="judge-retry",
                    min_width=180,
                )
                self._stop = gr.Button(
                    t("judge.stop"),
                    variant="stop",
                    visible=False,
                    elem_id="judge-stop",
                    min_width=120,
                )
            with gr.Accordion(t("judge.ask"), open=False, elem_id="judge-ask"):
                self._lay_out_form()
        self._wire()

    def _lay_out_form(self) -> None:
        places = [(t(f"judge.place.{place}"), place) for place in (_ENDPOINT, _LOCAL)]
        self._place = gr.Radio(
            choices=places, value=_ENDPOINT, label=t("judge.place.label"), elem_id="judge-place"
        )
        with gr.Row(elem_classes="ft-fields") as self._far:
            self._endpoint = gr.Textbox(
                label=t("judge.endpoint.label"), info=t("judge.endpoint.help"), max_lines=1,
                placeholder="https://api.example.com/v1", elem_id="judge-endpoint", max_length=2000,
            )  # fmt: skip
            self._name = gr.Textbox(
                label=t("judge.name.label"), info=t("judge.name.help"), max_lines=1, elem_id="judge-name",
                max_length=200,
            )  # fmt: skip
            self._key = gr.Textbox(
                label=t("judge.key.label"), info=t("judge.key.help"), max_lines=1, placeholder=KEY_VARIABLE,
                elem_id="judge-key", max_length=100,
            )  # fmt: skip
        # Gradio checks a choice against those of the start: any value passes here, and the service knows the ids.
        with gr.Row(elem_classes="ft-fields", visible=False) as self._near:
            self._local = gr.Dropdown(
                allow_custom_value=True, label=t("judge.local.label"), info=t("judge.local.help"),
                elem_id="judge-local",
            )  # fmt: skip
        with gr.Row(elem_classes="ft-fields"):
            self._rows = gr.Number(
                0, precision=0, minimum=0, label=t("judge.rows.label"), info=t("judge.rows.help"), elem_id="judge-rows"
            )  # fmt: skip
            self._language = gr.Radio(
                choices=[(name, lang) for lang, name in LANGUAGES.items()], label=t("judge.language.label"),
                info=t("judge.language.help"), elem_id="judge-language",
            )  # fmt: skip
        self._rubric = gr.Textbox(
            label=t("judge.rubric.label"), info=t("judge.rubric.help"), lines=7, max_lines=16,
            elem_id="judge-rubric", max_length=8000,
        )  # fmt: skip
        self._sent = gr.HTML(elem_id="judge-sent")
        with gr.Row(elem_classes="ft-actions"):
            self._start = gr.Button(t("judge.start"), variant="primary", elem_id="judge-start", min_width=160)

    def _wire(self) -> None:
        shown = [self._seen, self._card, self._result, self._retry, self._stop, self._timer]
        form = [self._local, self._language, self._rubric, self._far, self._near, self._sent]
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        gr.on(fn=handler(self._open), outputs=form, api_name="evaluate_judge_open", **quiet).success(
            handler(self._show), self._seen, shown, api_name="evaluate_judge_show", **quiet
        )
        self._timer.tick(
            handler(self._show),
            self._seen,
            shown,
            trigger_mode="once",
            api_name="evaluate_judge_tick",
            **quiet,
        )
        gr.on(
            [self._place.input, self._endpoint.blur, self._rows.blur], handler(self._look), [self._place, self._endpoint, self._rows],
            [self._far, self._near, self._sent], api_name="evaluate_judge_place", **quiet,
        )  # fmt: skip
        self._language.input(
            handler(self._translate), [self._language, self._rubric], self._rubric, api_name="evaluate_judge_language", **quiet
        )  # fmt: skip
        asked_for = [
            self._place, self._endpoint, self._name, self._key, self._local, self._rows, self._language, self._rubric,
        ]  # fmt: skip
        begun = self._start.click(
            handler(self._begin), asked_for, self._where, api_name="evaluate_judge_start"
        )
        go(begun, self._where, "evaluate_judge_go")
        for button, act, name in (
            (self._retry, self._retry_it, "retry"),
            (self._stop, self._stop_it, "stop"),
        ):
            acted = button.click(handler(act), None, self._seen, api_name=f"evaluate_judge_{name}")
            acted.success(
                handler(self._show), self._seen, shown, api_name=f"evaluate_judge_{name}_show", **quiet
            )

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        here = [(model.name, model.id) for model in self._workspace.models.all()]
        local = gr.Dropdown(choices=here, value=here[0][1] if here else None)
        return [local, lang, default_rubric(lang), *self._look(request, _ENDPOINT, "", 0)]

    def _show(self, request: gr.Request, seen: str) -> Any:
        lang = language(request)
        evaluation = self._evaluation(request)
        if evaluation is None:
            return ["", gr.Column(visible=False), "", gr.skip(), gr.skip(), gr.Timer(active=False)]
        if evaluation.report is None:  # there are no answers yet, and will be some unless it has ended
            busy = evaluation.job.state not in ENDED_STATES
            return ["", gr.Column(visible=False), "", gr.skip(), gr.skip(), gr.Timer(active=busy)]
        found = self._workspace.judge.all(evaluation.evaluation.id)
        view = self._judgement(request, found)
        revision = "|".join([evaluation.evaluation.id, *map(_pulse, found)])
        if revision == seen:
            return gr.skip()
        if view is None:
            nothing = html.paragraph(say("judge.none", lang))
            buttons = [gr.Button(visible=False), gr.Button(visible=False)]
            return [revision, gr.Column(visible=True), nothing, *buttons, gr.Timer(active=False)]
        ended = view.job.state in ENDED_STATES
        rows = self._workspace.judge.rows(view.judgement.id)
        result = judgement_card(view, rows, lang) + others(
            found, view.judgement.id, evaluation.evaluation.run, lang
        )
        return [
            revision,
            gr.Column(visible=True),
            result,
            gr.Button(visible=ended and bool(view.missing)),
            gr.Button(visible=not ended),
            gr.Timer(active=any(one.job.state not in ENDED_STATES for one in found)),
        ]

    def _look(self, request: gr.Request, place: str, endpoint: str | None, rows: float | None) -> list[Any]:
        """The fields of the chosen place, and what will be sent where."""
        far = place == _ENDPOINT
        evaluation = self._evaluation(request)
        every = evaluation.report["rows"] if evaluation and evaluation.report else 0
        count = min(every, int(rows)) if rows and rows > 0 else every
        note = sent_note((endpoint or "").strip() if far else None, count, language(request))
        return [gr.Row(visible=far), gr.Row(visible=not far), note]

    def _translate(self, lang: str, rubric: str | None) -> Any:
        """The default criteria follow the language; a person's own stay as they are."""
        defaults = {default_rubric(one) for one in LANGUAGES}
        return default_rubric(lang) if not (rubric or "").strip() or rubric in defaults else gr.skip()

    def _begin(  # noqa: PLR0913 - one parameter per field
        self,
        request: gr.Request,
        place: str,
        endpoint: str | None,
        name: str | None,
        key: str | None,
        local: str | None,
        *last: Any,
    ) -> str:
        rows, lang, rubric = last
        evaluation = self._evaluation(request)
        if evaluation is None:
            raise NotFound("judge.no_evaluation", "There is no evaluation to judge yet. Start one first.")
        far = place == _ENDPOINT
        settings = self._workspace.settings
        options = JudgeOptions.parse(
            model=(name if far else local) or "",
            endpoint=_needed(endpoint) if far else "",
            key_env=(key or "") if far else "",
            private=settings.local and not settings.allowed_hosts,
            rubric=rubric or "",
            language=lang or language(request),
            rows=int(rows) if rows else None,
        )
        made = self._workspace.judge.start(evaluation.evaluation.id, options)
        ids = {"run": evaluation.evaluation.run, "evaluation": made.evaluation, "judgement": made.id}
        return html.url("evaluate", **ids) + "#judge"

    def _retry_it(self, request: gr.Request) -> str:
        self._workspace.judge.retry(self._current(request).judgement.id)
        return ""

    def _stop_it(self, request: gr.Request) -> str:
        self._workspace.judge.stop(self._current(request).judgement.id)
        return ""

    def _evaluation(self, request: gr.Request) -> EvaluationView | None:
        try:
            return self._chosen(request)
        except NotFound:  # the page says so already
            return None

    def _judgement(self, request: gr.Request, found: list[JudgementView]) -> JudgementView | None:
        """The one that the address names, else the newest."""
        wanted = asked(request, "judgement")
        return next((view for view in found if view.judgement.id == wanted), found[0] if found else None)

    def _current(self, request: gr.Request) -> JudgementView:
        evaluation = self._evaluation(request)
        found = self._workspace.judge.all(evaluation.evaluation.id) if evaluation else []
        view = self._judgement(request, found)
        if view is None:
            raise NotFound("judge.none", "There is no judgement yet. Ask a judge first.")
        return view


def _needed(endpoint: str | None) -> str:
    """An address, for without one a local model would be asked; an empty one is refused as no address."""
    return (endpoint or "").strip() or "–"


def _pulse(view: JudgementView) -> str:
    state = view.state
    return f"{view.judgement.id} {view.job.state} {view.report['judged']} {view.missing} {state.get('step')} {state.get('phase')}"
