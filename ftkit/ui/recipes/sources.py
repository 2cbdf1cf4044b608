"""Settings of a run from somewhere else: an earlier run, or a recipe that is pasted or uploaded.

Takes the workspace, gives components and what they fill: values of the form's fields, and the mistakes to mark at them. It
starts nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component
from markupsafe import Markup

from ftkit.errors import BadInput
from ftkit.training.checks.imported import read_options
from ftkit.training.checks.lines import MOST_CHARACTERS
from ftkit.ui import form, html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, t
from ftkit.workspace import Workspace

Look = Callable[[gr.events.Dependency, str], gr.events.Dependency]


class Sources:
    """The box with its components; ``wire`` connects it with the form beside it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Accordion(t("train.from.title"), open=False, elem_id="train-from"):
            self.run = gr.Dropdown(
                allow_custom_value=True,  # as of the split: the services know the ids
                label=t("train.from.run"),
                info=t("train.from.run.help"),
                elem_id="train-from-run",
            )
            self._text = gr.Textbox(
                label=t("train.from.text"),
                info=t("train.from.text.help"),
                lines=5,
                max_lines=14,
                placeholder="learning_rate: 0.0005\nr: 16",
                elem_classes="ft-mono",
                elem_id="train-from-text",
            )
            with gr.Row(elem_classes="ft-actions"):
                self._file = gr.UploadButton(
                    t("train.from.file"),  # type: ignore[arg-type]  # Gradio leaves translated texts out of its types here
                    type="binary",
                    file_types=[".yaml", ".yml"],
                    elem_id="train-from-file",
                    min_width=160,
                )
                self._take = gr.Button(t("train.from.take"), elem_id="train-from-take", min_width=160)
            self._note = gr.HTML(elem_id="train-from-note")

    def wire(self, fields: Sequence[Component], look: Look) -> None:
        """Fill ``fields``, look at the card anew, and then mark what was wrong in the recipe.

        Args:
            fields: of the form, in its order.
            look: shows the card after an event.
        """
        filled = [self._note, *fields]
        read = self._file.upload(handler(self._read), self._file, self._text, api_name="train_from_file")
        for done, name in (
            (read.success(handler(self._fill), self._text, filled, api_name="train_from_read"), "file"),
            (self._take.click(handler(self._fill), self._text, filled, api_name="train_from_take"), "text"),
        ):
            # Looking reads the fields, and that clears the messages at them: they come after it.
            look(done, f"train_from_{name}_card").success(
                handler(self._nothing),
                [self._text, *fields],
                None,
                api_name=f"train_from_{name}_marks",
                validator=self._marks,
            )

    def choices(self) -> list[tuple[str, str]]:
        """Runs to copy from, newest first."""
        return [(views.run_choice(view.run), view.run.id) for view in self._workspace.training.all()]

    def _read(self, request: gr.Request, content: bytes | None) -> str:
        try:
            return (content or b"")[: 4 * MOST_CHARACTERS + 1].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise gr.Error(say("train.from.not_text", language(request)), print_exception=False) from error

    def _fill(self, request: gr.Request, text: str) -> list[Any]:
        lang = language(request)
        if not (text or "").strip():
            return [html.notice("info", say("train.from.empty", lang)), *[gr.skip()] * len(form.FIELDS)]
        try:
            options, unknown = read_options(text)
        except BadInput as error:
            return [html.notice("bad", say_error(error, lang)), *[gr.skip()] * len(form.FIELDS)]
        wrong = _wrong(options, lang)
        sentences = [say_error(error, lang) for error in unknown]
        sentences += [f"{say(f'spec.{name}.label', lang)} ({name}): {text}" for name, text in wrong.items()]
        values = dict(zip(form.FIELDS, form.show_raw(options), strict=True))
        shown = dict(zip(form.DEPENDENT, form.visible(values), strict=True))
        updates = [{**shown.get(name, gr.update()), "value": value} for name, value in values.items()]
        return [_note(sentences, len(options), lang), *updates]

    def _marks(self, text: str, *_: Any) -> list[dict[str, Any]]:
        """One verdict per field: what is wrong there in the recipe that was just filled in."""
        try:
            wrong = _wrong(read_options(text)[0], form.reader())
        except BadInput:
            wrong = {}
        return [gr.validate(True, ""), *(gr.validate(n not in wrong, wrong.get(n, "")) for n in form.FIELDS)]

    def _nothing(self, *_: Any) -> None:
        """All that this event is for happens in its validator."""


def _wrong(options: Mapping[str, Any], lang: str) -> dict[str, str]:
    """What is wrong in a recipe, by option; what it does not name has its usual value."""
    return form.mistakes({**form.DEFAULTS, **options}, lang)


def _note(sentences: Sequence[str], count: int, lang: str) -> Markup:
    if not sentences:
        return html.notice("good", say("train.from.taken", lang, n=count))
    said = html.paragraph(say("train.from.mistakes", lang, n=len(sentences)))
    return html.notice("bad", said + html.join(html.paragraph(sentence) for sentence in sentences))
