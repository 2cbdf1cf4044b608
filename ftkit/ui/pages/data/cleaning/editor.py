"""The row editor: choose a row and a text in it, correct it, look at the corrections, save them as a new dataset.

The draft lies beside the dataset, so closing the page loses nothing. The dataset itself never changes.
"""

import json
from typing import Any

import gradio as gr

from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.data.cleaning import views
from ftkit.ui.parts import asked, destination, follow, go, section
from ftkit.workspace import Workspace


class Editor:
    """Components of the section and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        section("clean.edit")
        with gr.Row(elem_classes="ft-fields"):
            self.row = gr.Number(1, precision=0, minimum=1, label=t("clean.edit.row"), elem_id="edit-row")
            self._field = gr.Dropdown(
                choices=[], label=t("clean.edit.field"), elem_id="edit-field", interactive=True
            )
        self._text = gr.Textbox(
            label=t("clean.edit.text"), lines=5, max_lines=20, elem_id="edit-text", interactive=True
        )
        with gr.Row(elem_classes="ft-actions"):
            self._keep = gr.Button(t("clean.edit.keep"), elem_id="edit-keep", min_width=160)
        self._history = gr.HTML(elem_id="edit-history")
        with gr.Row(elem_classes="ft-save", visible=False) as self._after:
            self._number = gr.Dropdown(
                choices=[], label=t("clean.edit.which"), elem_id="edit-which", interactive=True
            )
            self._back = gr.Button(t("clean.edit.take_back"), elem_id="edit-back", min_width=140)
        with gr.Row(elem_classes="ft-save", visible=False) as self._saving:
            self._name = gr.Textbox(
                label=t("clean.name.label"),
                placeholder=t("clean.edit.name_hint"),
                max_lines=1,
                elem_id="edit-name",
            )
            self._save = gr.Button(
                t("clean.edit.save"), variant="primary", elem_id="edit-save", min_width=160
            )
        self._wire()

    def opened(self, event: gr.events.Dependency) -> None:
        """Show the first row and the draft once the page has opened."""
        shown = event.success(
            handler(self._choose),
            self.row,
            [self._field, self._text],
            api_name="clean_edit_open",
            show_progress="hidden",
        )
        shown.success(
            handler(self._list), None, self._listed, api_name="clean_edit_list", show_progress="hidden"
        )

    @property
    def _listed(self) -> list[Any]:
        return [self._history, self._after, self._number, self._saving]

    def _wire(self) -> None:
        texts = [self._field, self._text]
        follow(
            [self.row.input, self.row.submit],
            handler(self._choose),
            [self.row],
            texts,
            "clean_edit_row",
            quiet=True,
        )
        follow(
            [self._field.input],
            handler(self._read),
            [self.row, self._field],
            [self._text],
            "clean_edit_field",
            quiet=True,
        )
        self._keep.click(
            handler(self._edit), [self.row, self._field, self._text], self._listed, api_name="clean_edit_keep"
        )
        undone = self._back.click(
            handler(self._take_back), self._number, self._listed, api_name="clean_edit_back"
        )
        undone.success(
            handler(self._read),
            [self.row, self._field],
            self._text,
            api_name="clean_edit_again",
            show_progress="hidden",
        )
        go(
            self._save.click(handler(self._save_all), self._name, self._where, api_name="clean_edit_save"),
            self._where,
            "clean_edit_go",
        )

    def _choose(self, request: gr.Request, row: float | None) -> list[Any]:
        """The texts of a row; the first one is shown."""
        dataset = asked(request, "dataset")
        if not dataset:
            return [gr.skip(), gr.skip()]
        found = self._workspace.editing.texts(dataset, int(row or 1) - 1)
        choices: list[tuple[str, str]] = [(views.place(one.place), json.dumps(one.place)) for one in found]
        if not found:
            return [gr.Dropdown(choices=[], value=None), ""]
        return [gr.Dropdown(choices=choices, value=choices[0][1]), found[0].text]

    def _read(self, request: gr.Request, row: float | None, field: str | None) -> str:
        found = self._workspace.editing.texts(asked(request, "dataset"), int(row or 1) - 1)
        return next((one.text for one in found if json.dumps(one.place) == field), "")

    def _edit(self, request: gr.Request, row: float | None, field: str | None, text: str) -> list[Any]:
        place = tuple(json.loads(field or "[]"))
        self._workspace.editing.edit(asked(request, "dataset"), int(row or 1) - 1, place, text)
        return self._list(request)

    def _take_back(self, request: gr.Request, number: int | None) -> list[Any]:
        self._workspace.editing.take_back(asked(request, "dataset"), int(number or 0))
        return self._list(request)

    def _list(self, request: gr.Request) -> list[Any]:
        """The draft, and what can be taken back of it."""
        lang = language(request)
        dataset = asked(request, "dataset")
        if not dataset:
            return [gr.skip()] * 4
        draft = self._workspace.editing.draft(dataset)
        left = [one for one in reversed(draft.edits) if one.number not in draft.back]
        choices: list[tuple[str, int]] = [
            (
                f"{one.number}: {say('clean.preview.row', lang, n=one.row + 1)}, {views.place(one.place)}",
                one.number,
            )
            for one in left
        ]
        return [
            views.edits(draft, lang),
            gr.Row(visible=bool(left)),
            gr.Dropdown(choices=choices, value=choices[0][1] if choices else None),
            gr.Row(visible=bool(left)),
        ]

    def _save_all(self, request: gr.Request, name: str) -> str:
        made = self._workspace.editing.save(asked(request, "dataset"), name)
        return html.url("data", dataset=made.id)
