"""Answers beside each other as HTML: panes of a chat, the table of a list, a saved comparison, what differs.

Takes records, gives escaped ``Markup``: what a model or a file says stays text. It calls no service.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.ratings.comparing.answers import Row, Saved, SideAnswer
from ftkit.ratings.sampling import Sampling
from ftkit.ui import html, views
from ftkit.ui.evaluation.errors.difference import marked
from ftkit.ui.i18n import say

_PROMPT = 160


def foot(answer: SideAnswer, lang: str) -> str:
    """Tokens, seconds and speed of an answer, and whether it was cut."""
    if not answer.tokens and not answer.done:
        return ""
    took = say(
        "compare.took",
        lang,
        tokens=html.number(answer.tokens, lang),
        seconds=html.number(answer.seconds, lang, 1),
        speed=html.number(answer.speed, lang, 1),
    )
    return f"{took} · {say('compare.cut', lang)}" if answer.cut else took


def pane(label: str, turns: Sequence[tuple[Sequence[Mapping[str, Any]], SideAnswer]], lang: str) -> Markup:
    """One model's thread: each question, and its answer."""
    parts = []
    for messages, answer in turns:
        parts.append(views.chat(messages[-1:], lang))  # type: ignore[arg-type]  # messages as JSON keeps them
        parts.append(html.answer(answer.text, lang))
        parts.append(Markup('<p class="ft-quiet ft-foot">{}</p>').format(foot(answer, lang)))
    return _card(label, html.join(parts))


def reference(text: str, lang: str) -> Markup:
    """The right answer, where one is known."""
    if not text:
        return Markup("")
    return Markup(
        '<section class="ft-card ft-pane ft-reference" aria-label="{0}"><h3>{0}</h3>{1}</section>'
    ).format(say("compare.reference", lang), html.answer(text, lang))


def difference(first: tuple[str, str], second: tuple[str, str], lang: str) -> Markup:
    """What differs between two answers, each a label and a text."""
    body = marked(first[1], second[1])
    if body is None:
        return html.notice("info", say("compare.diff.unlike", lang))
    legend = Markup('<span class="ft-diff"><del>{}</del> {} · <ins>{}</ins> {}</span>').format(
        say("mistakes.word", lang),
        say("compare.diff.only", lang, name=first[0]),
        say("mistakes.word", lang),
        say("compare.diff.only", lang, name=second[0]),
    )
    return body + Markup('<p class="ft-quiet">{}</p>').format(legend)


def table(labels: Sequence[str], rows: Iterable[Row], lang: str) -> Markup:
    """Prompts and all answers to each."""
    found = list(rows)
    references = any(row.reference for row in found)
    heads = [say("compare.list.prompt", lang), *labels]
    heads += [say("compare.reference", lang)] if references else []
    return html.table(
        heads,
        [_cells(row, len(labels), references, lang) for row in found],
        say("compare.list.caption", lang),
    )


def saved(one: Saved, lang: str) -> Markup:
    """A saved comparison, to be read."""
    sampling = one.kept.sampling
    facts: list[tuple[str, str]] = [(say("compare.saved.at", lang), html.moment(one.record.created_at))]
    facts += [
        (say(f"compare.{name}.label", lang), html.number(sampling[name], lang))
        for name in Sampling.model_fields
        if name in sampling
    ]
    system = [m for row in one.kept.rows[:1] for m in row.messages if m["role"] == "system"]
    told = (
        html.details(say("compare.system.shown", lang), html.answer(system[0]["content"], lang))
        if system
        else Markup("")
    )
    body = table(one.kept.labels, one.kept.rows, lang) if one.kept.kind == "list" else _chat(one, lang)
    return html.join(
        [
            html.heading(one.record.name, say("compare.saved.note", lang)),
            html.facts(facts),
            told,
            body,
            html.actions(
                html.link(
                    html.url("compare", sides=",".join(one.record.sides)),
                    say("compare.saved.again", lang),
                    primary=True,
                ),
                html.link("/compare", say("compare.saved.back", lang)),
            ),
        ]
    )


def _chat(one: Saved, lang: str) -> Markup:
    rows = one.kept.rows
    before = [m for m in rows[0].messages[:-1] if m["role"] != "system"]
    panes = (
        pane(label, [(row.messages, row.answers[place]) for row in rows], lang)
        for place, label in enumerate(one.kept.labels)
    )
    return html.join(
        [
            views.chat(before, lang) if before else "",  # type: ignore[arg-type]  # messages as JSON keeps them
            Markup('<div class="ft-quad">{}</div>').format(html.join(panes)),
            reference(rows[0].reference, lang),
        ]
    )


def _card(label: str, body: Markup) -> Markup:
    return Markup('<section class="ft-card ft-pane" aria-label="{0}"><h3>{0}</h3>{1}</section>').format(
        label, body
    )


def _cells(row: Row, sides: int, references: bool, lang: str) -> list[str]:
    cells: list[str] = [html.answer(html.shorten(row.messages[-1]["content"], _PROMPT), lang)]
    if row.error is not None:
        cells.append(views.error_notice(row.error, lang))
        cells += ["–"] * (sides - 1)
    else:
        cells += [
            html.answer(answer.text, lang)
            + Markup('<p class="ft-quiet ft-foot">{}</p>').format(foot(answer, lang))
            for answer in row.answers
        ]
    return [*cells, html.answer(row.reference, lang)] if references else cells
