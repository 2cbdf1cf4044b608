"""The part of the model page that says how well models already know one's data, before any training.

``?split=`` in the address shows the measurements of a split. Takes a workspace, gives components and one handler for the
page's own ticks; it measures nothing itself.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.evaluation.familiarity.service import Familiarity
from ftkit.records import ENDED_STATES, Split
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, destination, go, section
from ftkit.workspace import Workspace

_EVERY = 1.5


class FamiliarityCard:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._timer = gr.Timer(_EVERY, active=False)
        with gr.Column(elem_classes="ft-card"):
            section("model.know")
            with gr.Row(elem_classes="ft-save"):
                # Gradio checks a choice against those of the start: any value passes here, and the service knows the ids.
                self._split = gr.Dropdown(
                    allow_custom_value=True, label=t("model.know.split"), elem_id="know-split"
                )
                self._models = gr.Dropdown(
                    allow_custom_value=True,
                    multiselect=True,
                    label=t("model.know.models"),
                    elem_id="know-models",
                )
                self._start = gr.Button(t("model.know.start"), elem_id="know-start", min_width=140)
            self._found = gr.HTML(elem_id="know-found")
        self._wire()

    def _wire(self) -> None:
        gr.on(
            fn=handler(self._arrive),
            outputs=[self._split, self._models, self._found, self._timer],
            api_name="model_know_open",
            show_progress="hidden",
        )
        self._timer.tick(
            handler(self._show),
            None,
            [self._found, self._timer],
            show_progress="hidden",
            trigger_mode="once",
            api_name="model_know_tick",
        )
        begun = self._start.click(
            handler(self._begin), [self._split, self._models], self._where, api_name="model_know_start"
        )
        go(begun, self._where, "model_know_go")

    def _arrive(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        splits = self._workspace.splits.all()
        here = [(model.name, model.id) for model in self._workspace.models.all()]
        if not splits or not here:
            missing = "model.know.no_split" if here else "model.know.no_model"
            return [gr.skip(), gr.skip(), html.notice("info", say(missing, lang)), gr.Timer(active=False)]
        names = {one.id: one.name for one in self._workspace.data.all()}
        choices = [(_named(split, names), split.id) for split in splits]
        chosen = asked(request, "split") or splits[0].id
        split = gr.Dropdown(choices=choices, value=chosen)
        return [split, gr.Dropdown(choices=here, value=[id_ for _, id_ in here]), *self._show(request)]

    def _show(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        split = asked(request, "split")
        found = self._workspace.familiarity.of(split) if split else []
        busy = any(one.job.state not in ENDED_STATES for one in found)
        return [_table(found, self._progress(found), lang) if found else "", gr.Timer(active=busy)]

    def _progress(self, found: list[Familiarity]) -> dict[str, Any]:
        return {one.job.id: self._workspace.jobs.folder(one.job).state() for one in found}

    def _begin(self, split: str | None, models: list[str] | None) -> str:
        self._workspace.familiarity.start(split or "", models or [])
        return html.url("model", split=split) + "#know-found"


def _table(found: list[Familiarity], progress: dict[str, Any], lang: str) -> Markup:
    headers = [say(f"model.know.{key}", lang) for key in ("model", "size", "bits", "perplexity", "rows")]
    rows = [
        [
            one.model.name,
            views.parameters(one.model.parameters, lang),
            _figure(one, progress[one.job.id], lang),
            html.number(one.perplexity, lang),
            _rows(one, lang),
        ]
        for one in found
    ]
    return html.table(headers, rows, say("model.know.title", lang)) + html.paragraph(
        say("model.know.meaning", lang)
    )


def _figure(one: Familiarity, state: dict[str, Any], lang: str) -> str:
    """Bits per character; before they are known, how far the measuring is, or why it ended."""
    if one.bits_per_character is not None:
        return html.number(one.bits_per_character, lang, 2)
    if one.job.state in ENDED_STATES:
        return views.state_pill(one.job.state, lang) + views.error_notice(one.job.error, lang)
    return views.progress_bar(views.progress_of(state), lang)


def _rows(one: Familiarity, lang: str) -> str:
    if one.bits_per_character is None:
        return "–"
    if not one.left_out:
        return html.number(one.rows, lang)
    return say("model.know.rows_left_out", lang, rows=html.number(one.rows, lang), left_out=one.left_out)


def _named(split: Split, names: dict[str, str]) -> str:
    return f"{names.get(split.dataset, split.name)} · {split.created_at.astimezone():%Y-%m-%d %H:%M}"
