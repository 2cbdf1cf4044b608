"""How far two raters agree on the same rows: share of equal verdicts, and Cohen's kappa with what it means.

Takes verdicts by row from any two raters (two orders of one judge, a judge and a person, a judge and a metric), gives an ``Agreement``.
It does not care who is right.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Meaning = Literal["none", "slight", "fair", "moderate", "substantial", "almost_perfect", "undefined"]
# Landis and Koch, Biometrics 33 (1977), 159-174: up to which kappa it is called so.
_BANDS: tuple[tuple[float, Meaning], ...] = (
    (0.0, "none"),
    (0.2, "slight"),
    (0.4, "fair"),
    (0.6, "moderate"),
    (0.8, "substantial"),
    (1.0, "almost_perfect"),
)
# Metrics of a row that are higher where the answer is better; those of single JSON fields are told by their ending.
_HIGHER_IS_BETTER = (
    "exact_match",
    "accuracy",
    "json_valid",
    "token_f1",
    "chrf",
    "bleu",
    "rouge1",
    "rouge2",
    "rougeL",
)


class Agreement(NamedTuple):
    """How two raters agree.

    Args:
        rows: both of them rated.
        share: of equal verdicts; None without rows.
        kappa: agreement beyond chance, 1 at most; None where both always say the same one thing, so that chance explains all.
        meaning: a word for kappa.
    """

    rows: int
    share: float | None
    kappa: float | None
    meaning: Meaning

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return self._asdict()


def agreement(pairs: Iterable[tuple[str, str]]) -> Agreement:
    """Agreement of two raters, from their verdicts on the same rows.

    Kappa is (observed - expected) / (1 - expected), where the expected agreement is that of raters who give each verdict as often
    as these do, but by chance (Cohen, Educational and Psychological Measurement 20, 1960, 37-46).
    """
    counts = Counter(pairs)
    rows = counts.total()
    if not rows:
        return Agreement(0, None, None, "undefined")
    first, second = Counter[str](), Counter[str]()
    for (one, other), count in counts.items():
        first[one] += count
        second[other] += count
    equal = sum(count for (one, other), count in counts.items() if one == other)
    by_chance = sum(first[verdict] * second[verdict] for verdict in first)
    if by_chance == rows * rows:
        return Agreement(rows, equal / rows, None, "undefined")
    kappa = (equal * rows - by_chance) / (rows * rows - by_chance)
    return Agreement(rows, equal / rows, kappa, _meaning(kappa))


def agreement_by_row(first: Mapping[int, str], second: Mapping[int, str]) -> Agreement:
    """Agreement on the rows that both have rated."""
    return agreement((verdict, second[row]) for row, verdict in first.items() if row in second)


def metric_verdicts(samples: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, str]]:
    """Which side each automatic metric prefers, by row: ``base`` or ``tuned``; rows that it cannot tell apart are left out."""
    names = dict.fromkeys(name for sample in samples for name in sample)
    metrics = [name.removeprefix("tuned_") for name in names if name.startswith("tuned_")]
    found: dict[str, dict[int, str]] = {}
    for metric in filter(_higher_is_better, metrics):
        decided = {}
        for sample in samples:
            base, tuned = sample.get(f"base_{metric}"), sample.get(f"tuned_{metric}")
            if base is not None and tuned is not None and base != tuned:
                decided[int(sample["row"])] = "tuned" if tuned > base else "base"
        if decided:
            found[metric] = decided
    return found


def _higher_is_better(metric: str) -> bool:
    return metric in _HIGHER_IS_BETTER or metric.endswith(("_accuracy", "_token_f1"))


def _meaning(kappa: float) -> Meaning:
    return next(meaning for most, meaning in _BANDS if kappa <= most + 1e-12)
