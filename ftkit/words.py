"""One language's sentences and its way of writing numbers, for what is told on pages, in reports and on the command line alike.

Takes sentences by key, gives plain text; whoever shows it escapes it. It holds no sentence of its own.
"""

from collections.abc import Mapping
from typing import NamedTuple


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
        """Seconds as a person says them; needs the sentences ``unit.seconds``, ``unit.minutes`` and ``unit.hours``."""
        minutes, rest = divmod(round(seconds), 60)
        if minutes == 0:
            return self.say("unit.seconds", seconds=rest)
        if minutes < 60:  # noqa: PLR2004 - an hour
            return self.say("unit.minutes", minutes=minutes, seconds=rest)
        return self.say("unit.hours", hours=minutes // 60, minutes=minutes % 60)
