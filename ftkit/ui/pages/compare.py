"""The compare page: base and tuned model answer the same question, side by side, as they write.

``?run=`` chooses the run. Answers are untrusted text: they are shown escaped, never as HTML or Markdown.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import gradio as gr
from markupsafe import Markup

from ftkit.data.chat import Message
from ftkit.ratings.comparing.service import Comparison
from ftkit.ratings.sampling import Sampling
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, follow, go_on_choice, page_heading
from ftkit.workspace import Workspace

_OFFERED = 50
_PROMPT_SHOWN = 90
_SAMPLING = ("temperature", "top_p", "max_new_tokens", "seed")
Offered = list[dict[str, Any]]


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("compare")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._offered = gr.State([])
        # Turns between the system text and the last question, where the chosen row has them.
        self._earlier = gr.State([])
        self._note = gr.HTML()
        with gr.Column(visible=False, elem_classes="ft-card") as self._form:
            self._lay_out_question()
        with gr.Row(equal_height=True, elem_classes="ft-panes", visible=False) as self._panes:
            self._base = gr.HTML(elem_id="answer-base", min_height=160)
            self._tuned = gr.HTML(elem_id="answer-tuned", min_height=160)
        self._reference = gr.HTML(elem_id="answer-reference")
        self._wire()

    def _lay_out_question(self) -> None:
        with gr.Row(elem_classes="ft-fields"):
            self._run = gr.Dropdown(label=t("compare.run.label"), elem_id="compare-run", min_width=260)
            self._row = gr.Dropdown(
                label=t("compare.row.label"), info=t("compare.row.help"), elem_id="compare-row", min_width=260
            )
        self._system = gr.Textbox(
            label=t("compare.system.label"), lines=1, max_lines=6, elem_id="compare-system"
        )
        self._before = gr.HTML()
        self._prompt = gr.Textbox(
            label=t("compare.prompt.label"),
            placeholder=t("compare.prompt.hint"),
            lines=3,
            max_lines=12,
            elem_id="compare-prompt",
        )
        with gr.Accordion(t("compare.sampling.title"), open=False):
            self._lay_out_sampling()
        with gr.Row(elem_classes="ft-actions"):
            self._ask = gr.Button(t("compare.ask"), variant="primary", elem_id="compare-ask", min_width=160)
            self._stop = gr.Button(t("compare.stop"), elem_id="compare-stop", min_width=100)
            self._status = gr.HTML(elem_id="compare-status")

    def _lay_out_sampling(self) -> None:
        with gr.Row(elem_classes="ft-fields"):
            self._temperature = gr.Slider(
                0, 2, 0, step=0.05, label=t("compare.temperature.label"), info=t("compare.temperature.help"),
                elem_id="compare-temperature",
            )  # fmt: skip
            self._top_p = gr.Slider(
                0.05,
                1,
                1,
                step=0.05,
                label=t("compare.top_p.label"),
                info=t("compare.top_p.help"),
                elem_id="compare-top-p",
            )
            self._longest = gr.Slider(
                8, 1024, 200, step=8, label=t("compare.longest.label"), info=t("compare.longest.help"),
                elem_id="compare-longest",
            )  # fmt: skip
            self._seed = gr.Number(
                42,
                precision=0,
                label=t("compare.seed.label"),
                info=t("compare.seed.help"),
                elem_id="compare-seed",
            )

    def _wire(self) -> None:
        gr.on(
            fn=handler(self._open),
            outputs=[self._note, self._form, self._run, self._row, self._offered],
            api_name="compare_open",
        )
        go_on_choice(self._run, "/compare?run=", "compare_go")
        follow(
            [self._row.input],
            handler(self._take_row),
            [self._row, self._offered],
            [self._system, self._before, self._prompt, self._earlier, self._reference],
            "compare_row",
            quiet=True,
        )
        asked_ = gr.on(
            [self._ask.click, self._prompt.submit],
            handler(self._answer),
            [
                self._system,
                self._earlier,
                self._prompt,
                self._temperature,
                self._top_p,
                self._longest,
                self._seed,
            ],
            [self._status, self._panes, self._base, self._tuned],
            api_name="compare_ask",
            show_progress="hidden",
            concurrency_limit=1,
            concurrency_id="generate",
        )
        self._stop.click(
            handler(self._say_stopped), None, self._status, cancels=[asked_], api_name="compare_stop"
        )

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        done = [view.run for view in self._workspace.training.all() if view.state == "done"]
        if not done:
            return [_no_run(lang), *[gr.skip()] * 4]
        wanted = asked(request, "run")
        run = self._workspace.training.get(wanted).run if wanted else done[0]
        choices = [(views.run_choice(one), one.id) for one in done]
        offered = self._examples(run.split)
        rows = [
            (html.shorten(one["prompt"][-1]["content"], _PROMPT_SHOWN), index)
            for index, one in enumerate(offered)
        ]
        return [
            "",
            gr.Column(visible=True),
            gr.Dropdown(choices=choices, value=run.id if run in done else None),
            gr.Dropdown(choices=[(say("compare.row.own", lang), -1), *rows], value=-1),
            offered,
        ]

    def _examples(self, split: str) -> Offered:
        examples = self._workspace.splits.examples(split, "test", _OFFERED)
        return [{"prompt": list(one.prompt), "reference": one.reference} for one in examples]

    def _take_row(self, request: gr.Request, index: int, offered: Offered) -> list[Any]:
        """Fill in a row of the test part; its own answer stands below for comparison."""
        lang = language(request)
        if index < 0:
            return ["", "", "", [], ""]
        chosen = offered[index]
        system = [m["content"] for m in chosen["prompt"] if m["role"] == "system"]
        turns = [m for m in chosen["prompt"] if m["role"] != "system"]
        reference = _pane("reference", chosen["reference"], "", lang)
        before = views.chat(turns[:-1], lang) if len(turns) > 1 else ""
        return ["\n".join(system), before, turns[-1]["content"], turns[:-1], reference]

    def _answer(
        self, request: gr.Request, system: str, earlier: list[Message], prompt: str, *sampling: float
    ) -> Iterator[list[Any]]:
        lang = language(request)
        messages: list[Message] = [{"role": "system", "content": system.strip()}] if system.strip() else []
        messages += [*earlier, {"role": "user", "content": prompt}]
        values = dict(zip(_SAMPLING, sampling, strict=True))
        run = asked(request, "run") or self._newest()
        answers = self._workspace.comparisons.compare(
            run, cast("list[Mapping[str, str]]", messages), Sampling.parse(values)
        )
        yield [
            _status("loading", lang),
            gr.Row(visible=True),
            *(_pane(side, "", "", lang) for side in ("base", "tuned")),
        ]
        last = None
        for last in answers:
            yield [_status("writing", lang), gr.skip(), *_panes(last, lang)]
        yield [_status("done", lang) if last else _status("nothing", lang), *[gr.skip()] * 3]

    def _say_stopped(self, request: gr.Request) -> Markup:
        return _status("stopped", language(request))

    def _newest(self) -> str:
        return next(view.run.id for view in self._workspace.training.all() if view.state == "done")


def _status(key: str, lang: str) -> Markup:
    text = say(f"compare.status.{key}", lang)
    if key in {"loading", "writing"}:
        return html.waiting(text)
    return Markup('<p class="ft-quiet" role="status">{}</p>').format(text)


def _panes(answer: Comparison, lang: str) -> list[Markup]:
    sides = (
        ("base", answer.base, answer.base_tokens, answer.base_cut),
        ("tuned", answer.tuned, answer.tuned_tokens, answer.tuned_cut),
    )
    return [
        _pane(side, text, _foot(answer.seconds, tokens, cut, lang), lang) for side, text, tokens, cut in sides
    ]


def _foot(seconds: float, tokens: int, cut: bool, lang: str) -> str:
    key = "compare.cut" if cut else "compare.took"
    return say(key, lang, tokens=html.number(tokens, lang), seconds=html.number(seconds, lang, 1))


def _pane(side: str, text: str, foot: str, lang: str) -> Markup:
    return Markup(
        '<section class="ft-card ft-pane ft-{0}" aria-label="{1}"><h3>{1}</h3>{2}<p class="ft-quiet">{3}</p></section>'
    ).format(side, say(f"compare.{side}", lang), html.answer(text, lang), foot)


def _no_run(lang: str) -> Markup:
    return html.empty(
        say("compare.empty.title", lang),
        say("compare.empty.text", lang),
        html.link("/train", say("compare.empty.link", lang), primary=True),
        html.link("/runs", say("compare.empty.runs", lang)),
    )
