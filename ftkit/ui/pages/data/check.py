"""The check page: what is wrong with a dataset for a model and a length, and the way to mend it.

``?dataset=`` is what is checked, ``?check=`` one of its checks; without it the newest one is shown.
"""

from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.data.health.service import CheckOptions, HealthView
from ftkit.records import ENDED_STATES
from ftkit.training.spec import RunSpec
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_phrase, t
from ftkit.ui.pages.data.checking.views import check_card
from ftkit.ui.pages.data.choosing import choose_dataset
from ftkit.ui.parts import asked, destination, go, page_heading
from ftkit.workspace import Workspace

_EVERY = 1.0
_MAX_LENGTH = RunSpec.model_fields["max_length"].default


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("check")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._seen = gr.State("")
        self._timer = gr.Timer(_EVERY, active=False)
        self._head = gr.HTML(elem_id="check-head")
        with gr.Column(visible=False, elem_classes="ft-card") as self._form:
            self._lay_out_form()
        self._result = gr.HTML(elem_id="check-result")
        with gr.Row(elem_classes="ft-actions"):
            self._json = gr.DownloadButton(
                t("check.json"),  # type: ignore[arg-type]  # Gradio translates it
                visible=False,
                elem_id="check-json",
                min_width=160,
            )
            self._html = gr.DownloadButton(
                t("check.html"),  # type: ignore[arg-type]  # as above
                visible=False,
                elem_id="check-html",
                min_width=160,
            )
        self._wire()

    def _lay_out_form(self) -> None:
        with gr.Row(elem_classes="ft-fields"):
            self._model = gr.Dropdown(
                choices=[(t("check.model.none"), "")],
                value="",
                label=t("check.model.label"),
                info=t("check.model.help"),
                elem_id="check-model",
            )
            self._max_length = gr.Number(
                _MAX_LENGTH,
                precision=0,
                minimum=16,
                label=t("check.max_length.label"),
                info=t("check.max_length.help"),
                elem_id="check-max-length",
            )
            self._split = gr.Dropdown(
                choices=[(t("check.split.none"), "")],
                value="",
                label=t("check.split.label"),
                info=t("check.split.help"),
                elem_id="check-split",
            )
            self._personal = gr.Checkbox(
                True, label=t("check.personal.label"), info=t("check.personal.help"), elem_id="check-personal"
            )
        with gr.Row(elem_classes="ft-actions"):
            self._start = gr.Button(t("check.start"), variant="primary", elem_id="check-start", min_width=160)
            self._stop = gr.Button(
                t("check.stop"), variant="stop", visible=False, elem_id="check-stop", min_width=120
            )

    def _wire(self) -> None:
        shown = [self._seen, self._result, self._stop, self._json, self._html, self._timer]
        gr.on(
            fn=handler(self._open),
            outputs=[self._head, self._form, self._model, self._max_length, self._split, self._personal],
            api_name="check_open",
            show_progress="hidden",
        ).success(handler(self._show), self._seen, shown, api_name="check_show", show_progress="hidden")
        self._timer.tick(
            handler(self._show),
            self._seen,
            shown,
            api_name="check_tick",
            show_progress="hidden",
            trigger_mode="once",
        )
        started = self._start.click(
            handler(self._begin),
            [self._model, self._max_length, self._split, self._personal],
            self._where,
            api_name="check_start",
        )
        go(started, self._where, "check_go")
        self._stop.click(handler(self._end), None, self._where, api_name="check_stop")

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        id_ = asked(request, "dataset")
        if not id_:
            return [choose_dataset(self._workspace, "check", lang), *([gr.skip()] * 5)]
        dataset = self._workspace.data.get(id_)
        back = html.link(html.url("data", dataset=id_), say("check.back", lang))
        head = html.heading(dataset.name) + views.dataset_facts(dataset, lang) + html.actions(back)
        models: list[tuple[Any, str]] = [(one.name, one.id) for one in self._workspace.models.all()]
        splits: list[tuple[Any, str]] = [(one.name, one.id) for one in self._workspace.splits.all(id_)]
        known = self._view(request)
        options = (
            known.options
            if known
            else CheckOptions(model=models[0][1] if models else "", max_length=_MAX_LENGTH)
        )
        return [
            Markup('<div class="ft-card">{}</div>').format(head),
            gr.Column(visible=True),
            gr.Dropdown(choices=[*models, (t("check.model.none"), "")], value=options.model),
            options.max_length,
            gr.Dropdown(choices=[(t("check.split.none"), ""), *splits], value=options.split),
            options.personal,
        ]

    def _show(self, request: gr.Request, seen: str) -> Any:
        view = self._view(request)
        if view is None:
            return [*([gr.skip()] * 5), gr.Timer(active=False)]
        revision = f"{view.id} {view.job.state} {view.progress}"
        if revision == seen:
            return gr.skip()
        ended, done = view.job.state in ENDED_STATES, view.report is not None
        lang = language(request)
        files = self._files(view, lang) if done else (None, None)
        return [
            revision,
            check_card(view, lang),
            gr.Button(visible=not ended, interactive=view.job.state != "stopping"),
            gr.DownloadButton(visible=done, value=files[0]),
            gr.DownloadButton(visible=done, value=files[1]),
            gr.Timer(active=not ended),
        ]

    def _view(self, request: gr.Request) -> HealthView | None:
        """The check that the address names, else the newest of the dataset."""
        if wanted := asked(request, "check"):
            return self._workspace.health.get(wanted)
        dataset = asked(request, "dataset")
        return self._workspace.health.newest(dataset) if dataset else None

    def _begin(self, request: gr.Request, model: str, max_length: int, split: str, personal: bool) -> str:
        options = CheckOptions(model=model, max_length=int(max_length), split=split, personal=personal)
        view = self._workspace.health.start(asked(request, "dataset"), options)
        return html.url("check", dataset=view.dataset.id, check=view.id)

    def _end(self, request: gr.Request) -> str:
        if (view := self._view(request)) is not None:
            self._workspace.health.stop(view.id)
        return ""

    def _files(self, view: HealthView, lang: str) -> tuple[str, str]:
        """The report as JSON and as a page, in the folder that Gradio may hand out."""
        folder = self._workspace.settings.home / "tmp" / "checks"
        folder.mkdir(parents=True, exist_ok=True)
        as_json, as_page = folder / f"{view.id}.json", folder / f"{view.id}-{lang}.html"
        assert view.report is not None, "asked only for a finished check"  # noqa: S101
        _write(as_json, view.report.model_dump_json(indent=1))
        _write(as_page, self._workspace.health.page(view.id, lang, lambda text: say_phrase(text, lang)))
        return str(as_json), str(as_page)


def _write(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, encoding="utf-8")
