"""Prompts with the data's own answers, and what group each belongs to.

Takes rows and their roles, gives prompts; the same seed draws the same ones. It opens no file and asks no model.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from ftkit.data.chat import Message, RowProblem, example, is_raw, is_text
from ftkit.data.phrases import phrase
from ftkit.records import Record

# Columns without a role are labels where they hold so many different short values.
_FEWEST_VALUES, _MOST_VALUES, _LONGEST_VALUE = 2, 12, 40
LENGTH = "prompt_length"
SHORT, LONG = "short", "long"


class Asked(Record):
    """One prompt.

    Args:
        messages: ends with what is asked.
        reference: the data's own answer.
        row: place among the rows.
        plain: the text goes to a model as it stands, without a chat template.
        labels: label → value.
    """

    messages: tuple[dict[str, str], ...]
    reference: str
    row: int
    plain: bool
    labels: dict[str, str]


class Drawn(Record):
    """Prompts in the order of their rows; ``left_out`` are rows that ask nothing, by reason."""

    prompts: tuple[Asked, ...]
    left_out: dict[str, int]


def draw(rows: Iterable[Mapping[str, Any]], mapping: Mapping[str, str], count: int, seed: int) -> Drawn:
    """So many prompts by chance, or all where there are fewer.

    Args:
        rows: of a part or of a dataset.
        mapping: role → column.
        count: how many.
        seed: another seed, other prompts.
    """
    found: list[Asked] = []
    left_out: dict[str, int] = {}
    values: dict[str, set[str] | None] = {}
    for place, row in enumerate(rows):
        _note_values(row, mapping, values)
        try:
            found.append(_asked(place, row, mapping))
        except RowProblem as problem:
            left_out[problem.reason] = left_out.get(problem.reason, 0) + 1
    labels = {name for name, seen in values.items() if seen and len(seen) >= _FEWEST_VALUES}
    chosen = random.Random(seed).sample(found, min(count, len(found)))  # noqa: S311 - chance, not a secret
    chosen.sort(key=lambda one: one.row)
    middle = median(map(_length, chosen)) if chosen else 0
    several = len({_length(one) for one in chosen}) > 1
    return Drawn(
        prompts=tuple(_labelled(one, labels, middle if several else None) for one in chosen),
        left_out=left_out,
    )


def _asked(place: int, row: Mapping[str, Any], mapping: Mapping[str, str]) -> Asked:
    prompt, reference = example(row, mapping)
    if any(message.get("tool_calls") for message in prompt):
        raise RowProblem("prompt_tool_calls")
    return Asked(
        messages=tuple(_plain_turn(message) for message in prompt),
        reference=reference,
        row=place,
        plain=is_raw(mapping) or is_text(mapping),
        labels={
            name: str(value).strip()
            for name, value in row.items()
            if name not in mapping.values() and _is_short(value)
        },
    )


def _plain_turn(message: Message) -> dict[str, str]:
    return {"role": message["role"], "content": message["content"]}


def _note_values(
    row: Mapping[str, Any], mapping: Mapping[str, str], values: dict[str, set[str] | None]
) -> None:
    """Remember the different values of each column without a role; None for a column that has too many or long ones."""
    for name, value in row.items():
        if name in mapping.values() or value in (None, ""):
            continue
        seen = values.setdefault(name, set())
        if seen is None:
            continue
        if not _is_short(value):
            values[name] = None
            continue
        seen.add(str(value).strip())
        if len(seen) > _MOST_VALUES:
            values[name] = None


def _is_short(value: Any) -> bool:
    if isinstance(value, bool | int):
        return True
    return isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_VALUE


def _labelled(one: Asked, labels: set[str], middle: float | None) -> Asked:
    known = {name: value for name, value in one.labels.items() if name in labels}
    length = {} if middle is None else {LENGTH: LONG if _length(one) > middle else SHORT}
    return one.model_copy(update={"labels": known | length})


def _length(one: Asked) -> int:
    """Characters of all turns but the system prompt, which many rows share."""
    return sum(len(turn["content"]) for turn in one.messages if turn["role"] != "system")


def nothing_to_ask(drawn: Drawn) -> str:
    """Why there is no prompt at all."""
    reasons: Sequence[str] = tuple(drawn.left_out)
    return "; ".join(reasons) or phrase("no_rows")
