"""What the parts of an error analysis are called: measures, outcomes, kinds of errors, slices, tags, scores.

Takes values and a language, gives plain text; whoever shows it escapes it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ftkit.evaluation.errors.measures import PERPLEXITY, Measure
from ftkit.evaluation.errors.selection import Selection
from ftkit.evaluation.errors.slices import Dimension
from ftkit.evaluation.errors.tagging import SUGGESTED
from ftkit.evaluation.measuring.scores import label_names
from ftkit.evaluation.report import sections
from ftkit.evaluation.report.metrics import metric_title
from ftkit.evaluation.report.words import words
from ftkit.ui import html
from ftkit.ui.i18n import catalogue, say


def address(evaluation: str, selection: Selection, **more: int | None) -> str:
    """The page with this selection; ``more`` are the opened row and the page of the list."""
    shown = {name: str(value) for name, value in more.items() if value is not None}
    return "/mistakes?" + urlencode({"evaluation": evaluation, **selection.parameters(), **shown})


def measure_name(measure: Measure, report: Mapping[str, Any], lang: str) -> str:
    """A measure as the report calls it."""
    return metric_title(measure.name, report, words(lang))


def outcome_name(kind: str, measure: Measure, lang: str) -> str:
    """What tuning did to a row."""
    return say(f"mistakes.{'binary' if measure.binary else 'graded'}.{kind}", lang)


def error_name(error: str, lang: str) -> str:
    """A kind of error as the report calls it."""
    return sections.error_name(error, words(lang))


def dimension_name(cut: Dimension, lang: str) -> str:
    """A way to cut the rows."""
    return (
        say(f"mistakes.cut.{cut.kind}", lang, name=cut.name)
        if cut.name
        else say(f"mistakes.cut.{cut.kind}", lang)
    )


def slice_name(cut: Dimension, value: str, lang: str) -> str:
    """One slice; lengths by their bounds in words, languages by name."""
    if cut.bounds:
        low, high = cut.bounds[value]
        return (
            say("mistakes.words", lang, low=low, high=high)
            if low != high
            else say("mistakes.words_one", lang, n=low)
        )
    if cut.kind == "language":
        return catalogue(lang).get(f"mistakes.language.{value}", value)
    return html.shorten(value, 60)


def tag_name(tag: str, lang: str) -> str:
    """A tag; those that ftkit offers are translated."""
    return say(f"mistakes.tag.{tag.replace(' ', '_')}", lang) if tag in SUGGESTED else tag


def score(value: float | None, measure: Measure, lang: str) -> str:
    """What a row or a slice scores."""
    if value is None:
        return "–"
    return (
        html.number(value, lang, 2)
        if measure.name == PERPLEXITY
        else html.percent(value / measure.scale, lang, 0)
    )


def change(value: float | None, measure: Measure, lang: str) -> str:
    """A difference of two scores, with its sign."""
    if value is None:
        return "–"
    number = value if measure.name == PERPLEXITY else 100 * value / measure.scale
    text = html.number(abs(number), lang, 2 if measure.name == PERPLEXITY else 0)
    return text if text.strip("0,.") == "" else f"{'−' if number < 0 else '+'}{text}"


def cell_name(selection: Selection, labels: tuple[str, ...], lang: str) -> str:
    """A cell of a confusion table in words."""
    known = [*label_names(labels), say("mistakes.other", lang)]
    wanted, given = (
        known[at] if at is not None and at < len(known) else "…" for at in (selection.wanted, selection.given)
    )
    return say(
        "mistakes.cell",
        lang,
        field=selection.field,
        wanted=wanted,
        given=given,
        side=say(f"mistakes.side.{selection.side}", lang),
    )
