"""How sure a difference is where rows only make sense together: BLEU, chrF, F1 over labels, variety of words.

Takes what each row adds, both models on the same rows; gives a ``Difference`` (second minus first). The scores themselves
come from the libraries; the formulas here are theirs for thousands of resamples at once, and tests hold them equal.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from ftkit.evaluation.measuring.certainty import Difference
from ftkit.evaluation.measuring.resampling import Numbers, bootstrap, permutation
from ftkit.statistics import LEVEL

Labels = NDArray[np.str_]
# Sums over rows (draws x statistics) in, one score per draw out.
FromSums = Callable[[Numbers], Numbers]
Average = Literal["macro", "micro"]

_ORDERS = 4  # of BLEU's n-grams
_BETA_SQUARED = 4  # of chrF2


def sums_difference(
    score: FromSums, base: Numbers, tuned: Numbers, generator: np.random.Generator
) -> Difference:
    """Difference of two scores that are made from sums over rows.

    Interval: bootstrap over rows. p: rows swap their answers at random.

    Args:
        score: ``bleu`` or ``chrf``.
        base: what each row adds under the first model (rows x statistics).
        tuned: the same under the second model.
        generator: source of the random draws.
    """
    rows, total, gap = len(base), tuned.sum(axis=0), base - tuned

    def swapped(flips: Numbers) -> Numbers:
        moved = flips @ gap
        return score(total + moved) - score(base.sum(axis=0) - moved)

    low, high = bootstrap(lambda w: score(w @ tuned) - score(w @ base), rows, generator)
    p = permutation(swapped, rows, generator)
    return Difference(float(swapped(np.zeros((1, rows)))[0]), low, high, p)


def bleu(sums: Numbers) -> Numbers:
    """BLEU with exponential smoothing as sacrebleu computes it, 0 to 100.

    ``sums`` holds per draw: answer length, reference length, matched and all n-grams of order 1 to 4.
    """
    length, wanted = sums[:, 0], sums[:, 1]
    hits, total = sums[:, 2 : 2 + _ORDERS], sums[:, 2 + _ORDERS :]
    ratio = np.divide(wanted, length, out=np.ones_like(wanted), where=length > 0)
    brevity = np.where(length < wanted, np.where(length > 0, np.exp(1 - ratio), 0.0), 1.0)
    missed = (hits == 0) & (total > 0)
    smoothed = 1 / np.exp2(np.cumsum(missed, axis=1))
    counted = np.where(missed, smoothed, hits)
    precision = np.divide(counted, total, out=np.zeros_like(total), where=total > 0)
    scored = (precision > 0).all(axis=1) & (hits > 0).any(axis=1)
    logs = np.log(precision, out=np.zeros_like(precision), where=precision > 0)
    found: Numbers = np.where(scored, 100 * brevity * np.exp(logs.mean(axis=1)), 0.0)
    return found


def chrf(sums: Numbers) -> Numbers:
    """chrF2 as sacrebleu computes it, 0 to 100; ``sums`` holds per order of characters: answer, reference, matched."""
    given, wanted, hits = sums[:, 0::3], sums[:, 1::3], sums[:, 2::3]
    counts = (given > 0) & (wanted > 0)
    orders = counts.sum(axis=1)
    precision, recall = (
        np.divide(
            np.divide(hits, whole, out=np.zeros_like(hits), where=counts).sum(axis=1),
            orders,
            out=np.zeros(len(sums)),
            where=orders > 0,
        )
        for whole in (given, wanted)
    )
    below = _BETA_SQUARED * precision + recall
    found: Numbers = np.divide(
        100 * (1 + _BETA_SQUARED) * precision * recall, below, out=np.zeros(len(sums)), where=below > 0
    )
    return found


def f1_difference(
    reference: Labels, base: Labels, tuned: Labels, generator: np.random.Generator, average: Average = "macro"
) -> Difference:
    """Difference of two F1 over the labels that the references have, averaged over labels or over rows.

    Interval: bootstrap over rows; a label absent from a resample does not count in it. p: rows swap their answers at
    random.
    """
    classes = np.unique(reference)
    wanted = _indicator(reference, classes)
    first, second = _indicator(base, classes), _indicator(tuned, classes)
    score = partial(_f1, average=average)

    def resampled(weights: Numbers) -> Numbers:
        after = score(weights @ (wanted * second), weights @ (wanted + second))
        return after - score(weights @ (wanted * first), weights @ (wanted + first))

    def swapped(flips: Numbers) -> Numbers:
        stays = 1 - flips
        total = wanted.sum(axis=0)
        after = score(
            stays @ (wanted * second) + flips @ (wanted * first), total + stays @ second + flips @ first
        )
        return after - score(
            stays @ (wanted * first) + flips @ (wanted * second), total + stays @ first + flips @ second
        )

    rows = len(reference)
    low, high = bootstrap(resampled, rows, generator)
    p = permutation(swapped, rows, generator)
    return Difference(float(resampled(np.ones((1, rows)))[0]), low, high, p)


def distinct(grams: Sequence[Counter[Any]]) -> float:
    """Different n-grams over all n-grams (Li et al., NAACL 2016); 0 where there are none."""
    total = sum(one.total() for one in grams)
    return len(set().union(*grams)) / total if total else 0.0


def distinct_difference(base: Sequence[Counter[Any]], tuned: Sequence[Counter[Any]]) -> Difference:
    """Difference of the variety of two models' words.

    Interval and p: jackknife over rows with Student's t. Not a bootstrap: a row drawn twice repeats all its words, so that
    every resample looks less varied than what was seen.
    """
    value = distinct(tuned) - distinct(base)
    rows = len(base)
    if rows < 2:  # noqa: PLR2004 - one row has no spread
        return Difference(value, None, None, None)
    without = _without_each(tuned) - _without_each(base)
    spread = float(np.sqrt((rows - 1) / rows * np.sum((without - without.mean()) ** 2)))
    reach = float(t.isf((1 - LEVEL) / 2, rows - 1)) * spread
    if spread == 0:
        return Difference(value, value, value, float(value == 0))
    return Difference(value, value - reach, value + reach, float(2 * t.sf(abs(value) / spread, rows - 1)))


def _without_each(grams: Sequence[Counter[Any]]) -> Numbers:
    """``distinct`` with each row left out in turn."""
    holders = Counter(gram for one in grams for gram in one)
    total = sum(one.total() for one in grams)
    left = []
    for one in grams:
        only_here = sum(holders[gram] == 1 for gram in one)
        rest = total - one.total()
        left.append((len(holders) - only_here) / rest if rest else 0.0)
    return np.array(left)


def _f1(hits: Numbers, total: Numbers, average: Average) -> Numbers:
    """Of 2·hits / (answered + wanted) by label; ``total`` is that sum (draws x labels)."""
    if average == "micro":
        everything = total.sum(axis=1)
        micro: Numbers = np.divide(
            2 * hits.sum(axis=1), everything, out=np.zeros(len(total)), where=everything > 0
        )
        return micro
    present = total > 0
    f1 = np.divide(2 * hits, total, out=np.zeros_like(total), where=present)
    mean: Numbers = f1.sum(axis=1) / present.sum(axis=1)
    return mean


def _indicator(values: Labels, classes: Labels) -> Numbers:
    return np.equal(values[:, None], classes[None, :]).astype(np.float64)
