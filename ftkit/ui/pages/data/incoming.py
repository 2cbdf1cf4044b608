"""What comes in, on the data page: files, a data set of the Hub, the progress of a long reading, and how to read otherwise.

Takes files and names, ends at the address of an upload. It shows no rows: the page does, once the upload is read.
"""

from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.data.reading.detect import ENDINGS
from ftkit.data.reading.report import Options
from ftkit.errors import NotAllowed
from ftkit.records import ENDED_STATES
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, go
from ftkit.workspace import Workspace

_EVERY = 1.0
_ENCODINGS = ("utf-8", "windows-1252", "windows-1254", "windows-1250", "windows-1251", "utf-16")
_DELIMITERS = (",", ";", "\t", "|")
_FOUND_OUT = ""


class Incoming:
    """Components and what happens on them; lay out the parts where they belong, then wire."""

    def __init__(self, workspace: Workspace, where: gr.Textbox) -> None:
        self._workspace = workspace
        self._where = where

    def lay_out_progress(self) -> None:
        """A card that is there while a file is read."""
        with gr.Column(elem_classes="ft-card", visible=False) as self._card:
            self._progress = gr.HTML(elem_id="data-reading")
            with gr.Row(elem_classes="ft-actions"):
                self._cancel = gr.Button(t("data.reading.cancel"), elem_id="data-cancel", min_width=140)
        self._timer = gr.Timer(_EVERY, active=False)

    def lay_out_sources(self) -> None:
        """Where files and names are given."""
        gr.Markdown("### " + t("data.upload.title"))
        self._files = gr.File(
            label=t("data.upload.label"),
            file_types=list(ENDINGS),
            file_count="multiple",
            elem_id="data-upload",
            height=150,
            elem_classes="ft-upload",
        )
        with gr.Row(elem_classes="ft-save"):
            self._hub = gr.Textbox(
                label=t("data.hub.label"),
                placeholder="owner/name@revision",
                min_width=260,
                max_lines=1,
                elem_id="data-hub",
            )
            self._get = gr.Button(t("data.hub.get"), elem_id="data-hub-get", min_width=140)

    def lay_out_options(self) -> None:
        """How else the file can be read; only beside an upload."""
        with gr.Accordion(t("data.again.title"), open=False, visible=False) as self._again:
            gr.Markdown(t("data.again.lede"), elem_classes="ft-quiet")
            with gr.Row(elem_classes="ft-fields"):
                self._encoding = gr.Dropdown(
                    choices=_choices(_ENCODINGS),
                    value="",
                    label=t("data.again.encoding"),
                    elem_id="again-encoding",
                )
                self._delimiter = gr.Dropdown(
                    choices=[
                        (t("data.again.found_out"), _FOUND_OUT),
                        *(
                            (t(f"data.again.delimiter.{number}"), mark)
                            for number, mark in enumerate(_DELIMITERS)
                        ),
                    ],
                    value="",
                    label=t("data.again.delimiter"),
                    elem_id="again-delimiter",
                )
                self._header = gr.Dropdown(
                    choices=[
                        (t("data.again.found_out"), _FOUND_OUT),
                        (t("data.again.header.yes"), "yes"),
                        (t("data.again.header.no"), "no"),
                    ],
                    value="",
                    label=t("data.again.header"),
                    elem_id="again-header",
                )
                self._sheet = gr.Dropdown(label=t("data.again.sheet"), visible=False, elem_id="again-sheet")
                self._list = gr.Dropdown(label=t("data.again.list"), visible=False, elem_id="again-list")
            with gr.Row(elem_classes="ft-actions"):
                self._read = gr.Button(t("data.again.do"), elem_id="again-do", min_width=140)

    def wire(self, arrived: gr.events.Dependency) -> None:
        """Connect everything; ``arrived`` is the page's own opening, which begins to read an upload."""
        live = [self._card, self._progress, self._timer]
        options = [self._encoding, self._delimiter, self._header, self._sheet, self._list]
        arrived.success(handler(self.show), None, live, api_name="data_reading", show_progress="hidden")
        arrived.success(
            handler(self.show_options),
            None,
            [self._again, *options],
            api_name="data_options",
            show_progress="hidden",
        )
        ticked = self._timer.tick(
            handler(self.tick),
            None,
            [self._progress, self._where, self._timer],
            show_progress="hidden",
            trigger_mode="once",
            api_name="data_tick",
        )
        go(ticked, self._where, "data_tick_go")
        for name, trigger, make, inputs in (
            ("upload", self._files.upload, self.take, [self._files]),
            ("hub", self._get.click, self.fetch, [self._hub]),
            ("cancel", self._cancel.click, self.cancel, []),
            ("again", self._read.click, self.read_again, options),
        ):
            made = trigger(handler(make), inputs, self._where, api_name=f"data_{name}")
            go(made, self._where, f"data_{name}_go")

    def show(self, request: gr.Request) -> list[Any]:
        """The card with the progress, while there is any."""
        card = self._progress_of(request)
        return [gr.Column(visible=card is not None), card or "", gr.Timer(active=card is not None)]

    def tick(self, request: gr.Request) -> list[Any]:
        """The progress again; when there is none any more, the upload's address, which then shows its rows."""
        card = self._progress_of(request)
        if card is not None:
            return [card, gr.skip(), gr.skip()]
        upload = asked(request, "upload")
        job = self._workspace.data.incoming.job(upload)
        cancelled = job is None or job.state == "stopped"
        return [gr.skip(), html.url("data", upload="" if cancelled else upload), gr.Timer(active=False)]

    def show_options(self, request: gr.Request) -> list[Any]:
        """How the file was read, to be changed."""
        upload = asked(request, "upload")
        reading = self._workspace.data.incoming.reading(upload) if upload else None
        if reading is None:
            return [gr.skip()] * 6
        chosen = reading.options
        header = {True: "yes", False: "no", None: _FOUND_OUT}[chosen.header]
        return [
            gr.Accordion(visible=True),
            chosen.encoding,
            chosen.delimiter,
            header,
            _offered(reading.sheets, chosen.sheet),
            _offered(reading.lists, chosen.list_name),
        ]

    def take(self, paths: list[str]) -> str:
        """Files that came through the upload become one upload."""
        folder = (self._workspace.settings.home / "tmp").resolve()
        if not all(Path(path).resolve().is_relative_to(folder) for path in paths):
            raise NotAllowed(
                "ui.not_an_upload", "This file did not come through the upload. Choose a file again."
            )
        files = [(Path(path), Path(path).name) for path in paths]
        return html.url("data", upload=self._workspace.data.incoming.add(files).id)

    def fetch(self, name: str) -> str:
        """A data set of the Hub becomes an upload as soon as it is here."""
        return html.url("data", upload=self._workspace.data.incoming.fetch(name))

    def cancel(self, request: gr.Request) -> str:
        """Stop reading and forget the file."""
        self._workspace.data.incoming.cancel(asked(request, "upload"))
        return html.url("data")

    def read_again(
        self, request: gr.Request, encoding: str, delimiter: str, header: str, sheet: str, list_name: str
    ) -> str:
        """The same file, read as the person says."""
        options = Options(
            encoding=encoding or "",
            delimiter=delimiter or "",
            header={"yes": True, "no": False}.get(header),
            sheet=sheet or "",
            list_name=list_name or "",
        )
        upload = asked(request, "upload")
        if self._workspace.data.incoming.begin(upload, options) is None:
            self._workspace.data.inspect(upload, options)
        return html.url("data", upload=upload)

    def _progress_of(self, request: gr.Request) -> Markup | None:
        upload = asked(request, "upload")
        job = self._workspace.data.incoming.job(upload) if upload else None
        if job is None or job.state in ENDED_STATES:
            return None
        lang = language(request)
        progress = views.progress_of({"phase": "starting", **self._workspace.data.incoming.state(upload)})
        return html.join([html.heading(say("data.reading.title", lang)), views.progress_bar(progress, lang)])


def _choices(names: tuple[str, ...]) -> list[tuple[Any, str]]:
    return [(t("data.again.found_out"), _FOUND_OUT), *((name, name) for name in names)]


def _offered(names: tuple[str, ...], chosen: str) -> gr.Dropdown:
    return gr.Dropdown(choices=_choices(names), value=chosen, visible=bool(names))
