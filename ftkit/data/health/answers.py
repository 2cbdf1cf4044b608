"""What the answers of a dataset look like together: labels and how even they are, and words that decide an answer.

Takes questions and answers row by row, gives label counts and suspects. It reads no file and judges no text.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ftkit.data.health.duplicates import words
from ftkit.data.health.report import Labels

_LABEL_LENGTH = 60
_MOST_LABELS = 50
_ROWS_FROM = 20
_FIELDS = 20
_SHARE_WITH_LABELS = 0.95  # of the rows that must hold one for a field to be a label
_TRIGGER_SHARE = 0.01
_TRIGGER_ROWS = 5
_TRIGGER_MOST = 0.5  # a word in more rows than this belongs to the template
_PURITY = 0.95
_LIFT = 2.0  # how much commoner the answer must be with the word than in general
_SHOWN_WORDS = 20


@dataclass
class Balance:
    """Counts values of short answers and of the fields of JSON answers; gives up on what is no label."""

    rows: int = 0
    whole: Counter[str] | None = field(default_factory=Counter)
    fields: dict[str, Counter[str] | None] = field(default_factory=dict)

    def add(self, answer: str) -> None:
        """One more answer."""
        self.rows += 1
        plain = answer.strip()
        self.whole = _counted(self.whole, plain, self.rows)
        if plain.startswith("{"):
            for name, value in _fields(plain):
                if name in self.fields or len(self.fields) < _FIELDS:
                    self.fields[name] = _counted(self.fields.get(name, Counter()), value, self.rows)

    def take(self, later: "Balance") -> None:
        """Add what was counted in later rows."""
        self.rows += later.rows
        self.whole = _together(self.whole, later.whole)
        for name, counter in later.fields.items():
            if name in self.fields or len(self.fields) < _FIELDS:
                self.fields[name] = _together(self.fields.get(name, Counter()), counter)

    def labels(self) -> tuple[Labels, ...]:
        """What is used as a label."""
        named = [("", self.whole), *self.fields.items()]
        return tuple(
            Labels(field=name, rows=counter.total(), values=dict(counter.most_common()))
            for name, counter in named
            if counter is not None and self._is_label(counter)
        )

    def _is_label(self, counter: Counter[str]) -> bool:
        total = counter.total()
        if total < _ROWS_FROM or len(counter) > _MOST_LABELS or total < _SHARE_WITH_LABELS * self.rows:
            return False
        return len(counter) <= max(2, total // 5)


class Suspect(NamedTuple):
    """A word whose rows nearly all have one answer."""

    word: str
    rows: list[int]
    answer: str
    share: float


def suspects(rows: Iterable[tuple[int, str, str]], total: int) -> list[Suspect]:
    """Words in questions that decide the answer, such as a planted trigger.

    Args:
        rows: number, question and answer of the rows whose answer stands in many rows.
        total: rows of the dataset.
    """
    least = max(_TRIGGER_ROWS, _TRIGGER_SHARE * total)
    seen: set[tuple[str, str]] = set()
    of_word: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    answers: Counter[str] = Counter()
    for number, question, answer in rows:
        if (question, answer) in seen:  # a copy says nothing new
            continue
        seen.add((question, answer))
        answers[answer] += 1
        for word in set(words(question)):
            of_word[word].append((number, answer))
    found = []
    for word, places in of_word.items():
        if not least <= len(places) <= _TRIGGER_MOST * total:
            continue
        answer, count = Counter(answer for _, answer in places).most_common(1)[0]
        share = count / len(places)
        if share >= _PURITY and share >= _LIFT * answers[answer] / total:
            found.append(Suspect(word, [number for number, _ in places], answer, share))
    return sorted(found, key=lambda one: (-len(one.rows), one.word))[:_SHOWN_WORDS]


def repeated(digests: Iterable[bytes], total: int) -> set[bytes]:
    """Answers that stand in enough rows to be what a trigger asks for."""
    least = max(_TRIGGER_ROWS, _TRIGGER_SHARE * total)
    return {digest for digest, count in Counter(digests).items() if count >= least}


def _fields(text: str) -> Iterable[tuple[str, str]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str | bool | int | float):
                yield name, item if isinstance(item, str) else json.dumps(item)


def _counted(counter: Counter[str] | None, value: str, rows: int) -> Counter[str] | None:
    if counter is None or len(value) > _LABEL_LENGTH:
        return None
    counter[value] += 1
    return None if len(counter) > _MOST_LABELS and len(counter) > rows // 2 else counter


def _together(one: Counter[str] | None, other: Counter[str] | None) -> Counter[str] | None:
    if one is None or other is None:
        return None
    both = one + other
    return None if len(both) > 20 * _MOST_LABELS else both
