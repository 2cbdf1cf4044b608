"""Which row goes into which part: seeded, by the content of the rows, equal rows never apart.

Takes one key per row (equal rows have equal keys), ratios and a seed; gives a part per row. It touches no files.

How: each key is hashed with the seed, the different keys are put in the order of their hashes, and the order is cut
where the ratios say: first test, then validation, then train. So the parts have the asked sizes even for a hundred
rows, whatever the order of the file, and another seed is another shuffle. The price against fixed hash thresholds:
when rows are added, the cuts shift, and a few rows that lie next to a cut change to the neighbouring part: where no
row is repeated, at most one per cut for each added row, and on average far fewer (about the square root of their
number). A row goes from train to test only where the cuts shift by the whole validation part.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ftkit.data.chat import Message, RowProblem, answer_text, check_label, conversation, cut, is_text
from ftkit.data.phrases import phrase
from ftkit.errors import BadInput
from ftkit.records import PARTS, Part

Ratios = tuple[float, float, float]

_TOLERANCE = 1e-6
_REASONS = 20


def check_ratios(ratios: Sequence[float]) -> Ratios:
    """Three shares that add up to 1.

    Raises:
        BadInput: they do not.
    """
    shares = tuple(float(share) for share in ratios)
    fit = len(shares) == len(PARTS) and all(math.isfinite(share) and share >= 0 for share in shares)
    if not fit or abs(sum(shares) - 1) > _TOLERANCE:
        raise BadInput(
            "data.bad_ratios",
            "The ratios {ratios} do not work: give three numbers from 0 to 1 that add up to 1, such as 0.8,0.1,0.1.",
            ratios=",".join(f"{share:g}" for share in shares),
        )
    train, validation, test = shares
    return train, validation, test


def assign(keys: Sequence[str], ratios: Ratios, seed: int) -> list[Part]:
    """The part of each row.

    Args:
        keys: one per row; rows with the same key stay together.
        ratios: shares of train, validation and test; a share of 0 gives an empty part, any other a filled one.
        seed: another seed, another shuffle.

    Raises:
        BadInput: there are fewer different rows than parts to fill.
    """
    counts = Counter(keys)
    order = sorted(counts, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())
    wanted = sum(share > 0 for share in ratios)
    if len(order) < wanted:
        raise BadInput(
            "data.too_few_rows",
            "{rows} different rows cannot fill {parts} parts. Add rows, or choose the ratios 1,0,0.",
            rows=len(order),
            parts=wanted,
        )
    first, second = _cuts([counts[key] for key in order], ratios)
    part: dict[str, Part] = dict.fromkeys(order[:first], "test")
    part |= dict.fromkeys(order[first:second], "validation")
    return [part.get(key, "train") for key in keys]


class Sorted:
    """What reading the rows for a split found."""

    def __init__(self) -> None:
        self.keys: dict[int, str] = {}
        self.left_out: list[tuple[int, str]] = []
        self.trimmed = 0

    def reasons(self) -> dict[str, int]:
        """How many rows were left out for which reason; rare reasons beyond the first twenty count as others."""
        common = Counter(reason for _, reason in self.left_out).most_common()
        others = sum(count for _, count in common[_REASONS:])
        return {**dict(common[:_REASONS]), **({phrase("other_reasons"): others} if others else {})}


def sort_out(rows: Iterable[Mapping[str, Any]], mapping: Mapping[str, str]) -> Sorted:
    """Key each row that can be trained on, and say why the others cannot."""
    found = Sorted()
    for index, row in enumerate(rows):
        try:
            found.keys[index], trimmed = training_key(row, mapping)
            found.trimmed += trimmed
        except RowProblem as problem:
            found.left_out.append((index, problem.reason))
    return found


def training_key(row: Mapping[str, Any], mapping: Mapping[str, str]) -> tuple[str, bool]:
    """A hash of what the model would learn from the row, and whether turns after the last answer were left out.

    Columns that play no role do not count, so that an id or a date cannot hide that two rows are the same.

    Raises:
        RowProblem: the row cannot be trained on.
    """
    messages = conversation(row, mapping)
    check_label(row, mapping)
    if is_text(mapping):
        return _digest(messages), False
    prompt, answer = cut(messages)
    return _digest([*prompt, answer]), len(messages) > len(prompt) + 1


def members(keys: Mapping[int, str], ratios: Ratios, seed: int) -> dict[Part, list[int]]:
    """The rows of each part, in their order; see ``assign``."""
    assigned = assign(list(keys.values()), ratios, seed)
    return {part: [row for row, of in zip(keys, assigned, strict=True) if of == part] for part in PARTS}


def count_leaks(keys: Mapping[Part, Sequence[str]]) -> int:
    """Rows whose key stands in more than one part."""
    parts_of = Counter(key for part in keys.values() for key in set(part))
    return sum(parts_of[key] > 1 for part in keys.values() for key in part)


def _cuts(sizes: Sequence[int], ratios: Ratios) -> tuple[int, int]:
    """Where test ends and where validation ends, in an order of groups of these sizes; no wanted part is empty."""
    train, validation, test = ratios
    total = sum(sizes)
    middles, before = [], 0
    for size in sizes:
        middles.append(before + size / 2)
        before += size
    count = len(sizes)
    first = sum(middle < total * test for middle in middles) if test else 0
    second = sum(middle < total * (test + validation) for middle in middles) if train else count
    # The smallest allowed, then the largest: each wanted part keeps at least one group on its side of the cuts.
    first = min(max(first, int(test > 0)), count - int(validation > 0) - int(train > 0))
    second = min(max(second, first + int(validation > 0)), count - int(train > 0))
    return first, second if validation else first


def _digest(messages: list[Message]) -> str:
    text = "\x00".join(f"{message['role']}\x00{answer_text(message)}" for message in messages)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
