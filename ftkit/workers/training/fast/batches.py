"""Batches without padding in which rows share the beginning that they have in common.

Takes token rows, gives one sequence: the common beginning once, then what is left of each row. A token sees nothing but
its own row, so its hidden state, and with it loss and gradient, is what it would be in a batch of its own; a system
prompt that stands in every row is computed once. It knows no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ftkit.workers.training.rows import IGNORED


@dataclass(frozen=True)
class Layout:
    """Where the rows lie in the sequence: ``shared`` tokens of all of them, then ``lengths`` own tokens of each."""

    shared: int
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class FastCollator:
    """Joins token rows into one batch.

    Args:
        share: compute a common beginning once; must be off where tokens of one row are treated at random (dropout).
    """

    share: bool = True

    def __call__(self, rows: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
        """A batch for ``FastTrainer``.

        Returns:
            ``input_ids`` and ``position_ids`` [1, tokens]; ``labels`` [1, tokens of the rows one after another], the
            first of each row ignored; ``sources``, of the same shape, the place in the sequence that predicts it; and
            ``layout``.
        """
        ids = [row["input_ids"] for row in rows]
        shared = _common_beginning(ids) if self.share else 0
        lengths = tuple(len(row) - shared for row in ids)
        layout = Layout(shared, lengths)
        positions = [*range(shared)] + [p for length in lengths for p in range(shared, shared + length)]
        labels = [label for row in rows for label in (IGNORED, *row["labels"][1:])]
        return {
            "input_ids": torch.tensor([ids[0][:shared] + [i for row in ids for i in row[shared:]]]),
            "position_ids": torch.tensor([positions]),
            "labels": torch.tensor([labels]),
            "sources": torch.tensor([_sources(layout)]),
            "layout": layout,
        }


def _common_beginning(ids: Sequence[Sequence[int]]) -> int:
    """How many first tokens all rows have in common; each row keeps at least one of its own."""
    if len(ids) == 1:
        return 0
    limit = min(map(len, ids)) - 1
    return next((n for n in range(limit) if any(row[n] != ids[0][n] for row in ids)), limit)


def _sources(layout: Layout) -> list[int]:
    """For each token of each row, the place of the token before it; for a first token, which nothing predicts, 0."""
    found: list[int] = []
    begin = layout.shared
    for length in layout.lengths:
        places = [*range(layout.shared), *range(begin, begin + length)]
        found += [0, *places[:-1]]
        begin += length
    return found
