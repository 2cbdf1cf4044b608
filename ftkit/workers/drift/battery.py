"""The comparisons of one check, one after another over the same prompts.

Takes prompts of window and reference, gives findings. It decides nothing about them.
"""

import random
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, TypeVar

from ftkit.monitoring.drift.findings import Finding, Kind
from ftkit.workers.drift import plain, wording
from ftkit.workers.drift.permuting import Windows
from ftkit.workers.drift.prompts import Prompt

_MOST_IN_PAIRS = 1000  # training rows that every prompt is compared with
_BY_WORDS: frozenset[Kind] = frozenset({"topic", "wording", "distance"})
KINDS: tuple[Kind, ...] = (
    "length",
    "language",
    "personal_data",
    "vocabulary",
    "topic",
    "wording",
    "distance",
)
T = TypeVar("T")


class Chance(NamedTuple):
    """How many random windows are drawn, and from which seed."""

    windows: int
    seed: int


class Found(NamedTuple):
    """What the comparisons gave.

    Args:
        findings: of the kinds that could be compared.
        not_tested: the others → why.
        topic: texts of the topic that rose most.
    """

    findings: list[Finding]
    not_tested: dict[str, str]
    topic: frozenset[str]


def compare(
    window: Sequence[Prompt],
    reference: Sequence[Prompt],
    chance: Chance,
    kinds: Collection[Kind] = KINDS,
    step: Callable[[int, int], None] = lambda _step, _steps: None,
) -> Found:
    """The findings of these kinds; ``step`` is told how many of how many comparisons are done."""
    every = [*window, *reference]
    windows = Windows(len(window), len(every), *chance)
    some = [*window, *drawn(reference, _MOST_IN_PAIRS, chance.seed)]
    fewer = Windows(len(window), len(some), *chance)
    shown = wording.wording_of(some) if _BY_WORDS & set(kinds) else None
    found = Found([], {}, frozenset())
    for done, kind in enumerate(kinds):
        step(done, len(kinds))
        if kind in _BY_WORDS:
            finding, topic = (
                _by_words(kind, some, shown, fewer, chance.seed) if shown else (None, frozenset())
            )
            found = found._replace(topic=topic or found.topic)
        else:
            finding = _PLAIN[kind](every, windows)
        if finding is None:
            found.not_tested[kind] = "untold" if kind == "language" else "no_words"
        else:
            found.findings.append(finding)
    return found


def drawn(values: Sequence[T], most: int, seed: int) -> Sequence[T]:
    """So many by chance, or all where there are fewer."""
    return values if len(values) <= most else random.Random(seed).sample(values, most)  # noqa: S311 - a sample


_PLAIN: dict[Kind, Callable[[Sequence[Prompt], Windows], Finding | None]] = {
    "length": plain.length,
    "language": plain.language,
    "personal_data": plain.personal_data,
    "vocabulary": plain.vocabulary,
}


def _by_words(
    kind: Kind, prompts: Sequence[Prompt], shown: wording.Wording, windows: Windows, seed: int
) -> tuple[Finding, frozenset[str]]:
    if kind == "topic":
        return wording.topic(prompts, shown, windows, seed)
    if kind == "wording":
        return wording.told_apart(prompts, shown, windows), frozenset()
    return wording.distance(shown, windows), frozenset()
