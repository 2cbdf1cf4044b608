"""How many rows of few are held back, and by which seed.

Takes rows, gives ratios and a seed for the split. Hashes deal rows out: of few, chance alone can leave none or half of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkit.data.health.duplicates import Neighbours
from ftkit.data.splits.rows import sort_out
from ftkit.data.splits.splitting import Ratios, assign
from ftkit.errors import BadInput

_SHARE, _HELD_BACK, _MOST = 0.1, 4, 1 / 3  # so many rows where that is more than the share, up to a third
_SEED, _SEEDS, _FEW = 42, 12, 300
ALL: Ratios = (1.0, 0.0, 0.0)


def held_back(rows: int) -> Ratios:
    """Shares of training, validation and test for so many rows."""
    share = max(_SHARE, min(_MOST, _HELD_BACK / rows))
    return (1 - share, share, 0.0)


def seed_for(
    rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, str], group: str, ratios: Ratios
) -> int | None:
    """The first seed of a few that comes nearest to the shares and leaves the fewest rows out; None where none fills both parts."""
    if len(rows) > _FEW:
        return _SEED
    found = list(sort_out(rows, mapping, group).rows.values())
    costs: dict[int, float] = {}
    for seed in range(_SEED, _SEED + _SEEDS):
        try:
            dealt = assign(found, ratios, seed, Neighbours([row.text for row in found]))
        except BadInput:
            return None
        sizes = dealt.sizes()
        if sizes["train"] and sizes["validation"]:
            costs[seed] = abs(sizes["validation"] - ratios[1] * len(found)) + len(dealt.apart)
    return min(costs, key=lambda seed: (costs[seed], seed), default=_SEED)
