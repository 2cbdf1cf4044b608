"""Recipes of one's own on the Train page: saving the settings that the form shows, and deleting a saved recipe.

Takes the workspace, gives components. It starts nothing.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from ftkit.training.recipes import DEFAULT_RECIPE, is_own
from ftkit.training.spec import RunSpec
from ftkit.ui import form, html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import AskFirst
from ftkit.workspace import Workspace


class Own:
    """Two boxes: ``lay_out_save`` goes below the settings, ``lay_out_delete`` below the choice of a recipe."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def lay_out_save(self) -> None:
        """A name and a button."""
        with gr.Row(elem_classes="ft-save"):
            self._title = gr.Textbox(
                label=t("train.own.label"),
                info=t("train.own.help"),
                placeholder=t("train.own.placeholder"),
                max_lines=1,
                elem_id="train-own-name",
            )
            self._save = gr.Button(t("train.own.save"), elem_id="train-own-save", min_width=120)
        self._note = gr.HTML(elem_id="train-own-note")

    def lay_out_delete(self) -> None:
        """Only beside a recipe of one's own."""
        self.deleting = AskFirst(
            "train-own-delete", t("train.own.sure"), t("train.own.yes"), t("train.own.no")
        )
        self.deleting.lay_out_button(t("train.own.delete"), size="sm", elem_classes="ft-narrow")
        self.deleting.lay_out_question()

    def wire(self, recipe: gr.Dropdown, fields: Sequence[Component]) -> None:
        """Connect both with the choice of a recipe and the form."""
        changed = [self._note, recipe, self.deleting.button, self.deleting.question]
        self._save.click(handler(self._save_as), [self._title, *fields], changed, api_name="train_own_save")
        self.deleting.wire("train_own")
        self.deleting.really.click(handler(self._delete), recipe, changed, api_name="train_own_delete")

    def choices(self, lang: str) -> list[tuple[str, str]]:
        """Recipes that ftkit brings, then those that were saved here."""
        brought = [(one.name, one.name) for one in self._workspace.training.recipes()]
        own = self._workspace.training.own_recipes.names()
        return brought + [(say("train.own.choice", lang, name=name), name) for name in own]

    def deletable(self, recipe: str) -> list[Any]:
        """Updates of the button and of the question behind it."""
        return [gr.Button(visible=is_own(recipe)), gr.Row(visible=False)]

    def _save_as(self, request: gr.Request, title: str, *values: Any) -> list[Any]:
        lang = language(request)
        saved = self._workspace.training.own_recipes.save(title or "", RunSpec.parse(form.read(values)))
        note = html.notice("good", say("train.own.saved", lang, name=saved.name))
        return [note, self._chosen(saved.name, lang), *self.deletable(saved.name)]

    def _delete(self, request: gr.Request, name: str) -> list[Any]:
        lang = language(request)
        self._workspace.training.own_recipes.delete(name)
        note = html.notice("info", say("train.own.deleted", lang, name=name))
        return [note, self._chosen(DEFAULT_RECIPE, lang), *self.deletable(DEFAULT_RECIPE)]

    def _chosen(self, name: str, lang: str) -> gr.Dropdown:
        return gr.Dropdown(choices=self.choices(lang), value=name)
