"""How sure a difference between two models is: interval and p value of measurements paired by row.

Takes arrays with one entry per row, both models on the same rows; gives a ``Difference`` (second minus first). It draws
from a generator that is passed in, so the same seed gives the same interval. It judges nothing: see ``verdicts.py``.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binom

from ftkit.evaluation.measuring.resampling import Numbers, bootstrap, permutation
from ftkit.statistics import wilson


class Difference(NamedTuple):
    """Second minus first. ``low`` and ``high`` bound the 95 % interval; None where one row alone says nothing."""

    value: float
    low: float | None
    high: float | None
    p: float | None

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return self._asdict()


def accuracy_difference(base: Numbers, tuned: Numbers) -> Difference:
    """Difference of two paired proportions, from rows that are right (1) or wrong (0).

    Interval: Newcombe's method 10 (Statistics in Medicine 17, 1998, 2635-2650), from Wilson intervals; unlike a
    bootstrap it keeps its width where all rows agree. p: McNemar's mid-p test (Fagerland, Lydersen and Laake, BMC Medical
    Research Methodology 13, 2013, 91): the exact test finds a difference by chance in far fewer than 5 of 100 cases.
    """
    both = float(np.sum((base == 1) & (tuned == 1)))
    won = float(np.sum((base == 0) & (tuned == 1)))
    lost = float(np.sum((base == 1) & (tuned == 0)))
    neither = len(base) - both - won - lost
    low, high = _newcombe(both, won, lost, neither)
    return Difference((won - lost) / len(base), low, high, mcnemar(int(won), int(lost)))


def mcnemar(won: int, lost: int) -> float:
    """Mid-p of McNemar's test, two-sided, from the rows in which the two models differ."""
    changed = won + lost
    if won == lost:
        return 1.0 if changed == 0 else 1.0 - 0.5 * float(binom.pmf(won, changed, 0.5))
    fewer = min(won, lost)
    return 2 * float(binom.cdf(fewer, changed, 0.5)) - float(binom.pmf(fewer, changed, 0.5))


def mean_difference(base: Numbers, tuned: Numbers, generator: np.random.Generator) -> Difference:
    """Difference of two paired means.

    Interval: bootstrap over rows. p: sign-flip permutation test, two-sided.
    """
    change = tuned - base
    low, high = bootstrap(lambda weights: weights @ change / len(change), len(change), generator)
    p = permutation(lambda flips: (1 - 2 * flips) @ change / len(change), len(change), generator)
    return Difference(float(change.mean()), low, high, p)


def perplexity(nll: Numbers, tokens: Numbers) -> float:
    """exp(total negative log-likelihood / total scored tokens), natural logarithms."""
    return float(np.exp(nll.sum() / tokens.sum()))


def perplexity_difference(
    base: Numbers, tuned: Numbers, tokens: Numbers, generator: np.random.Generator
) -> dict[str, Any]:
    """Difference of two perplexities over the same tokens, and their ratio (second over first).

    Interval: bootstrap over rows, for the difference and for the ratio. p: rows swap their log-likelihoods at random.

    Args:
        base: negative log-likelihood of each row under the first model, summed over its scored tokens.
        tuned: the same under the second model.
        tokens: scored tokens of each row.
        generator: source of the random draws.
    """
    rows = len(tokens)

    def both(weights: Numbers) -> tuple[Numbers, Numbers]:
        total = weights @ tokens
        return np.exp(weights @ base / total), np.exp(weights @ tuned / total)

    def difference(weights: Numbers) -> Numbers:
        before, after = both(weights)
        return after - before

    def ratio(weights: Numbers) -> Numbers:
        before, after = both(weights)
        return after / before

    every = np.ones((1, rows))
    seed = int(generator.integers(2**32))
    low, high = bootstrap(difference, rows, np.random.default_rng(seed))
    ratio_low, ratio_high = bootstrap(ratio, rows, np.random.default_rng(seed))
    change = (tuned - base) / tokens.sum()
    p = permutation(lambda flips: (1 - 2 * flips) @ change, rows, generator)
    return {
        **Difference(float(difference(every)[0]), low, high, p).as_dict(),
        "ratio": float(ratio(every)[0]),
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
    }


def _newcombe(both: float, won: float, lost: float, neither: float) -> tuple[float, float]:
    rows = both + won + lost + neither
    tuned, base = (both + won) / rows, (both + lost) / rows
    tuned_low, tuned_high = wilson(tuned, rows)
    base_low, base_high = wilson(base, rows)
    phi = _correlation(both, won, lost, neither)
    value = tuned - base
    below = _distance(tuned - tuned_low, base_high - base, phi)
    above = _distance(tuned_high - tuned, base - base_low, phi)
    return value - below, value + above


def _distance(first: float, second: float, phi: float) -> float:
    return math.sqrt(max(0.0, first**2 - 2 * phi * first * second + second**2))


def _correlation(both: float, won: float, lost: float, neither: float) -> float:
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    if margins == 0:
        return 0.0
    product = both * neither - won * lost
    if product > 0:  # Newcombe's continuity correction
        product = max(0.0, product - (both + won + lost + neither) / 2)
    return product / math.sqrt(margins)
