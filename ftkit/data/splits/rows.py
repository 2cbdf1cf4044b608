"""The rows of a dataset as a split sees them: what decides about each, and which cannot be trained on.

Takes rows and a mapping, gives ``splitting.Row`` by number. It decides nothing about parts.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ftkit.data.chat import Message, RowProblem, answer_text, conversation, cut, is_text, label
from ftkit.data.phrases import phrase
from ftkit.data.splits.splitting import Row

_REASONS = 20


class Sorted:
    """What reading the rows for a split found; ``left_out`` are row and reason."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.left_out: list[tuple[int, str]] = []
        self.trimmed = 0
        self.without_group = 0
        self.without_label = 0

    def reasons(self) -> dict[str, int]:
        """How many rows were left out for which reason; rare reasons beyond the first twenty count as others."""
        common = Counter(reason for _, reason in self.left_out).most_common()
        others = sum(count for _, count in common[_REASONS:])
        return {**dict(common[:_REASONS]), **({phrase("other_reasons"): others} if others else {})}


def sort_out(
    rows: Iterable[Mapping[str, Any]], mapping: Mapping[str, str], group: str = "", stratify: str = ""
) -> Sorted:
    """Read the rows that can be trained on, and say why the others cannot.

    Args:
        rows: in the order of the dataset.
        mapping: role → column.
        group: column whose equal values belong together; a row without a value belongs to no other.
        stratify: column whose values every part shall have in the same shares.
    """
    found = Sorted()
    for index, row in enumerate(rows):
        try:
            key, text, trimmed = content(row, mapping)
        except RowProblem as problem:
            found.left_out.append((index, problem.reason))
            continue
        one = Row(key, text, _value(row, group), _value(row, stratify))
        found.rows[index] = one
        found.trimmed += trimmed
        found.without_group += bool(group) and not one.group
        found.without_label += bool(stratify) and not one.label
    return found


def content(row: Mapping[str, Any], mapping: Mapping[str, str]) -> tuple[str, str, bool]:
    """A hash of what the model would learn from the row, the text that near-duplicates are sought in, and whether turns
    after the last answer were left out.

    Columns that play no role do not count, so that an id or a date cannot hide that two rows are the same. The text is
    question and answer without what many rows share: the system prompt, and the task where the row has an input of its
    own.

    Raises:
        RowProblem: the row cannot be trained on.
    """
    messages = conversation(row, mapping)
    good = label(row, mapping)
    if is_text(mapping):
        return _digest(messages), messages[0]["content"], False
    prompt, answer = cut(messages)
    turns = [answer_text(message) for message in prompt if message["role"] != "system"]
    own = row.get(mapping.get("user", ""))
    if "instruction" in mapping and "messages" not in mapping and isinstance(own, str) and own.strip():
        turns = [own]
    text = "\n".join([*turns, answer_text(answer)])
    # The same answer marked as good in one row and as bad in another is no copy, but a near one.
    mark: list[Message] = [] if good else [{"role": "system", "content": "bad"}]
    return _digest([*prompt, answer, *mark]), text, len(messages) > len(prompt) + 1


def _value(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column) if column else None
    return "" if value is None else str(value).strip()


def _digest(messages: list[Message]) -> str:
    text = "\x00".join(f"{message['role']}\x00{answer_text(message)}" for message in messages)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
