"""The cleaning page: put steps together, see what they would do, run them, undo; and correct single rows by hand.

``?dataset=`` is what is cleaned, ``?steps=a,b`` chooses steps beforehand, ``?made=`` is the dataset that a run makes. The
list of steps is the page's own until it is run or written out as YAML.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.data import clean
from ftkit.data.cleaning.service import CleaningView
from ftkit.errors import BadInput, NotAllowed, NotFound
from ftkit.records import ENDED_STATES
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.data.choosing import choose_dataset
from ftkit.ui.pages.data.cleaning import form
from ftkit.ui.pages.data.cleaning import views as clean_views
from ftkit.ui.pages.data.cleaning.editor import Editor
from ftkit.ui.parts import asked, destination, go, page_heading, section
from ftkit.workspace import Workspace

_EVERY = 1.0
_STEPS_FILE, _AUDIT_FILE = "cleaning-steps.yaml", "audit-{id}.jsonl"
_FILE_LIMIT = 1_000_000  # bytes
_FIRST_PRESET = "light"
_OWN = "own"  # a list that is none of the presets

Steps = list[dict[str, Any]]


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("clean")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._steps = gr.State([])
        self._chosen = gr.State(-1)
        self._seen = gr.State("")
        self._timer = gr.Timer(_EVERY, active=False)
        self._head = gr.HTML(elem_id="clean-head")
        with gr.Column(visible=False, elem_classes="ft-card") as self._made_card:
            self._lay_out_made()
        with gr.Column(visible=False) as self._opened:
            with gr.Column(elem_classes="ft-card"):
                self._lay_out_steps()
            with gr.Column(elem_classes="ft-card"):
                self._lay_out_run()
            with gr.Column(elem_classes="ft-card"):
                self._editor = Editor(workspace)
        self._wire()

    def _lay_out_made(self) -> None:
        self._made = gr.HTML(elem_id="clean-made")
        with gr.Row(elem_classes="ft-actions"):
            self._stop = gr.Button(
                t("clean.stop"), variant="stop", visible=False, elem_id="clean-stop", min_width=120
            )
            self._undo = gr.Button(t("clean.undo"), visible=False, elem_id="clean-undo", min_width=120)
            self._audit = gr.DownloadButton(
                t("clean.audit"),  # type: ignore[arg-type]  # Gradio translates it
                visible=False,
                elem_id="clean-audit",
                min_width=160,
            )

    def _lay_out_steps(self) -> None:
        section("clean.steps")
        presets: list[tuple[Any, str]] = [
            (t(f"clean.preset.{one.name}"), one.name) for one in self._workspace.cleaning.presets()
        ]
        self._preset = gr.Dropdown(
            choices=[*presets, (t("clean.preset.own"), _OWN)], value=None, label=t("clean.preset.label"), info=t("clean.preset.help"),
            elem_id="clean-preset", interactive=True,
        )  # fmt: skip
        self._list = gr.Radio(
            choices=[], label=t("clean.list.label"), info=t("clean.list.help"), elem_id="clean-list",
            elem_classes="ft-steps-list", interactive=True,
        )  # fmt: skip
        with gr.Row(elem_classes="ft-actions"):
            self._up = gr.Button(t("clean.up"), elem_id="clean-up", size="sm", min_width=90)
            self._down = gr.Button(t("clean.down"), elem_id="clean-down", size="sm", min_width=90)
            self._remove = gr.Button(t("clean.remove"), elem_id="clean-remove", size="sm", min_width=90)
        self._panels = form.Panels()
        with gr.Row(elem_classes="ft-save"):
            self._kind = gr.Dropdown(
                choices=[(t(f"steps.{name}.title"), name) for name in clean.STEPS], value="normalise_text",
                label=t("clean.add.label"), elem_id="clean-kind", interactive=True,
            )  # fmt: skip
            self._add = gr.Button(t("clean.add"), elem_id="clean-add", min_width=140)
        with gr.Accordion(t("clean.yaml.title"), open=False, elem_id="clean-yaml"):
            self._text = gr.Textbox(
                label=t("clean.yaml.label"), lines=10, max_lines=24, buttons=["copy"], elem_classes="ft-mono",
                elem_id="clean-yaml-text", interactive=True,
            )  # fmt: skip
            with gr.Row(elem_classes="ft-actions"):
                self._write = gr.Button(t("clean.yaml.write"), elem_id="clean-yaml-write", min_width=160)
                self._use = gr.Button(t("clean.yaml.use"), elem_id="clean-yaml-use", min_width=160)
                self._file = gr.UploadButton(
                    t("clean.yaml.open"),  # type: ignore[arg-type]  # Gradio translates it
                    file_types=[".yaml", ".yml"],
                    elem_id="clean-yaml-file",
                    min_width=160,
                )
                self._save = gr.DownloadButton(
                    t("clean.yaml.save"),  # type: ignore[arg-type]  # as above
                    visible=False,
                    elem_id="clean-yaml-save",
                    min_width=160,
                )

    def _lay_out_run(self) -> None:
        section("clean.preview")
        with gr.Row(elem_classes="ft-actions"):
            self._look = gr.Button(t("clean.preview.do"), elem_id="clean-preview", min_width=160)
        self._seen_rows = gr.HTML(elem_id="clean-preview-rows")
        section("clean.run")
        with gr.Row(elem_classes="ft-save"):
            self._name = gr.Textbox(
                label=t("clean.name.label"),
                placeholder=t("clean.name.hint"),
                max_lines=1,
                elem_id="clean-name",
            )
            self._start = gr.Button(
                t("clean.run.do"), variant="primary", elem_id="clean-start", min_width=160
            )

    def _wire(self) -> None:
        state = [self._steps, self._chosen, *self._panels.fields]
        shown = [self._steps, self._chosen, self._list, *self._panels.columns.values(), *self._panels.fields]
        opened = gr.on(
            fn=handler(self._open),
            outputs=[self._head, self._opened, self._preset, *shown],
            api_name="clean_open",
        )
        self._editor.opened(opened)
        changes: list[tuple[str, Any, Callable[..., list[Any]], list[Any]]] = [
            ("preset", self._preset.input, self._take_preset, [self._preset]),
            ("choose", self._list.input, self._choose, [self._list]),
            ("add", self._add.click, self._add_step, [self._kind]),
            ("up", self._up.click, self._move_up, []),
            ("down", self._down.click, self._move_down, []),
            ("remove", self._remove.click, self._remove_step, []),
            ("yaml_use", self._use.click, self._use_text, [self._text]),
            ("yaml_open", self._file.upload, self._open_file, [self._file]),
        ]
        for name, trigger, change, more in changes:
            trigger(handler(change), [*more, *state], shown, api_name=f"clean_{name}", show_progress="hidden")
        self._write.click(
            handler(self._write_text), state, [self._text, self._save], api_name="clean_yaml_write"
        )
        self._look.click(handler(self._preview), state, self._seen_rows, api_name="clean_preview")
        started = self._start.click(
            handler(self._start_run),
            [self._name, *state],
            self._where,
            api_name="clean_start",
            trigger_mode="once",
        )
        go(started, self._where, "clean_start_go")
        self._wire_made()

    def _wire_made(self) -> None:
        live = [self._seen, self._made_card, self._made, self._stop, self._undo, self._audit, self._timer]
        gr.on(
            fn=handler(self._show_made),
            inputs=self._seen,
            outputs=live,
            api_name="clean_made",
            show_progress="hidden",
        )
        self._timer.tick(
            handler(self._show_made),
            self._seen,
            live,
            show_progress="hidden",
            trigger_mode="once",
            api_name="clean_tick",
        )
        stopped = self._stop.click(handler(self._stop_run), None, self._seen, api_name="clean_stop")
        stopped.success(
            handler(self._show_made), self._seen, live, api_name="clean_stopped", show_progress="hidden"
        )
        go(
            self._undo.click(handler(self._undo_run), None, self._where, api_name="clean_undo"),
            self._where,
            "clean_undo_go",
        )

    def _open(self, request: gr.Request) -> list[Any]:
        """Head and steps for the dataset of the address."""
        lang = language(request)
        id_ = asked(request, "dataset")
        if not id_:
            return [
                choose_dataset(self._workspace, "clean", lang),
                gr.Column(visible=False),
                gr.skip(),
                *self._shown([], -1, lang),
            ]
        dataset = self._workspace.data.get(id_)
        names = [name for name in asked(request, "steps").split(",") if name]
        known = [form.defaults(name) for name in names if name in clean.STEPS]
        if made := asked(request, "made"):
            known = list(self._workspace.cleaning.progress(made).steps)
        steps = known or _values(self._workspace.cleaning.preset(_FIRST_PRESET).steps)
        head = html.join([html.heading(dataset.name), views.dataset_facts(dataset, lang)])
        if unknown := [name for name in names if name not in clean.STEPS]:
            head += html.notice("warn", say("clean.unknown_steps", lang, names=", ".join(unknown)[:200]))
        back = html.link(html.url("data", dataset=id_), say("clean.back", lang))
        card = Markup('<div class="ft-card">{}{}</div>').format(head, html.actions(back))
        preset = gr.update(value=_OWN if known else _FIRST_PRESET)
        return [card, gr.Column(visible=True), preset, *self._shown(steps, 0, lang)]

    def _shown(self, steps: Steps, chosen: int, lang: str) -> list[Any]:
        """Everything that shows the list, with one step of it open."""
        chosen = min(max(chosen, 0), len(steps) - 1)
        choices: list[tuple[str, int]] = [
            (f"{place + 1}. {clean_views.step_title(step['step'], lang)}", place)
            for place, step in enumerate(steps)
        ]
        radio = gr.Radio(choices=choices, value=chosen if steps else None)
        return [steps, chosen, radio, *self._panels.show(steps[chosen] if steps else None)]

    def _merged(self, steps: Steps, chosen: int, values: tuple[Any, ...]) -> Steps:
        """The list with what stands in the open panel."""
        if not 0 <= chosen < len(steps):
            return steps
        open_step = self._panels.read(steps[chosen]["step"], values)
        return [open_step if place == chosen else step for place, step in enumerate(steps)]

    def _take_preset(
        self, request: gr.Request, name: str, steps: Steps, chosen: int, *values: Any
    ) -> list[Any]:
        if name == _OWN:
            return self._shown(self._merged(steps, chosen, values), chosen, language(request))
        return self._shown(_values(self._workspace.cleaning.preset(name).steps), 0, language(request))

    def _choose(self, request: gr.Request, wanted: int, steps: Steps, chosen: int, *values: Any) -> list[Any]:
        return self._shown(self._merged(steps, chosen, values), wanted, language(request))

    def _add_step(self, request: gr.Request, kind: str, steps: Steps, chosen: int, *values: Any) -> list[Any]:
        new = [*self._merged(steps, chosen, values), form.defaults(kind)]
        return self._shown(new, len(new) - 1, language(request))

    def _move_up(self, request: gr.Request, steps: Steps, chosen: int, *values: Any) -> list[Any]:
        return self._moved(request, steps, chosen, values, -1)

    def _move_down(self, request: gr.Request, steps: Steps, chosen: int, *values: Any) -> list[Any]:
        return self._moved(request, steps, chosen, values, 1)

    def _moved(
        self, request: gr.Request, steps: Steps, chosen: int, values: tuple[Any, ...], by: int
    ) -> list[Any]:
        new, target = list(self._merged(steps, chosen, values)), chosen + by
        if 0 <= chosen < len(new) and 0 <= target < len(new):
            new[chosen], new[target] = new[target], new[chosen]
            chosen = target
        return self._shown(new, chosen, language(request))

    def _remove_step(self, request: gr.Request, steps: Steps, chosen: int, *values: Any) -> list[Any]:
        merged = self._merged(steps, chosen, values)
        return self._shown(
            [one for place, one in enumerate(merged) if place != chosen], chosen, language(request)
        )

    def _use_text(self, request: gr.Request, text: str, *_: Any) -> list[Any]:
        return self._shown(_values(clean.load(text)), 0, language(request))

    def _open_file(self, request: gr.Request, path: str, *_: Any) -> list[Any]:
        file, folder = Path(path).resolve(), (self._workspace.settings.home / "tmp").resolve()
        if not file.is_relative_to(folder):
            raise NotAllowed(
                "ui.not_an_upload", "This file did not come through the upload. Choose a file again."
            )
        try:
            text = file.read_bytes()[:_FILE_LIMIT].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(
                "clean.not_text", "The file is no UTF-8 text. Save the steps as a YAML text file."
            ) from error
        return self._shown(_values(clean.load(text)), 0, language(request))

    def _write_text(self, steps: Steps, chosen: int, *values: Any) -> list[Any]:
        text = clean.dump(clean.parse(self._merged(steps, chosen, values)))
        path = self._download(_STEPS_FILE)
        path.write_text(text, encoding="utf-8")
        return [text, gr.DownloadButton(value=str(path), visible=True)]

    def _preview(self, request: gr.Request, steps: Steps, chosen: int, *values: Any) -> str:
        dataset = self._workspace.data.get(asked(request, "dataset"))
        parsed = clean.parse(self._merged(steps, chosen, values))
        return clean_views.preview(
            self._workspace.cleaning.preview(dataset.id, parsed), dataset, language(request)
        )

    def _start_run(self, request: gr.Request, name: str, steps: Steps, chosen: int, *values: Any) -> str:
        dataset = asked(request, "dataset")
        parsed = clean.parse(self._merged(steps, chosen, values))
        view = self._workspace.cleaning.start(dataset, parsed, name)
        return html.url("clean", dataset=dataset, made=view.dataset)

    def _show_made(self, request: gr.Request, seen: str) -> Any:
        """The run of the address; nothing where nothing is new since ``seen``."""
        made = asked(request, "made")
        if not made:
            return gr.skip()
        lang = language(request)
        try:
            view = self._workspace.cleaning.progress(made)
        except NotFound as error:
            raise gr.Error(html.shorten(str(error), 200), print_exception=False) from error
        ended = view.job.state in ENDED_STATES
        revision = f"{view.job.state}:{view.progress.step if view.progress else ''}"
        if revision == seen:
            return gr.skip()
        done = view.summary is not None
        audit = gr.DownloadButton(visible=done, value=self._audit_file(view) if done else None)
        return [
            revision,
            gr.Column(visible=True),
            self._made_text(view, lang),
            gr.Button(visible=not ended, interactive=view.job.state != "stopping"),
            gr.Button(visible=done),
            audit,
            gr.Timer(active=not ended),
        ]

    def _made_text(self, view: CleaningView, lang: str) -> Markup:
        title = Markup('<h2 class="ft-title">{} {}</h2>').format(
            view.name, views.state_pill(view.job.state, lang)
        )
        if view.summary is not None:
            return title + clean_views.result(view.summary, self._workspace.data.get(view.dataset), lang)
        if view.progress is not None:
            return title + views.progress_bar(view.progress, lang)
        if view.job.state == "done":
            return title + html.notice("info", say("clean.undone", lang))
        return title + views.error_notice(view.job.error, lang)

    def _stop_run(self, request: gr.Request) -> str:
        self._workspace.cleaning.stop(asked(request, "made"))
        return ""

    def _undo_run(self, request: gr.Request) -> str:
        return html.url("data", dataset=self._workspace.cleaning.undo(asked(request, "made")))

    def _audit_file(self, view: CleaningView) -> str:
        path = self._download(_AUDIT_FILE.format(id=view.dataset))
        if not path.exists():
            with path.open("w", encoding="utf-8") as stream:
                stream.writelines(self._workspace.cleaning.audit_lines(view.dataset))
        return str(path)

    def _download(self, name: str) -> Path:
        """A file that Gradio may hand out: it lies in its own folder."""
        folder = self._workspace.settings.home / "tmp" / "cleaning"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


def _values(steps: tuple[Any, ...]) -> Steps:
    return [step.model_dump(mode="json") for step in steps]
