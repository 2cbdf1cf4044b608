"""Runs beside each other: which of their figures is the best one, and whether it may be called that.

Takes the figures of runs, gives places. It reads no run.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

Better = Literal["low", "high"]

# How many runs can be told apart in one plot.
FEWEST, MOST = 2, 6
# Figures that are shown side by side, and which end of each is the good one; None where there is none.
FIGURES: Mapping[str, Better | None] = {
    "eval_loss": "low",
    "train_loss": "low",
    "eval_reward_accuracy": "high",
    "eval_reward_margin": "high",
    "tokens_per_second": "high",
    "train_seconds": "low",
    "peak_memory_mb": "low",
    "steps": None,
    "best_step": None,
    "tokens": None,
    "rows": None,
}
# These depend on the rows, the tokenizer and the method, not on the run alone.
OF_THE_DATA = frozenset({"eval_loss", "train_loss", "eval_reward_accuracy", "eval_reward_margin"})


def best(figure: str, values: Sequence[float | None], same_data: bool) -> frozenset[int]:
    """Places of the best value; none where it means nothing.

    Args:
        figure: its name in ``FIGURES``.
        values: one per run, None where a run has none.
        same_data: the runs have the same split, model and method.
    """
    better = FIGURES.get(figure)
    known = [value for value in values if value is not None]
    if better is None or len(known) < FEWEST or (figure in OF_THE_DATA and not same_data):
        return frozenset()
    wanted = min(known) if better == "low" else max(known)
    if all(value == wanted for value in known):
        return frozenset()
    return frozenset(place for place, value in enumerate(values) if value == wanted)
