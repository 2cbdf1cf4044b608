"""What a study will cost people and the machine, before it is made.

Takes what the form says, gives counts and a sentence. It reads no row.
"""

from math import comb
from typing import NamedTuple

from markupsafe import Markup

from ftkit.ratings.studies.options import Protocol
from ftkit.ui import html
from ftkit.ui.i18n import say

# How long a rating takes, in seconds: reading two answers and choosing; otherwise by answer, and by mark given.
_PAIR, _READ, _MARK = 40, 15, 5


class Cost(NamedTuple):
    """Of a study."""

    prompts: int
    models: int
    items: int
    overlap: int
    gold: int
    seconds: int

    @property
    def ratings(self) -> int:
        """Of all raters together, without those of attention."""
        return self.items * self.overlap


def cost(protocol: Protocol, models: int, prompts: int, overlap: int, gold: int, criteria: int) -> Cost:
    """Count items, ratings and time; pairs of three or four models are all shown."""
    pairs = protocol == "pairs"
    items = prompts * comb(models, 2) if pairs else prompts
    marks = models * (criteria if protocol == "scales" else 1)
    seconds = _PAIR if pairs else models * _READ + marks * _MARK
    return Cost(prompts, models, items, overlap, gold, seconds)


def sentence(told: Cost, lang: str) -> Markup:
    """What it will cost, in words."""
    parts = [
        say(
            "ratings.cost",
            lang,
            items=html.number(told.items, lang),
            overlap=html.number(told.overlap, lang),
            ratings=html.number(told.ratings, lang),
            time=_span(told.ratings * told.seconds, lang),
            seconds=html.number(told.seconds, lang),
        )
    ]
    if told.gold:
        parts.append(say("ratings.cost.gold", lang, gold=html.number(told.gold, lang)))
    parts.append(
        say(
            "ratings.cost.models",
            lang,
            answers=html.number(told.models * told.prompts, lang),
            models=html.number(told.models, lang),
            prompts=html.number(told.prompts, lang),
        )
    )
    return html.notice("info", " ".join(parts))


def _span(seconds: int, lang: str) -> str:
    """Minutes, or hours to a half: nobody knows it better beforehand."""
    minutes = max(1, round(seconds / 60))
    if minutes < 2 * 60:
        return say("ratings.cost.minutes", lang, n=minutes)
    return say("ratings.cost.hours", lang, n=html.number(round(minutes / 30) / 2, lang))
