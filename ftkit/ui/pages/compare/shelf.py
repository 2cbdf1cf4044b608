"""What was kept: saved comparisons, and answers that are examples for a dataset.

Takes the workspace, gives lists with links and buttons to delete, and makes a dataset of the examples. It asks no model.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.compare.chat import Chat, Thread, kept_of
from ftkit.ui.pages.compare.listing import PromptList
from ftkit.ui.parts import destination, go, origin
from ftkit.workspace import Workspace

_TEXT = 120
_NAME = 60


class Shelf:
    """Components below the answers."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(elem_classes="ft-card"):
            gr.Markdown("## " + t("compare.saved.title"), elem_classes="ft-section")
            self._comparisons = gr.HTML(elem_id="saved-list")
            with gr.Row(elem_classes="ft-save", visible=False) as self._comparisons_row:
                self._comparison = gr.Dropdown(label=t("compare.saved.which"), elem_id="saved-which")
                self._drop_comparison = gr.Button(t("compare.saved.delete"), elem_id="saved-delete")
        with gr.Column(elem_classes="ft-card"):
            gr.Markdown("## " + t("compare.examples.title"), elem_classes="ft-section")
            self._examples = gr.HTML(elem_id="examples-list")
            with gr.Row(elem_classes="ft-save", visible=False) as self._examples_row:
                self._example = gr.Dropdown(label=t("compare.examples.which"), elem_id="examples-which")
                self._drop_example = gr.Button(t("compare.examples.delete"), elem_id="examples-delete")
                self._name = gr.Textbox(label=t("compare.examples.name"), elem_id="examples-name")
                self._make = gr.Button(t("compare.examples.make"), variant="primary", elem_id="examples-make")
            self._where = destination()

    @property
    def outputs(self) -> list[Any]:
        """What ``shown`` fills, in its order."""
        return [
            self._comparisons,
            self._comparisons_row,
            self._comparison,
            self._examples,
            self._examples_row,
            self._example,
        ]

    def wire(self, chat: Chat, prompts: PromptList) -> None:
        """Keep what the others have made."""
        self._running = {"chat": chat.running, "list": prompts.running}
        chat.save.click(
            handler(self._save_chat), chat.thread, [chat.saved, *self.outputs], api_name="compare_save"
        )
        prompts.save.click(
            handler(self._save_list),
            prompts.thread,
            [prompts.saved, *self.outputs],
            api_name="compare_list_save",
        )
        chat.keep.click(
            handler(chat.keep_example), chat.keep_inputs, chat.kept, api_name="compare_keep"
        ).success(handler(self.shown), None, self.outputs, api_name="compare_kept")
        self._drop_comparison.click(
            handler(self._delete_comparison), self._comparison, self.outputs, api_name="compare_saved_delete"
        )
        self._drop_example.click(
            handler(self._delete_example), self._example, self.outputs, api_name="compare_examples_delete"
        )
        go(
            self._make.click(
                handler(self._dataset), self._name, self._where, api_name="compare_examples_make"
            ),
            self._where,
            "compare_examples_go",
        )

    def shown(self, request: gr.Request) -> list[Any]:
        """Both lists as they are now."""
        lang = language(request)
        saved, examples = self._workspace.comparisons.all(), self._workspace.examples.all()
        listed = html.table(
            [
                say("compare.saved.name", lang),
                say("compare.saved.models", lang),
                say("compare.saved.at", lang),
            ],
            [
                (
                    html.link_text(html.url("compare", comparison=one.id), html.shorten(one.name, _NAME)),
                    str(len(one.sides)),
                    html.moment(one.created_at),
                )
                for one in saved
            ],
            say("compare.saved.title", lang),
        )
        kept = html.table(
            [
                say("compare.examples.prompt", lang),
                say("compare.examples.answer", lang),
                say("compare.saved.at", lang),
            ],
            [
                (
                    html.shorten(one.messages[-1]["content"], _TEXT),
                    html.shorten(one.answer, _TEXT)
                    + (f" ({say('compare.examples.edited', lang)})" if one.edited else ""),
                    html.moment(one.saved_at),
                )
                for one in examples
            ],
            say("compare.examples.title", lang),
        )
        return [
            listed if saved else _nothing("compare.saved.empty", lang),
            gr.Row(visible=bool(saved)),
            gr.Dropdown(choices=[(one.name, one.id) for one in saved], value=None),
            kept if examples else _nothing("compare.examples.empty", lang),
            gr.Row(visible=bool(examples)),
            gr.Dropdown(
                choices=[(html.shorten(one.messages[-1]["content"], _TEXT), one.id) for one in examples],
                value=None,
            ),
        ]

    def _save_chat(self, request: gr.Request, thread: Thread) -> list[Any]:
        return self._save(request, thread, "chat")

    def _save_list(self, request: gr.Request, thread: Thread) -> list[Any]:
        return self._save(request, thread, "list")

    def _save(self, request: gr.Request, thread: Thread, kind: str) -> list[Any]:
        lang = language(request)
        if self._running[kind].busy(request):
            raise gr.Error(say("compare.saved.busy", lang), print_exception=False)
        record = self._workspace.comparisons.save(*kept_of(thread, kind))
        where = origin(request) + html.url("compare", comparison=record.id)
        note = html.notice(
            "good", Markup("{} {}").format(say("compare.saved.done", lang), html.link_text(where, where))
        )
        return [note, *self.shown(request)]

    def _delete_comparison(self, request: gr.Request, id_: str | None) -> list[Any]:
        if not id_:
            raise gr.Error(say("compare.saved.first", language(request)), print_exception=False)
        self._workspace.comparisons.delete(id_)
        return self.shown(request)

    def _delete_example(self, request: gr.Request, id_: str | None) -> list[Any]:
        if not id_:
            raise gr.Error(say("compare.examples.first", language(request)), print_exception=False)
        self._workspace.examples.delete(id_)
        return self.shown(request)

    def _dataset(self, name: str) -> str:
        return html.url("data", dataset=self._workspace.examples_to_dataset(name).id)


def _nothing(key: str, lang: str) -> Markup:
    return Markup('<p class="ft-quiet">{}</p>').format(say(key, lang))
