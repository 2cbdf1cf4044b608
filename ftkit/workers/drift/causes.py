"""Which finding of a drift explains the others: another language brings other words, but not the other way round.

Takes the prompts and what was found, takes a possible cause away and looks what of the rest is still there. It finds no
drift by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from ftkit.monitoring.drift.findings import Kind
from ftkit.workers.drift.battery import KINDS, Chance, compare
from ftkit.workers.drift.prompts import Prompt, words_of

Remedy = Callable[[Prompt], Prompt | None]
_CAUSES: tuple[Kind, ...] = ("language", "personal_data", "topic", "length")


def follows(
    report: Mapping[str, Any],
    sides: tuple[Sequence[Prompt], Sequence[Prompt]],
    topic: frozenset[str],
    chance: Chance,
    fewest: int,
) -> dict[str, str]:
    """Finding that drifted → the finding that explains it; those that nothing explains are not in it.

    Args:
        report: of the check.
        sides: prompts of window and reference.
        topic: texts of the topic that rose most.
        chance: of the random windows.
        fewest: prompts on a side with which anything can be said.
    """
    lines = {line["kind"]: line for line in report["findings"] if line["drifted"]}
    open_ = [kind for kind in KINDS if kind in lines]
    found: dict[str, str] = {}
    for cause in _CAUSES:
        if cause not in open_:
            continue
        open_.remove(cause)
        remedy = _remedy(cause, lines[cause], sides, topic)
        window, reference = ([kept for one in side if (kept := remedy(one))] for side in sides)
        if min(len(window), len(reference)) < fewest:
            gone = list(open_)  # hardly anything is left without it
        else:
            again = {one.kind: one for one in compare(window, reference, chance, open_).findings}
            gone = [
                kind
                for kind in open_
                if kind not in again or not again[kind].matters or again[kind].p > lines[kind]["threshold"]
            ]
        found |= dict.fromkeys(gone, cause)
        open_ = [kind for kind in open_ if kind not in gone]
    return found


def _remedy(
    cause: Kind,
    line: Mapping[str, Any],
    sides: tuple[Sequence[Prompt], Sequence[Prompt]],
    topic: frozenset[str],
) -> Remedy:
    """What takes a cause away: leaving out the prompts that have it, or cutting all to the same length."""
    if cause == "language":
        risen = set(line["words"])
        return lambda prompt: None if prompt.language in risen else prompt
    if cause == "personal_data":
        return lambda prompt: None if prompt.personal else prompt
    if cause == "topic":
        return lambda prompt: None if prompt.text in topic else prompt
    words = max(1, int(min(median(len(one.words) for one in side) for side in sides)))
    return lambda prompt: _cut(prompt, words)


def _cut(prompt: Prompt, words: int) -> Prompt | None:
    """The beginning of a prompt with so many words; None for a shorter one, which could not be made alike."""
    if len(prompt.words) < words:
        return None
    text = " ".join(prompt.words[:words])
    return prompt._replace(text=text, words=words_of(text))
