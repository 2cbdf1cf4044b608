"""How to ask what is served: examples for programs, and a box that asks without a key and without leaving the page.

Takes the workspace, gives components; the answer streams. What is asked here is not counted in the traffic.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.serving.engines.asking import Answer, Asked
from ftkit.serving.snippets import snippets
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, t
from ftkit.ui.parts import section
from ftkit.ui.serving import examples
from ftkit.ui.watching.answering import Running
from ftkit.workspace import Workspace

_MOST_TOKENS = 256
_EVERY = 0.2  # seconds between two drawings


class UsePart:
    """How to ask from a program."""

    def __init__(self) -> None:
        with gr.Column(elem_classes="ft-card", elem_id="serve-use-card"):
            section("serve.use")
            self._examples = gr.HTML(elem_id="serve-use")
        self.shown = [self._examples]

    def updates(self, address: str, lang: str) -> list[Any]:
        """The address, and examples that ask what is live."""
        return [examples.shown(address, snippets(address), lang)]


class TryPart:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._running = Running()
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="serve-try") as self._card:
            section("serve.try")
            self._question = gr.Textbox(
                label=t("serve.try.label"), placeholder=t("serve.try.hint"), lines=2, max_lines=8, max_length=20_000,
                elem_id="try-question",
            )  # fmt: skip
            with gr.Row(elem_classes="ft-actions"):
                self._ask = gr.Button(t("serve.try.ask"), variant="primary", elem_id="try-ask", min_width=120)
                self._stop = gr.Button(t("serve.try.stop"), elem_id="try-stop", min_width=100)
            self._answer = gr.HTML(elem_id="try-answer")
        self.shown = [self._card]
        self._ask.click(
            handler(self._answer_it),
            self._question,
            self._answer,
            api_name="serve_try",
            show_progress="hidden",
        )
        self._stop.click(handler(self._end), None, None, api_name="serve_try_stop")

    def updates(self, live: bool) -> list[Any]:
        """The card, where something can answer."""
        return [gr.Column(visible=live)]

    def _answer_it(self, request: gr.Request, question: str | None) -> Iterator[Markup]:
        lang = language(request)
        if not (question or "").strip():
            raise gr.Error(say("serve.try.first", lang), print_exception=False)
        yield html.waiting(say("serve.try.waiting", lang))
        try:
            yield from self._drawn(request, str(question), lang)
        except FtkitError as error:  # a toast would leave on the page that it is being answered
            yield html.notice("bad", say_error(error, lang))

    def _drawn(self, request: gr.Request, question: str, lang: str) -> Iterator[Markup]:
        version = self._workspace.serving.pick(request.session_hash or "")
        source = self._workspace.serving.source(version)
        ask = Asked(
            messages=({"role": "user", "content": question},), max_tokens=_MOST_TOKENS, temperature=0.0
        )
        begun, drawn, answer = time.monotonic(), 0.0, Answer()
        steps = self._workspace.engines[version.engine].answer(source, ask)
        with self._running.answering(request) as ended, closing(steps):  # type: ignore[type-var]  # all engines give generators
            for answer in steps:
                if ended():
                    break
                if answer.text and time.monotonic() - drawn > _EVERY:
                    drawn = time.monotonic()
                    yield html.answer(answer.text, lang)
        yield html.answer(answer.text, lang) + _took(version.label, answer, time.monotonic() - begun, lang)

    def _end(self, request: gr.Request) -> None:
        self._running.end(request, "stopped")


def _took(label: str, answer: Answer, seconds: float, lang: str) -> Markup:
    told = [
        say(
            "serve.try.took",
            lang,
            label=label,
            tokens=html.number(answer.tokens, lang),
            seconds=html.duration(seconds, lang),
        )
    ]
    if answer.finish == "length":
        told.append(say("serve.try.cut", lang, n=_MOST_TOKENS))
    return Markup('<p class="ft-quiet ft-foot">{}</p>').format(" · ".join(told))
