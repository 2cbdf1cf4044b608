"""The words of the report page, in English and Turkish, and how each language writes numbers.

Takes a language and a key, gives plain text; the template escapes it. It holds no layout.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

_FOLDER = Path(__file__).parent
_LANGUAGES = ("en", "tr")


class Words(NamedTuple):
    """One language: its sentences and its way of writing numbers."""

    language: str
    sentences: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """The sentence ``key`` with its values."""
        return self.sentences[key].format(**values)

    def number(self, value: float, digits: int = 0, sign: bool = False) -> str:
        """With the language's separators; a true minus sign."""
        text = f"{value:{'+' if sign else ''},.{digits}f}".replace("-", "−")
        if self.language == "tr":
            text = text.translate(str.maketrans(",.", ".,"))
        return text

    def percent(self, share: float, digits: int = 1) -> str:
        """A share between 0 and 1."""
        text = self.number(100 * share, digits)
        return f"%{text}" if self.language == "tr" else f"{text}%"

    def duration(self, seconds: float) -> str:
        """Seconds as a person says them."""
        minutes, rest = divmod(round(seconds), 60)
        if minutes == 0:
            return self.say("unit.seconds", seconds=rest)
        if minutes < 60:  # noqa: PLR2004 - an hour
            return self.say("unit.minutes", minutes=minutes, seconds=rest)
        return self.say("unit.hours", hours=minutes // 60, minutes=minutes % 60)


@cache
def words(language: str) -> Words:
    """The words of a language, from ``<language>.yaml``; English for one that there is none of."""
    name = language if language in _LANGUAGES else "en"
    return Words(name, yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


def looks_sentence(looks: int, told: Words) -> str:
    """How often test rows were looked at, and what that means for the numbers."""
    return told.say("looks.one") if looks == 1 else told.say("looks.more", count=told.number(looks))
