"""The page below Data that shows a row token by token, as the trainer gets it, and gives the rows another form.

``?dataset=`` says whose rows, ``?split=`` adds its parts. The tokens come from a worker that runs the trainer's own code.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any, cast

import gradio as gr
from markupsafe import Markup

from ftkit.data.formatting.service import Token, TokenView
from ftkit.data.formatting.shapes import SHAPES, Shape
from ftkit.records import PARTS
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_phrase, t
from ftkit.ui.pages.data.choosing import choose_dataset
from ftkit.ui.parts import asked, destination, follow, go, page_heading, section
from ftkit.workspace import Workspace

_WHOLE = "dataset"
_OWN, _MODEL = "own", "model"
_LONGEST, _LEAST, _MOST = 1024, 8, 131_072
_SHOWN = 2500  # tokens drawn at once
_SIGNS = {"\n": "⏎\n", "\t": "⇥\t", "\r": "␍"}
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cn", "Zl", "Zp"})


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("tokens")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._row = gr.State(0)
        self._head = gr.HTML(elem_id="tokens-head")
        with gr.Column(visible=False) as self._cards:
            with gr.Column(elem_classes="ft-card"):
                self._lay_out_view()
            with gr.Column(elem_classes="ft-card"):
                self._lay_out_form()
        self._wire()

    def _lay_out_view(self) -> None:
        with gr.Row(elem_classes="ft-fields"):
            self._of = gr.Dropdown([], label=t("tokens.of"), elem_id="tokens-of", interactive=True)
            self._model = gr.Dropdown([], label=t("tokens.model"), elem_id="tokens-model", interactive=True)
            self._longest = gr.Number(
                _LONGEST,
                precision=0,
                minimum=_LEAST,
                maximum=_MOST,
                label=t("tokens.longest"),
                info=t("tokens.longest.help"),
                elem_id="tokens-longest",
            )
        self._answer_only = gr.Checkbox(
            True,
            label=t("tokens.answer_only"),
            info=t("tokens.answer_only.help"),
            elem_id="tokens-answer-only",
        )
        with gr.Row(elem_classes="ft-browse"):
            self._back = gr.Button(t("data.row.back"), size="sm", elem_id="tokens-back", min_width=60)
            self._place = gr.HTML(elem_id="tokens-place")
            self._on = gr.Button(t("data.row.on"), size="sm", elem_id="tokens-on", min_width=60)
        self._seen = gr.HTML(elem_id="tokens-seen")

    def _lay_out_form(self) -> None:
        section("tokens.form")
        with gr.Row(elem_classes="ft-fields"):
            self._shape = gr.Dropdown(
                [(t(f"tokens.shape.{one}"), one) for one in SHAPES],
                value="text",
                label=t("tokens.shape"),
                elem_id="tokens-shape",
            )
            names = [*self._workspace.formatting.templates(), _MODEL, _OWN]
            self._template = gr.Dropdown(
                [(t(f"tokens.template.{one}"), one) for one in names],
                value=names[0],
                label=t("tokens.template"),
                info=t("tokens.template.help"),
                elem_id="tokens-template",
            )
            self._name = gr.Textbox(label=t("data.name.label"), max_lines=1, elem_id="tokens-name")
        self._own = gr.Textbox(
            label=t("tokens.own"),
            info=t("tokens.own.help"),
            value="{{ instruction }}\n\n{{ answer }}",
            lines=5,
            elem_classes="ft-mono",
            elem_id="tokens-own",
            visible=False,
        )
        with gr.Row(elem_classes="ft-actions"):
            self._make = gr.Button(t("tokens.make"), variant="primary", elem_id="tokens-make", min_width=160)

    def _wire(self) -> None:
        state = [self._row, self._of, self._model, self._longest, self._answer_only]
        seen = [self._row, self._place, self._seen]
        arrived = gr.on(
            fn=handler(self._open),
            outputs=[self._head, self._cards, self._of, self._model],
            api_name="tokens_open",
        )
        arrived.success(handler(self._stay), state, seen, api_name="tokens_look")
        edits = [self._of.input, self._model.input, self._longest.input, self._answer_only.input]
        follow(edits, handler(self._stay), state, seen, "tokens_follow")
        self._back.click(handler(self._go_back), state, seen, api_name="tokens_back")
        self._on.click(handler(self._go_on), state, seen, api_name="tokens_on")
        follow(
            [self._template.input, self._shape.input],
            handler(_fields),
            [self._shape, self._template],
            [self._template, self._own],
            "tokens_fields",
            quiet=True,
        )
        made = self._make.click(
            handler(self._format),
            [self._shape, self._template, self._own, self._model, self._name],
            self._where,
            api_name="tokens_make",
        )
        go(made, self._where, "tokens_make_go")

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        if not asked(request, "dataset"):
            return [choose_dataset(self._workspace, "tokens", lang), *[gr.skip()] * 3]
        record = self._workspace.data.get(asked(request, "dataset"))
        split = asked(request, "split")
        choices = [(say("tokens.whole", lang), _WHOLE)]
        if split:
            sizes = self._workspace.splits.get(split).sizes
            choices += [(say(f"data.split.{part}", lang), part) for part in PARTS if sizes[part]]
        models = [(one.name, one.id) for one in self._workspace.models.all()]
        back = html.link(html.url("data", dataset=record.id, split=split), say("tokens.back", lang))
        return [
            Markup('<div class="ft-card">{}{}{}</div>').format(
                html.heading(record.name), views.dataset_facts(record, lang), html.actions(back)
            ),
            gr.Column(visible=True),
            gr.Dropdown(choices=cast(Any, choices), value=choices[0][1]),
            gr.Dropdown(choices=cast(Any, models), value=models[0][1] if models else None),
        ]

    def _stay(self, request: gr.Request, row: int, *choices: Any) -> list[Any]:
        return self._look(request, row, *choices)

    def _go_back(self, request: gr.Request, row: int, *choices: Any) -> list[Any]:
        return self._look(request, row - 1, *choices)

    def _go_on(self, request: gr.Request, row: int, *choices: Any) -> list[Any]:
        return self._look(request, row + 1, *choices)

    def _look(
        self, request: gr.Request, row: int, of: str, model: str | None, longest: float, answer_only: bool
    ) -> list[Any]:
        lang = language(request)
        if not asked(request, "dataset"):
            return [gr.skip()] * 3
        if not model:
            return [row, "", html.notice("info", say("data.exact.no_model", lang))]
        dataset, split = asked(request, "dataset"), asked(request, "split")
        part = next((one for one in PARTS if one == of), None)
        count = (
            self._workspace.splits.get(split).sizes[part] if part else self._workspace.data.get(dataset).rows
        )
        row = max(0, min(row, count - 1))
        view = self._workspace.formatting.token_view(
            split if part else dataset,
            row,
            model,
            part=part,
            max_length=max(_LEAST, min(_MOST, int(longest or _LONGEST))),
            completion_only=answer_only,
        )
        place = say("data.row.place", lang, n=html.number(row + 1, lang), count=html.number(count, lang))
        return [row, place, tokens_of(view, lang)]

    def _format(
        self, request: gr.Request, shape: Shape, template: str, own: str, model: str | None, name: str
    ) -> str:
        made = self._workspace.formatting.format(
            asked(request, "dataset"),
            shape,
            template=own if template == _OWN else "" if template == _MODEL else template,
            model=(model or "") if template == _MODEL else "",
            name=name.strip() or None,
        )
        return html.url("tokens", dataset=made.id)


def _fields(shape: str, template: str) -> list[Any]:
    """Only texts have a template, and only one's own is written here."""
    written = shape in ("text", "completion")
    return [gr.update(visible=written), gr.update(visible=written and template == _OWN)]


def tokens_of(view: TokenView, lang: str) -> Markup:
    """The tokens of a row with a legend of their kinds; each kind also has a line of its own form."""
    if view.problem:
        return html.notice("warn", say("tokens.problem", lang, reason=say_phrase(view.problem, lang)))
    kinds = [_kind(token) for token in view.tokens]
    notes = []
    if "beyond" in kinds:
        values = {"n": html.number(view.longest, lang), "limit": html.number(view.limit, lang)}
        notes.append(html.notice("warn", say("tokens.too_long", lang, **values)))
    elif "trained" not in kinds[1:]:
        notes.append(html.notice("warn", say("tokens.nothing", lang)))
    legend = html.join(
        Markup('<li><span class="ft-token ft-{}">{}</span> {}</li>').format(
            kind, say(f"tokens.kind.{kind}", lang), html.number(kinds.count(kind), lang)
        )
        for kind in ("trained", "masked", "beyond")
        if kind in kinds
    )
    spans = _spans(zip(view.tokens[:_SHOWN], kinds, strict=False), lang)
    if len(kinds) > _SHOWN:
        notes.append(html.notice("info", say("tokens.more", lang, n=html.number(len(kinds) - _SHOWN, lang))))
    return Markup('{}<ul class="ft-legend">{}</ul><div class="ft-tokens" tabindex="0">{}</div>').format(
        html.join(notes), legend, spans
    )


def _kind(token: Token) -> str:
    if token.beyond:
        return "beyond"
    return "trained" if token.trained else "masked"


def _spans(tokens: Iterable[tuple[Token, str]], lang: str) -> Markup:
    names = {kind: say(f"tokens.kind.{kind}", lang) for kind in ("trained", "masked", "beyond")}
    return html.join(
        Markup('<span class="ft-token ft-{}" title="{} · {}">{}</span>').format(
            kind, token.id, names[kind], visible(token.text)
        )
        for token, kind in tokens
    )


def visible(text: str) -> str:
    """A token's text with signs for what cannot be seen; a token that is half a character is an ellipsis."""
    if not text:
        return "…"
    if text.isspace() and set(text) <= {" "}:
        return "·" * len(text)
    return "".join(_SIGNS.get(character) or _shown(character) for character in text)


def _shown(character: str) -> str:
    hidden = unicodedata.category(character) in _UNSEEN or (character.isspace() and character != " ")
    return f"‹U+{ord(character):04X}›" if hidden else character
