"""A row with another answer: the right one in place of the one that the data had.

Takes a row, its roles and a text, gives a new row. It never changes a row that it was given.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ftkit.data.chat import RowProblem, conversation, cut, is_raw, is_text
from ftkit.data.cleaning import texts
from ftkit.errors import BadInput

Row = Mapping[str, Any]


def with_answer(row: Row, mapping: Mapping[str, str], answer: str) -> dict[str, Any]:
    """The row with ``answer`` as the text that is learnt.

    Raises:
        BadInput: the answer of this row is no single text.
    """
    if _answer_of(row, mapping) == answer:
        return dict(row)
    for changed in _candidates(row, mapping, answer):
        if _answer_of(changed, mapping) == answer:
            return changed
    raise BadInput(
        "collecting.no_place",
        "The answer of a row is no single text, so it cannot be corrected here. Correct it on the Clean page.",
    )


def _candidates(row: Row, mapping: Mapping[str, str], answer: str) -> Iterator[dict[str, Any]]:
    """The row with the answer in each place where it might stand, the last one first."""
    column = mapping[_role(mapping)]
    for place, _ in reversed(list(texts.leaves(row, (column,)))):
        changed = texts.replaced(row, place, answer)
        if changed is not None:
            yield changed


def _role(mapping: Mapping[str, str]) -> str:
    if is_raw(mapping):
        return "completion"
    if is_text(mapping):
        return "text"
    return next(role for role in ("chosen", "messages", "assistant") if role in mapping)


def _answer_of(row: Row, mapping: Mapping[str, str]) -> str | None:
    try:
        messages = conversation(row, mapping)
        return messages[0]["content"] if is_text(mapping) else cut(messages)[1]["content"]
    except RowProblem:
        return None
