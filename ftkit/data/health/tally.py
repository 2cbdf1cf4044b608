"""Counting over many rows in pieces: how often, in which rows first, and three examples of each.

Pieces are counted in processes of their own and put together in the order of the rows, so that the result does not
depend on how the work was shared. It decides nothing about what a count means.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ftkit.data.health.personal import PersonalData, Span, hidden, suspects
from ftkit.data.health.report import Example

LISTED = 1000  # rows named for each kind
EXAMPLES = 3
_WIDTH = 200
_AROUND = 10_000  # characters in which a find may begin before the piece, or end behind it
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


@dataclass
class Count:
    """How often one thing was found."""

    rows: int = 0
    times: int = 0
    numbers: list[int] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    def add(self, row: int, times: int = 1) -> bool:
        """One more row; whether an example of it is wanted."""
        self.rows += 1
        self.times += times
        if len(self.numbers) < LISTED:
            self.numbers.append(row)
        return len(self.examples) < EXAMPLES

    def take(self, later: "Count") -> None:
        """Add what was counted in later rows."""
        self.rows += later.rows
        self.times += later.times
        self.numbers += later.numbers[: LISTED - len(self.numbers)]
        self.examples += later.examples[: EXAMPLES - len(self.examples)]


@dataclass
class Tally:
    """All that was counted in some rows.

    ``personal`` says that personal data is looked for; where it is not, examples hide all that has its rough form.
    """

    found: dict[str, Count] = field(default_factory=dict)
    counters: dict[str, Counter[str]] = field(default_factory=dict)
    personal: bool = True

    def add(self, kind: str, row: int, example: Example | None = None, times: int = 1) -> None:
        """One row with a find of this kind; its example is kept while there are few."""
        if self.found.setdefault(kind, Count()).add(row, times) and example is not None:
            self.found[kind].examples.append(example)

    def example(
        self, row: int, text: str, at: tuple[int, int] = (0, 0), place: str = "", **more: Any
    ) -> Example:
        """A piece of the text around a find, as ``example`` makes it."""
        return example(row, text, at, place, None if self.personal else suspects, **more)

    def wants_example(self, kind: str) -> bool:
        """Whether an example of this kind would be kept: making one costs time."""
        return kind not in self.found or len(self.found[kind].examples) < EXAMPLES

    def counter(self, name: str) -> Counter[str]:
        """A table of counts by name."""
        return self.counters.setdefault(name, Counter())

    def take(self, later: "Tally") -> None:
        """Add what was counted in later rows."""
        for kind, count in later.found.items():
            self.found.setdefault(kind, Count()).take(count)
        for name, counter in later.counters.items():
            self.counter(name).update(counter)

    def rows(self, kind: str) -> int:
        """Rows with a find of this kind."""
        return self.found[kind].rows if kind in self.found else 0


def example(
    row: int,
    text: str,
    at: tuple[int, int] = (0, 0),
    place: str = "",
    find: Callable[[str], list[Span]] | None = None,
    **more: Any,
) -> Example:
    """A piece of the text around a find, without personal data (or what ``find`` finds) and with invisible signs made visible."""
    low = max(0, at[0] - _WIDTH // 3)
    high = min(len(text), max(low + _WIDTH, min(at[1], low + 2 * _WIDTH)))
    base = max(0, low - _AROUND)
    wide = text[base : high + _AROUND]
    low, high = low - base, high - base
    found = [span for span in (find or PersonalData().find)(wide) if span.end > low and span.start < high]
    low, high = min([low, *(span.start for span in found)]), max([high, *(span.end for span in found)])
    shown = hidden(
        wide[low:high], [replace(span, start=span.start - low, end=span.end - low) for span in found]
    )
    piece = " ".join(visible(shown).split())
    before, after = base + low > 0, base + high < len(text)
    return Example(row=row, text=f"{'…' if before else ''}{piece}{'…' if after else ''}", place=place, **more)


def visible(text: str) -> str:
    """The text with signs that cannot be seen written as <U+200B>."""
    return _UNSEEN.sub(lambda sign: f"<U+{ord(sign[0]):04X}>", text)
