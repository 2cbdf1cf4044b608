"""What raters said of an item: their choice with the models' names, comments, and the better answers that they wrote.

Takes an item with its ratings, gives escaped ``Markup``. It is for the owner alone and judges nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.ratings.results.rated import BOTH_BAD, TIE, Rated
from ftkit.ratings.studies.items import Item
from ftkit.ratings.studies.views import RaterView
from ftkit.ui import html
from ftkit.ui.i18n import say

Labels = Mapping[str, str]


def rater_name(rater: RaterView, lang: str) -> str:
    """What the owner calls a rater, and that their link was taken back."""
    return say("ratings.rater.revoked", lang, name=rater.name) if rater.revoked_at else rater.name


def said(item: Item, rated: Sequence[Rated], names: Labels, labels: Labels, lang: str) -> Markup:
    """All ratings of an item, one below the other; empty where there are none.

    Args:
        item: that was rated.
        rated: its ratings.
        names: of the raters by id.
        labels: names of the models.
        lang: ``en`` or ``tr``.
    """
    if not rated:
        return Markup("")
    answers = answer_names(item, labels, lang)
    lines = html.join(_rating(one, names.get(one.rater, one.rater), answers, lang) for one in rated)
    return Markup('<section class="ft-said"><h4>{}</h4><ul>{}</ul></section>').format(
        say("ratings.said.title", lang), lines
    )


def answer_names(item: Item, labels: Labels, lang: str) -> list[str]:
    """What the owner calls the answers: by their models, and in an item that tests attention by which is the right one."""
    found = []
    for place, answer in enumerate(item.answers):
        other = "ratings.said.right" if place == item.gold else "ratings.said.other"
        found.append(labels.get(answer.side, answer.side) or say(other, lang))
    return found


def _rating(rated: Rated, rater: str, answers: Sequence[str], lang: str) -> Markup:
    values = rated.values
    flag = html.pill("warn", say("ratings.said.flag", lang)) if values.get("flag") else ""
    comment = values.get("comment") or ""
    parts = [Markup("<strong>{}</strong> {} {}").format(rater, _choice(values, answers, lang), flag)]
    if comment.strip():
        parts.append(
            Markup("<p><small>{}</small></p>{}").format(
                say("ratings.said.comment", lang), html.answer(comment, lang)
            )
        )
    for place, text in sorted((values.get("edits") or {}).items()):
        instead = say("ratings.said.edit", lang, name=answers[int(place)])
        parts.append(Markup("<p><small>{}</small></p>{}").format(instead, html.answer(text, lang)))
    return Markup("<li>{}</li>").format(html.join(parts))


def _choice(values: Mapping[str, Any], answers: Sequence[str], lang: str) -> str:
    """The rating itself in words; a rating that holds none, such as a mere flag, says nothing."""
    choice = values.get("choice")
    if choice in {TIE, BOTH_BAD}:
        return say(f"ratings.said.{choice}", lang)
    if choice is not None:
        return say("ratings.said.better", lang, name=answers[choice])
    marks: list[str] = []
    for scores in values.get("scores") or []:
        marks.append(", ".join(f"{name} {points}" for name, points in scores.items()))
    marks += [say("ratings.said.rank", lang, n=rank) for rank in values.get("ranks") or []]
    marks += [
        say(f"ratings.said.{'passed' if passed else 'failed'}", lang) for passed in values.get("passed") or []
    ]
    return "; ".join(f"{name}: {mark}" for name, mark in zip(answers, marks, strict=False))
