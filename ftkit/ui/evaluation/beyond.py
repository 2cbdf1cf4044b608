"""What an evaluation found beside the metrics, as HTML: what was forgotten, what another name changes, how often people looked.

Takes a measured report, gives escaped ``Markup``, worded as in the report. It computes nothing.
"""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from ftkit.evaluation.report import sections
from ftkit.evaluation.report.words import words
from ftkit.ui import html
from ftkit.words import Words

_SIGNS = {"better": "▲ ", "worse": "▼ "}


def forgotten(measured: Mapping[str, Any], lang: str) -> Markup:
    """The forgetting check; nothing where it was not made."""
    told = words(lang)
    lines = sections.forgotten(measured, told)
    if not lines:
        return Markup()
    heads = [
        told.say(key)
        for key in (
            *("forgotten.skill", "forgotten.questions", "base", "tuned"),
            *("metrics.difference", "metrics.interval"),
        )
    ]
    body = [
        (
            _named(line.name, line.verdict, line.tone),
            line.questions,
            line.base,
            Markup("<strong>{}</strong>").format(line.tuned),
            line.difference,
            line.interval,
        )
        for line in lines
    ]
    return _section("forgotten", told, html.table(heads, body, told.say("forgotten")), _lost(measured, told))


def names(measured: Mapping[str, Any], lang: str) -> Markup:
    """The bias probe; nothing where it was not made."""
    told = words(lang)
    lines = sections.names(measured, told)
    if not lines:
        return Markup()
    heads = [told.say(key) for key in ("names.pair", "names.changes", "names.quality", "metrics.interval")]
    body = [
        (
            _named(line.name, line.verdict, line.tone),
            line.changed,
            line.quality,
            line.interval,
        )
        for line in lines
    ]
    shown = [one.example for one in lines if one.example and one.verdict]
    examples = [
        told.say(
            "names.example",
            row=one["row"] + 1,
            first=one["names"][0],
            second=one["names"][1],
            one=one["answers"][0],
            other=one["answers"][1],
        )
        for one in shown
    ]
    rows = told.number(measured["bias"]["tuned"]["rows"])
    return _section("names", told, html.table(heads, body, told.say("names")), _list(examples), rows=rows)


def _lost(measured: Mapping[str, Any], told: Words) -> Markup:
    found = sections.lost(measured)
    lines = [
        told.say(
            "forgotten.lost_line" if one["wanted"] else "forgotten.lost_written",
            question=one["question"],
            wanted=one["wanted"],
            base=one["base_answer"],
            tuned=one["tuned_answer"],
        )
        for one in found
    ]
    return html.details(told.say("forgotten.lost"), _list(lines)) if lines else Markup()


def _named(name: str, verdict: str, tone: str) -> Markup:
    """A line's name with what it comes to; not told by colour alone."""
    return Markup("<strong>{}</strong><br><small>{}{}</small>").format(name, _SIGNS.get(tone, ""), verdict)


def _list(lines: list[str]) -> Markup:
    items = html.join(Markup("<li>{}</li>").format(line) for line in lines)
    return Markup("<ul>{}</ul>").format(items) if lines else Markup()


def _section(name: str, told: Words, table: Markup, more: Markup, **values: str) -> Markup:
    return Markup('<section class="ft-card">{}{}{}{}</section>').format(
        html.heading(told.say(name)), html.paragraph(told.say(f"{name}.note", **values)), table, more
    )
