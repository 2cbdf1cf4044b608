"""The chat with up to four models: one question to all, each goes on from its own answers.

Takes the chooser's values and what a person writes, streams answers into panes, and lets the person look at the difference, keep
an answer, or save the whole. It knows no model.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.ratings.comparing.answers import Kept, Row, SideAnswer
from ftkit.ratings.comparing.service import MOST_SIDES
from ftkit.ratings.sides.names import Side
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.compare import panes
from ftkit.ui.pages.compare.choosing import Chooser, Wanted
from ftkit.ui.parts import follow
from ftkit.ui.watching.answering import End, Running
from ftkit.workspace import Workspace

# What a chat holds: names and labels of the sides, their sampling, and the turns as ``Row`` writes them.
Thread = dict[str, Any]


def empty_thread() -> Thread:
    """A chat before its first question."""
    return {"sides": [], "labels": [], "sampling": {}, "rows": []}


def _no_row() -> dict[str, Any]:
    """A question that a person wrote: nothing stands before it, and no right answer is known."""
    return {"turns": [], "reference": "", "row": False}


class Chat:
    """Components of the chat and what happens on them."""

    def __init__(self, workspace: Workspace, chooser: Chooser) -> None:
        self._workspace = workspace
        self._chooser = chooser
        self.running = Running()
        self.offered = gr.State({"split": "", "rows": []})
        # Turns between the system text and the last question, where the chosen row has them, and its right answer.
        self._earlier = gr.State(_no_row())
        self.thread = gr.State(empty_thread())
        with gr.Column(elem_classes="ft-card"):
            self._lay_out_question()
        with gr.Row(elem_classes="ft-quad", visible=False) as self._row:
            self._panes = [
                gr.HTML(elem_id=f"answer-{number}", visible=False, min_height=120)
                for number in range(1, MOST_SIDES + 1)
            ]
        self._reference = gr.HTML(elem_id="answer-reference")
        with gr.Column(visible=False, elem_classes="ft-card") as self._after:
            self._lay_out_after()
        self._wire()

    def _lay_out_question(self) -> None:
        self.rows = gr.Dropdown(
            label=t("compare.row.label"), info=t("compare.row.help"), elem_id="compare-row"
        )
        self._before = gr.HTML()
        self._prompt = gr.Textbox(
            label=t("compare.prompt.label"), placeholder=t("compare.prompt.hint"), lines=3, max_lines=12,
            elem_id="compare-prompt",
        )  # fmt: skip
        with gr.Row(elem_classes="ft-actions"):
            self._ask = gr.Button(t("compare.ask"), variant="primary", elem_id="compare-ask", min_width=120)
            self._stop = gr.Button(t("compare.stop"), elem_id="compare-stop", min_width=100)
            self._again = gr.Button(t("compare.again"), elem_id="compare-again", min_width=100)
            self._clear = gr.Button(t("compare.clear"), elem_id="compare-clear", min_width=100)
        self._status = gr.HTML(elem_id="compare-status")

    def _lay_out_after(self) -> None:
        with gr.Accordion(t("compare.diff.title"), open=False, elem_id="compare-diff"):
            with gr.Row(elem_classes="ft-fields"):
                self._first = gr.Dropdown(label=t("compare.diff.first"), elem_id="compare-diff-first")
                self._second = gr.Dropdown(label=t("compare.diff.second"), elem_id="compare-diff-second")
            self._difference = gr.HTML(elem_id="compare-difference")
        with gr.Accordion(t("compare.keep.title"), open=False, elem_id="compare-keep"):
            self._whose = gr.Dropdown(label=t("compare.keep.whose"), elem_id="compare-keep-whose")
            self._text = gr.Textbox(
                label=t("compare.keep.text"), info=t("compare.keep.help"), lines=4, max_lines=16,
                elem_id="compare-keep-text",
            )  # fmt: skip
            self.keep = gr.Button(t("compare.keep.do"), elem_id="compare-keep-do")
            self.kept = gr.HTML(elem_id="compare-kept")
        with gr.Row(elem_classes="ft-actions"):
            self.save = gr.Button(t("compare.save"), elem_id="compare-save", min_width=160)
        self.saved = gr.HTML(elem_id="compare-saved")

    def _wire(self) -> None:
        follow(
            [self.rows.input],
            handler(self._take_row),
            [self.rows, self.offered],
            [self._chooser.system, self._before, self._prompt, self._earlier, self._reference],
            "compare_row",
            quiet=True,
        )
        shown = [self._status, self.thread, self._row, *self._panes]
        running: dict[str, Any] = {
            "show_progress": "hidden", "concurrency_limit": 1, "concurrency_id": "generate",
        }  # fmt: skip
        asked = gr.on(
            [self._ask.click, self._prompt.submit],
            handler(self._answer),
            [self.thread, self._earlier, self._prompt, *self._chooser.inputs],
            shown,
            api_name="compare_ask",
            **running,
        )
        again = self._again.click(
            handler(self._answer_again),
            [self.thread, *self._chooser.inputs],
            [*shown, self._chooser.seed],
            api_name="compare_again",
            **running,
        )
        after = [self._after, self._first, self._second, self._whose, self._difference]
        for name, event in (("asked", asked), ("again", again)):
            event.success(
                handler(self._answered),
                self.thread,
                [*after, self._prompt, self._earlier],
                api_name=f"compare_{name}_done",
            )
        self._stop.click(handler(self._stop_it), None, None, api_name="compare_stop")
        self._clear.click(
            handler(self._cleared),
            None,
            [*shown, *after, self._prompt, self._earlier, self._before, self._reference, self.rows],
            api_name="compare_clear",
        )
        follow(
            [self._first.input, self._second.input],
            handler(self._differ),
            [self._first, self._second, self.thread],
            [self._difference],
            "compare_diff",
            quiet=True,
        )
        follow([self._whose.input], handler(self._said), [self._whose, self.thread], [self._text],
               "compare_keep_whose", quiet=True)  # fmt: skip

    def keep_example(self, request: gr.Request, whose: int | None, text: str, thread: Thread) -> Markup:
        """Keep a chosen, perhaps edited, answer with what it answers."""
        if whose is None or not thread["rows"]:
            raise gr.Error(say("compare.keep.first", language(request)), print_exception=False)
        rows = _rows(thread)
        messages = _conversation(rows[:-1], whose) + list(rows[-1].messages)
        self._workspace.examples.keep(
            messages, text, side=thread["sides"][whose], said=rows[-1].answers[whose].text
        )
        return html.notice("good", say("compare.keep.done", language(request)))

    @property
    def keep_inputs(self) -> list[Any]:
        """What ``keep_example`` reads."""
        return [self._whose, self._text, self.thread]

    def _take_row(self, request: gr.Request, index: int, offered: dict[str, Any]) -> list[Any]:
        """Fill in a row of the test part; its own answer stands below for comparison."""
        lang = language(request)
        if index is None or not 0 <= index < len(offered["rows"]):
            return ["", "", "", _no_row(), ""]
        chosen = offered["rows"][index]
        system = [m["content"] for m in chosen["prompt"] if m["role"] == "system"]
        turns = [m for m in chosen["prompt"] if m["role"] != "system"]
        before = views.chat(turns[:-1], lang) if len(turns) > 1 else ""
        earlier = {"turns": turns[:-1], "reference": chosen["reference"], "row": True}
        shown = panes.reference(chosen["reference"], lang)
        return ["\n".join(system), before, turns[-1]["content"], earlier, shown]

    def _answer(
        self, request: gr.Request, thread: Thread, earlier: dict[str, Any], prompt: str, *values: Any
    ) -> Iterator[list[Any]]:
        lang = language(request)
        wanted = self._chooser.wanted(values, lang)
        names = list(map(str, wanted.sides))
        rows, note = _rows(thread), ""
        if rows and thread["sides"] != names:
            rows, note = [], "compare.status.other"
        elif rows and earlier["row"]:
            rows, note = [], "compare.status.fresh"
        messages = [*earlier["turns"], {"role": "user", "content": prompt}]
        if rows:
            rows[0] = rows[0].model_copy(update={"messages": _told(rows[0].messages, wanted.system)})
        else:
            messages = list(_told(messages, wanted.system))
        row = Row(messages=tuple(messages), reference=earlier["reference"])
        with self.running.answering(request) as ended:
            yield from self._stream(wanted, rows, row, lang, note, ended)

    def _answer_again(self, request: gr.Request, thread: Thread, *values: Any) -> Iterator[list[Any]]:
        """The last question once more, with the next seed."""
        lang = language(request)
        wanted = self._chooser.wanted(values, lang)
        if not thread["rows"] or thread["sides"] != list(map(str, wanted.sides)):
            raise gr.Error(say("compare.again.first", lang), print_exception=False)
        seed = (wanted.sampling.seed + 1) % 2**31
        wanted = wanted._replace(sampling=wanted.sampling.model_copy(update={"seed": seed}))
        *rows, last = _rows(thread)
        note = "" if wanted.sampling.temperature else "compare.again.same"
        with self.running.answering(request) as ended:
            for step in self._stream(wanted, rows, last, lang, note, ended):
                yield [*step, seed]

    def _stream(  # noqa: PLR0913 - what one answer takes
        self, wanted: Wanted, rows: list[Row], row: Row, lang: str, note: str, ended: Callable[[], End]
    ) -> Iterator[list[Any]]:
        conversations = [
            _conversation(rows, place) + list(row.messages) for place in range(len(wanted.sides))
        ]
        answers = self._workspace.comparisons.compare(wanted.sides, conversations, wanted.sampling)
        thread = {
            "sides": list(map(str, wanted.sides)),
            "labels": wanted.labels,
            "sampling": wanted.sampling.model_dump(),
        }

        def step(key: str, said: Sequence[SideAnswer]) -> list[Any]:
            now = [*rows, row.model_copy(update={"answers": tuple(said)})]
            content = {**thread, "rows": [one.model_dump(mode="json") for one in now]}
            return [_status(key, lang, note), content, gr.Row(visible=True), *_show(now, wanted.labels, lang)]

        yield step("loading", [SideAnswer()] * len(wanted.sides))
        last = None
        with closing(answers):
            for last in answers:
                if ended():
                    break
                yield step("done" if last.done else "writing", last.answers)
        if last is None:
            yield step("nothing", [SideAnswer()] * len(wanted.sides))
        elif ended() == "stopped":
            yield step("stopped", last.answers)
        elif ended():
            yield _nothing_shown()

    def _answered(self, request: gr.Request, thread: Thread) -> list[Any]:
        """What can be done with the answers; the next question begins with nothing."""
        return [*self._after_answers(thread, language(request)), "", _no_row()]

    def _after_answers(self, thread: Thread, lang: str) -> list[Any]:
        choices = [(f"{place + 1}. {label}", place) for place, label in enumerate(thread["labels"])]
        second = min(1, len(choices) - 1)
        difference = self._marked(0, second, thread, lang) if len(choices) > 1 else ""
        return [
            gr.Column(visible=bool(thread["rows"])),
            gr.Dropdown(choices=choices, value=0 if choices else None),
            gr.Dropdown(choices=choices, value=second if choices else None),
            gr.Dropdown(choices=choices, value=None),
            difference,
        ]

    def _stop_it(self, request: gr.Request) -> None:
        self.running.end(request, "stopped")

    def _cleared(self, request: gr.Request) -> list[Any]:
        self.running.end(request, "cleared")
        self.running.wait(request)
        return [
            *_nothing_shown(), *self._after_answers(empty_thread(), language(request)),
            "", _no_row(), "", "", gr.update(value=-1),
        ]  # fmt: skip

    def _differ(self, request: gr.Request, first: int | None, second: int | None, thread: Thread) -> str:
        if first is None or second is None or not thread["rows"]:
            return ""
        return self._marked(first, second, thread, language(request))

    @staticmethod
    def _marked(first: int, second: int, thread: Thread, lang: str) -> Markup:
        answers = _rows(thread)[-1].answers
        one, other = ((thread["labels"][place], answers[place].text) for place in (first, second))
        return panes.difference(one, other, lang)

    @staticmethod
    def _said(whose: int | None, thread: Thread) -> str:
        return "" if whose is None or not thread["rows"] else _rows(thread)[-1].answers[whose].text


def kept_of(thread: Thread, kind: str) -> tuple[list[Side], dict[str, Any]]:
    """A chat or a list as it is saved."""
    content = {"kind": kind, "labels": (), "sampling": thread["sampling"], "rows": thread["rows"]}
    return [Side.parse(name) for name in thread["sides"]], Kept.model_validate(content).model_dump()


def _rows(thread: Thread) -> list[Row]:
    return [Row.model_validate(row) for row in thread["rows"]]


def _told(messages: Sequence[dict[str, Any]], system: str) -> tuple[dict[str, Any], ...]:
    """The messages with this instruction before them, or with none."""
    rest = [message for message in messages if message["role"] != "system"]
    return (*([{"role": "system", "content": system}] if system else []), *rest)


def _conversation(rows: Sequence[Row], place: int) -> list[dict[str, Any]]:
    """Turns with the answers of one side."""
    turns: list[dict[str, Any]] = []
    for row in rows:
        turns += [*row.messages, {"role": "assistant", "content": row.answers[place].text}]
    return turns


def _show(rows: Sequence[Row], labels: Sequence[str], lang: str) -> list[gr.HTML]:
    shown = [
        gr.HTML(
            value=panes.pane(label, [(row.messages, row.answers[place]) for row in rows], lang), visible=True
        )
        for place, label in enumerate(labels)
    ]
    return [*shown, *[gr.HTML(value="", visible=False)] * (MOST_SIDES - len(shown))]


def _nothing_shown() -> list[Any]:
    return ["", empty_thread(), gr.Row(visible=False), *[gr.HTML(value="", visible=False)] * MOST_SIDES]


def _status(key: str, lang: str, note: str = "") -> Markup:
    text = " ".join(filter(None, [say(f"compare.status.{key}", lang), say(note, lang) if note else ""]))
    if key in {"loading", "writing"}:
        return html.waiting(text)
    return Markup('<p class="ft-quiet" role="status">{}</p>').format(text)
