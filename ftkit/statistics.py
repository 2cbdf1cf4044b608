"""Statistics that several rooms need: intervals of a share, Student's t, the exact binomial test, agreement of two raters.

Takes and gives plain numbers, with the standard library alone, so that the web process can load it. It knows no metric and no study.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

LEVEL = 0.95
NORMAL = NormalDist().inv_cdf((1 + LEVEL) / 2)
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
_AS_LIKELY = 1 + 1e-7  # probabilities that differ by less are equal but for rounding
_TINY = 1e-300
_ROUNDS = 300


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
    return Agreement(rows, equal / rows, kappa, meaning_of(kappa))


def agreement_by_row(first: Mapping[int, str], second: Mapping[int, str]) -> Agreement:
    """Agreement on the rows that both have rated."""
    return agreement((verdict, second[row]) for row, verdict in first.items() if row in second)


def meaning_of(kappa: float | None) -> Meaning:
    """A word for a kappa."""
    if kappa is None:
        return "undefined"
    return next(meaning for most, meaning in _BANDS if kappa <= most + 1e-12)


def wilson(share: float, rows: float, reach: float = NORMAL) -> tuple[float, float]:
    """Wilson's interval of a single proportion (JASA 22, 1927, 209-212).

    Args:
        share: seen.
        rows: it was seen in; the effective number where rows are not independent.
        reach: standard errors to each side; that of the normal distribution gives 95 %.
    """
    square = reach**2
    centre = share + square / (2 * rows)
    spread = reach * math.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    low, high = (centre - spread) / (1 + square / rows), (centre + spread) / (1 + square / rows)
    return max(0.0, low), min(1.0, high)


def student(freedom: int, level: float = LEVEL) -> float:
    """Standard errors to each side that hold the middle ``level`` of Student's t with so many degrees of freedom."""
    tail = 1 - level
    low, high = 0.0, 1.0
    while _outside(high, freedom) > tail:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _outside(middle, freedom) > tail else (low, middle)
    return (low + high) / 2


def binomial_test(hits: int, rows: int, chance: float = 0.5) -> float:
    """Exact two-sided p value: how likely chance alone gives a count that is at most as likely as the seen one; 1 without rows."""
    if not rows:
        return 1.0
    log = (math.log(chance), math.log1p(-chance))
    whole = math.lgamma(rows + 1)

    def likelihood(count: int) -> float:
        ways = whole - math.lgamma(count + 1) - math.lgamma(rows - count + 1)
        return math.exp(ways + count * log[0] + (rows - count) * log[1])

    limit = likelihood(hits) * _AS_LIKELY
    return min(1.0, math.fsum(p for p in map(likelihood, range(rows + 1)) if p <= limit))


def _outside(t: float, freedom: int) -> float:
    """Both tails of Student's t beyond ``t``, by the incomplete beta function (Abramowitz and Stegun 26.7.1)."""
    return _beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function by its continued fraction (Lentz; Abramowitz and Stegun 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _ROUNDS):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / ((1 + step * d) or _TINY)
            c = (1 + step / c) or _TINY
            value *= c * d
        if abs(c * d - 1) < 1e-15:  # noqa: PLR2004 - the last bit
            break
    return front * value / a
