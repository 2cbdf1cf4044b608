"""The words of the report page, in English and Turkish.

Takes a language and a key, gives plain text; the template escapes it. It holds no layout.
"""

from functools import cache
from pathlib import Path

import yaml

from ftkit.words import Words

_FOLDER = Path(__file__).parent
_LANGUAGES = ("en", "tr")


@cache
def words(language: str) -> Words:
    """The words of a language, from ``<language>.yaml``; English for one that there is none of."""
    name = language if language in _LANGUAGES else "en"
    return Words(name, yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


def looks_sentence(looks: int, told: Words) -> str:
    """How often test rows were looked at, and what that means for the numbers."""
    return told.say("looks.one") if looks == 1 else told.say("looks.more", count=told.number(looks))
