"""How sure a difference between base and tuned is: interval and p value of paired measurements.

Takes arrays with one entry per row, base and tuned from the same rows; gives a ``Difference`` (tuned minus base). It
draws from a generator that is passed in, so the same seed gives the same interval. It judges nothing: what counts as
significant is the reader's matter.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

Numbers = NDArray[np.float64]
Labels = NDArray[np.str_]
# Weights (draws x rows) in, one statistic per draw out.
Statistic = Callable[[Numbers], Numbers]

LEVEL = 0.95
RESAMPLES = 2000
PERMUTATIONS = 9999
_CELLS_AT_ONCE = 4_000_000  # draws x rows held in memory
_Z = float(norm.ppf((1 + LEVEL) / 2))


class Difference(NamedTuple):
    """Tuned minus base. ``low`` and ``high`` bound the 95 % interval; None where one row alone says nothing."""

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
    bootstrap it keeps its width where all rows agree. p: McNemar's exact test.
    """
    both = float(np.sum((base == 1) & (tuned == 1)))
    won = float(np.sum((base == 0) & (tuned == 1)))
    lost = float(np.sum((base == 1) & (tuned == 0)))
    neither = len(base) - both - won - lost
    low, high = _newcombe(both, won, lost, neither)
    changed = int(won + lost)
    p = float(binomtest(int(won), changed).pvalue) if changed else 1.0
    return Difference((won - lost) / len(base), low, high, p)


def mean_difference(base: Numbers, tuned: Numbers, generator: np.random.Generator) -> Difference:
    """Difference of two paired means.

    Interval: percentile bootstrap over rows. p: sign-flip permutation test, two-sided.
    """
    change = tuned - base
    low, high = _bootstrap(lambda weights: weights @ change / len(change), len(change), generator)
    p = _permutation(lambda flips: (1 - 2 * flips) @ change / len(change), len(change), generator)
    return Difference(float(change.mean()), low, high, p)


def perplexity(nll: Numbers, tokens: Numbers) -> float:
    """exp(total negative log-likelihood / total scored tokens), natural logarithms."""
    return float(np.exp(nll.sum() / tokens.sum()))


def perplexity_difference(
    base: Numbers, tuned: Numbers, tokens: Numbers, generator: np.random.Generator
) -> dict[str, Any]:
    """Difference of two perplexities over the same tokens, and their ratio (tuned over base).

    Interval: percentile bootstrap over rows, for the difference and for the ratio. p: rows swap their base and tuned
    log-likelihoods at random.

    Args:
        base: negative log-likelihood of each row under the base model, summed over its scored tokens.
        tuned: the same under the tuned model.
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
    low, high = _bootstrap(difference, rows, np.random.default_rng(seed))
    ratio_low, ratio_high = _bootstrap(ratio, rows, np.random.default_rng(seed))
    change = (tuned - base) / tokens.sum()
    p = _permutation(lambda flips: (1 - 2 * flips) @ change, rows, generator)
    return {
        **Difference(float(difference(every)[0]), low, high, p).as_dict(),
        "ratio": float(ratio(every)[0]),
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
    }


def macro_f1_difference(
    reference: Labels, base: Labels, tuned: Labels, generator: np.random.Generator
) -> Difference:
    """Difference of two macro-averaged F1 over the labels that the references have.

    Interval: percentile bootstrap over rows; a label absent from a resample does not count in it. p: rows swap their
    base and tuned answers at random.
    """
    classes = np.unique(reference)
    wanted = _indicator(reference, classes)
    given = {"base": _indicator(base, classes), "tuned": _indicator(tuned, classes)}

    def resampled(weights: Numbers) -> Numbers:
        after = _macro_f1(weights @ (wanted * given["tuned"]), weights @ (wanted + given["tuned"]))
        return after - _macro_f1(weights @ (wanted * given["base"]), weights @ (wanted + given["base"]))

    def swapped(flips: Numbers) -> Numbers:
        stays = 1 - flips
        total = wanted.sum(axis=0)
        tuned_hits = stays @ (wanted * given["tuned"]) + flips @ (wanted * given["base"])
        base_hits = stays @ (wanted * given["base"]) + flips @ (wanted * given["tuned"])
        tuned_total = total + stays @ given["tuned"] + flips @ given["base"]
        base_total = total + stays @ given["base"] + flips @ given["tuned"]
        return _macro_f1(tuned_hits, tuned_total) - _macro_f1(base_hits, base_total)

    rows = len(reference)
    low, high = _bootstrap(resampled, rows, generator)
    p = _permutation(swapped, rows, generator)
    return Difference(float(resampled(np.ones((1, rows)))[0]), low, high, p)


def _macro_f1(hits: Numbers, total: Numbers) -> Numbers:
    """Mean over labels of 2·hits / (answered + wanted); ``total`` is that sum (draws x labels)."""
    present = total > 0
    f1 = np.divide(2 * hits, total, out=np.zeros_like(total), where=present)
    mean: Numbers = f1.sum(axis=1) / present.sum(axis=1)
    return mean


def _indicator(values: Labels, classes: Labels) -> Numbers:
    return np.equal(values[:, None], classes[None, :]).astype(np.float64)


def _bootstrap(
    statistic: Statistic, rows: int, generator: np.random.Generator
) -> tuple[float | None, float | None]:
    """Percentile interval; rows are drawn with replacement as multinomial weights."""
    if rows < 2:  # noqa: PLR2004 - one row has no spread
        return None, None
    share = np.full(rows, 1 / rows)
    drawn = [
        statistic(generator.multinomial(rows, share, size=draws).astype(np.float64))
        for draws in _chunks(RESAMPLES, rows)
    ]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.concatenate(drawn), [tail, 1 - tail])
    return float(low), float(high)


def _permutation(statistic: Statistic, rows: int, generator: np.random.Generator) -> float | None:
    """Share of random swaps at least as far from zero as what was seen, the seen one counted among them."""
    if rows < 2:  # noqa: PLR2004 - one row can only be swapped or not
        return None
    seen = abs(float(statistic(np.zeros((1, rows)))[0]))
    extreme = 0
    for draws in _chunks(PERMUTATIONS, rows):
        flips = generator.integers(0, 2, size=(draws, rows)).astype(np.float64)
        # Equal sums may differ in their last bits.
        extreme += int(np.sum(np.abs(statistic(flips)) >= seen - 1e-12))
    return (extreme + 1) / (PERMUTATIONS + 1)


def _chunks(draws: int, rows: int) -> Iterator[int]:
    size = max(1, _CELLS_AT_ONCE // rows)
    for start in range(0, draws, size):
        yield min(size, draws - start)


def _newcombe(both: float, won: float, lost: float, neither: float) -> tuple[float, float]:
    rows = both + won + lost + neither
    tuned, base = (both + won) / rows, (both + lost) / rows
    tuned_low, tuned_high = _wilson(tuned, rows)
    base_low, base_high = _wilson(base, rows)
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


def _wilson(share: float, rows: float) -> tuple[float, float]:
    square = _Z**2
    centre = share + square / (2 * rows)
    spread = _Z * math.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return (centre - spread) / (1 + square / rows), (centre + spread) / (1 + square / rows)
