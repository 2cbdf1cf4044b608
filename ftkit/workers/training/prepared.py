"""A part of a split, ready to train on by one of the methods, and counts of what was left out and why.

Takes the part and a tokenizer, gives rows as token ids. Nothing is cut: a row that is too long is left out whole. It
imports neither torch nor transformers, so that counting starts at once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import pstdev
from typing import Any, NamedTuple, Protocol

from ftkit.data.chat import RowProblem, TrainingRow, training_row
from ftkit.data.phrases import phrase
from ftkit.data.storage import iterate_rows
from ftkit.models.chat_template import TemplateRefusal
from ftkit.training.options.model import Method
from ftkit.workers.training.preference.rows import marked_rows, pair_row, said
from ftkit.workers.training.rows import FastTokenizer, tokenise

_REASONS_KEPT = 10
_SIGNS_SHOWN = 12


class Row(Protocol):
    """A row of any method."""

    @property
    def longest(self) -> int:
        """Tokens that the model reads at once."""

    @property
    def size(self) -> int:
        """Tokens that the model reads for this row in all."""

    @property
    def trained(self) -> int:
        """Tokens that the loss counts."""

    def _asdict(self) -> dict[str, Any]: ...


class Prepared(NamedTuple):
    """A part of a split, ready to train on.

    ``left_out`` rows are longer than the limit, ``empty`` rows have nothing to learn or do not fit the mapping: ``reasons``
    has the first of them, counted from 1. ``disarmed`` ones are among ``rows``: control tokens in their text were broken up;
    so are ``unknown`` ones, which hold signs without a token, the first of them ``unknown_signs``.
    """

    rows: list[Row]
    longest: int
    left_out: int
    empty: int
    disarmed: int
    reasons: tuple[tuple[int, str], ...]
    unknown: int
    unknown_signs: str

    @property
    def longest_answer(self) -> int:
        """Most tokens that the loss counts in a row."""
        return max((row.trained for row in self.rows), default=0)

    @property
    def spread(self) -> float:
        """Standard deviation of the rows' tokens."""
        return pstdev(row.size for row in self.rows) if self.rows else 0.0

    @property
    def tokens(self) -> int:
        """Real tokens of all rows."""
        return sum(row.size for row in self.rows)

    @property
    def trained_tokens(self) -> int:
        """Tokens that the loss counts."""
        return sum(row.trained for row in self.rows)


class Rows(NamedTuple):
    """Rows to learn from, and rows to watch the loss on."""

    train: Prepared
    validation: Prepared


def prepare(  # noqa: PLR0913 - the options that rule the rows, by name
    file: Path,
    mapping: Mapping[str, str],
    tokenizer: FastTokenizer,
    max_length: int,
    completion_only: bool = True,
    method: Method = "sft",
) -> Prepared:
    """Tokenise a part of a split and leave out what cannot be trained on.

    Args:
        file: ``train.parquet`` or another part.
        mapping: role → column.
        tokenizer: of the model that will be trained.
        max_length: longer rows are left out, whole; none is cut.
        completion_only: only the answer is learned; plain texts are learned whole in any case.
        method: of training; it says what a row must have.

    Raises:
        BadInput: the model has no chat template and the rows are conversations.
    """
    rows: list[Row] = []
    longest = left_out = empty = disarmed = unknown = 0
    signs: set[str] = set()
    reasons: list[tuple[int, str]] = []
    for number, values in enumerate(iterate_rows(file), start=1):
        try:
            made, whole = _rows(values, mapping, tokenizer, completion_only, method)
        except (RowProblem, TemplateRefusal) as problem:
            empty += 1
            reasons.append((number, str(problem)))
            continue
        longest = max(longest, *(row.longest for row in made))
        if any(row.longest > max_length for row in made):
            left_out += 1
        elif any(row.trained == 0 for row in made):
            empty += 1
            reasons.append((number, phrase("no_token")))
        else:
            rows += made
            disarmed += tokenizer.disarms(whole)
            without_token = tokenizer.unknown_signs(whole)
            unknown += bool(without_token)
            signs |= without_token
    kept = tuple(reasons[:_REASONS_KEPT])
    shown = " ".join(sorted(signs)[:_SIGNS_SHOWN])
    return Prepared(rows, longest, left_out, empty, disarmed, kept, unknown, shown)


def _rows(
    values: Mapping[str, Any],
    mapping: Mapping[str, str],
    tokenizer: FastTokenizer,
    completion_only: bool,
    method: Method,
) -> tuple[Sequence[Row], TrainingRow]:
    """The rows that one row of the data becomes, and all that it says."""
    if method == "sft":
        row = training_row(values, mapping)
        return [tokenise(row, tokenizer, completion_only)], row
    if method == "dpo":
        return [pair_row(values, mapping, tokenizer)], said(values, mapping)
    return marked_rows(values, mapping, tokenizer), said(values, mapping)
