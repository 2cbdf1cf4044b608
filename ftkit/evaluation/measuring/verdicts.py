"""What the differences of one comparison say together: p values of many metrics at once, verdicts, and rows still needed.

Takes differences by metric, gives them with ``p_adjusted``, ``verdict`` and ``rows_needed``. It words nothing.

A verdict goes by the adjusted p. Eight metrics of two equal models show a "significant" difference in a third of all
evaluations if each is looked at alone; Holm's adjustment keeps that at 5 of 100 however many metrics are chosen. The
interval beside it is that of the metric alone. Metrics of which neither way is better (length, variety) describe; they
take no part, and their verdict is ``changed`` where their own p is small.
"""

import math
from collections.abc import Collection, Mapping
from typing import Any

from scipy.stats import norm

from ftkit.evaluation.measuring.catalogue import Direction, kind_of

SIGNIFICANT = 0.05
_SAME = 1e-9
_MOST_ROWS = 1_000_000  # more is no advice


def judge(
    differences: Mapping[str, Mapping[str, Any]], rows: Mapping[str, int], fields: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Each difference with ``p_adjusted``, ``verdict`` and ``rows_needed``.

    Args:
        differences: ``value``, ``low``, ``high`` and ``p`` by metric, of one comparison.
        rows: how many rows each metric was measured on.
        fields: names of the JSON fields among the metrics.
    """
    return judge_by(differences, rows, {key: kind_of(key, fields)[0].direction for key in differences})


def judge_by(
    differences: Mapping[str, Mapping[str, Any]],
    rows: Mapping[str, int],
    directions: Mapping[str, Direction],
) -> dict[str, dict[str, Any]]:
    """As ``judge``, of metrics that the catalogue does not know: ``directions`` says which way is better."""
    adjusted = holm(
        {
            key: difference["p"]
            for key, difference in differences.items()
            if directions[key] != "neither" and difference["p"] is not None
        }
    )
    judged = {}
    for key, difference in differences.items():
        p = adjusted.get(key, difference["p"])
        verdict = _verdict(difference["value"], p, directions[key])
        needed = rows_needed(difference["p"], p, rows[key]) if verdict == "unclear" else None
        judged[key] = {**difference, "p_adjusted": p, "verdict": verdict, "rows_needed": needed}
    return judged


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """p values adjusted for being looked at together (Holm, Scandinavian Journal of Statistics 6, 1979, 65-70)."""
    adjusted, highest = {}, 0.0
    for place, (key, p) in enumerate(sorted(values.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, p * (len(values) - place)))
        adjusted[key] = highest
    return adjusted


def rows_needed(p: float | None, adjusted: float | None, rows: int) -> int | None:
    """About how many more rows would make a difference of this size significant; None where that says nothing.

    The distance from zero grows with the square root of the rows. It is a coin's toss whether so many are enough: the
    next rows may show a smaller difference.
    """
    if p is None or adjusted is None or not 0 < p < 1:
        return None
    wanted = float(norm.isf(SIGNIFICANT * p / max(adjusted, p) / 2))
    total = rows * (wanted / float(norm.isf(p / 2))) ** 2
    if not math.isfinite(total) or total - rows > _MOST_ROWS:
        return None
    return max(1, math.ceil(total - rows))


def _verdict(value: float, p: float | None, direction: Direction) -> str:
    if p is None:
        return "one_row" if abs(value) >= _SAME else "same"
    if abs(value) < _SAME:
        return "same"
    if p >= SIGNIFICANT:
        return "unclear"
    if direction == "neither":
        return "changed"
    return "better" if (value > 0) == (direction == "higher") else "worse"
