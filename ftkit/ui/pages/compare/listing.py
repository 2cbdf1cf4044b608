"""A list of prompts, asked one after another: rows of the test part, or what a person writes, one a line.

Takes the chooser's values, streams a table of answers with its progress. It knows no model.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.ratings.comparing.answers import ListStep, Row
from ftkit.ratings.comparing.service import MOST_PROMPTS
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.compare import panes
from ftkit.ui.pages.compare.chat import Thread, empty_thread
from ftkit.ui.pages.compare.choosing import OFFERED_ROWS, Chooser, Wanted
from ftkit.ui.watching.answering import Running
from ftkit.workspace import Workspace

_SOURCES = ("test", "own")
_EVERY = 0.5  # seconds between two drawings of the table


class PromptList:
    """Components of the list and what happens on them."""

    def __init__(self, workspace: Workspace, chooser: Chooser, offered: gr.State) -> None:
        self._workspace = workspace
        self._chooser = chooser
        self.running = Running()
        self.thread = gr.State(empty_thread())
        with gr.Column(elem_classes="ft-card"):
            self._lay_out()
        self._status = gr.HTML(elem_id="list-status")
        self.saved = gr.HTML(elem_id="list-saved")
        self._table = gr.HTML(elem_id="list-table")
        self._wire(offered)

    def _lay_out(self) -> None:
        self._source = gr.Radio(
            [(t(f"compare.list.{name}"), name) for name in _SOURCES],
            value="test",
            label=t("compare.list.source"),
            elem_id="list-source",
        )
        self._count = gr.Slider(
            1, OFFERED_ROWS, 8, step=1, label=t("compare.list.count"), elem_id="list-count"
        )
        self._lines = gr.Textbox(
            label=t("compare.list.lines"),
            info=t("compare.list.lines.help"),
            lines=4,
            max_lines=16,
            visible=False,
            elem_id="list-lines",
        )
        with gr.Row(elem_classes="ft-actions"):
            self._ask = gr.Button(t("compare.list.ask"), variant="primary", elem_id="list-ask", min_width=120)
            self._stop = gr.Button(t("compare.stop"), elem_id="list-stop", min_width=100)
            self.save = gr.Button(t("compare.save"), elem_id="list-save", min_width=160)

    def _wire(self, offered: gr.State) -> None:
        self._source.input(
            handler(self._turn), self._source, [self._count, self._lines], api_name="compare_list_source",
            show_progress="hidden",
        )  # fmt: skip
        self._ask.click(
            handler(self._answer),
            [self._source, self._count, self._lines, offered, *self._chooser.inputs],
            [self._status, self._table, self.thread],
            api_name="compare_list_ask",
            show_progress="hidden",
            concurrency_limit=1,
            concurrency_id="generate",
        )
        self._stop.click(handler(self._stop_it), None, None, api_name="compare_list_stop")

    def _turn(self, source: str) -> list[Any]:
        return [gr.Slider(visible=source == "test"), gr.Textbox(visible=source == "own")]

    def _answer(
        self, request: gr.Request, source: str, count: int, lines: str, offered: dict[str, Any], *values: Any
    ) -> Iterator[list[Any]]:
        lang = language(request)
        wanted = self._chooser.wanted(values, lang)
        rows = _prompts(source, count, lines, offered, wanted.system)
        steps = self._workspace.comparisons.compare_list(
            wanted.sides, [row.messages for row in rows], wanted.sampling
        )
        found: dict[int, ListStep] = {}
        begun, drawn = time.monotonic(), 0.0
        with self.running.answering(request) as ended, closing(steps):
            yield self._drawn(rows, found, wanted, 0.0, lang)
            for step in steps:
                if ended():
                    break
                found[step.prompt] = step
                if step.done or time.monotonic() - drawn > _EVERY:
                    drawn = time.monotonic()
                    yield self._drawn(rows, found, wanted, drawn - begun, lang)
            if ended():
                _, table, thread = self._drawn(rows, found, wanted, 0.0, lang)
                yield [_said(say("compare.list.stopped", lang, done=len(thread["rows"]))), table, thread]

    def _drawn(
        self, rows: list[Row], found: Mapping[int, ListStep], wanted: Wanted, seconds: float, lang: str
    ) -> list[Any]:
        answered = [_answered(rows[place], step) for place, step in sorted(found.items())]
        done = sum(step.done for step in found.values())
        thread: Thread = {
            "sides": list(map(str, wanted.sides)),
            "labels": wanted.labels,
            "sampling": wanted.sampling.model_dump(),
            "rows": [row.model_dump(mode="json") for row in answered],
        }
        table = panes.table(wanted.labels, answered, lang) if answered else ""
        return [_progress(done, len(rows), seconds, answered, lang), table, thread]

    def _stop_it(self, request: gr.Request) -> None:
        self.running.end(request, "stopped")


def _prompts(source: str, count: int, lines: str, offered: Mapping[str, Any], system: str) -> list[Row]:
    """What is asked; the instruction stands before prompts that have none of their own."""
    if source == "test":
        found = [(one["prompt"], one["reference"]) for one in offered["rows"][: int(count)]]
    else:
        written = [line.strip() for line in (lines or "").splitlines() if line.strip()]
        found = [([{"role": "user", "content": line}], "") for line in written[: MOST_PROMPTS + 1]]
    rows = []
    for messages, reference in found:
        own = any(message["role"] == "system" for message in messages)
        before = [{"role": "system", "content": system}] if system and not own else []
        rows.append(Row(messages=(*before, *messages), reference=reference))
    return rows


def _answered(row: Row, step: ListStep) -> Row:
    answers = step.comparison.answers if step.comparison else ()
    return row.model_copy(update={"answers": answers, "error": step.error})


def _progress(done: int, count: int, seconds: float, rows: list[Row], lang: str) -> Markup:
    failed = sum(row.error is not None for row in rows)
    if done == count:
        key = "compare.list.done_some" if failed else "compare.list.done"
        return _said(say(key, lang, done=done - failed, failed=failed, seconds=html.duration(seconds, lang)))
    if not done:
        return html.bar(0, say("compare.list.begun", lang, count=count))
    left = html.duration(seconds / done * (count - done), lang)
    return html.bar(done / count, say("compare.list.left", lang, done=done, count=count, left=left))


def _said(text: str) -> Markup:
    return Markup('<p class="ft-quiet" role="status">{}</p>').format(text)
