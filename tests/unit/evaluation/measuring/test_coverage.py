"""How often an interval excludes zero where the truth is zero: 5 of 100 is what a 95 % interval promises.

1,000 experiments each: with a true rate of 5 % the share seen is between 3.6 % and 6.4 % in 95 of 100 such tests. The sizes
are those from which it holds. Fewer rows in which two models differ make McNemar's test and Newcombe's interval more careful
than they promise (with 30 rows of which 9 differ 2 to 3 %), never less.
"""

from collections.abc import Callable

import numpy as np
import pytest

from ftkit.evaluation.measuring import resampling
from ftkit.evaluation.measuring.certainty import accuracy_difference
from ftkit.evaluation.measuring.corpus import bleu, f1_difference, sums_difference
from ftkit.evaluation.measuring.resampling import Numbers, bootstrap, permutation

EXPERIMENTS = 1000
Draw = Callable[[np.random.Generator, int], Numbers]


def normal(draw: np.random.Generator, rows: int) -> Numbers:
    return draw.normal(0.5, 0.2, rows)


def overlap(draw: np.random.Generator, rows: int) -> Numbers:
    """As word overlap is: a third zeros, a tenth ones, the rest between."""
    scores, kind = draw.beta(1.2, 2, rows), draw.random(rows)
    return np.where(kind < 0.3, 0.0, np.where(kind > 0.9, 1.0, scores))


def skewed(draw: np.random.Generator, rows: int) -> Numbers:
    return draw.exponential(1.0, rows)


def excluded(low: float | None, high: float | None) -> bool:
    assert low is not None
    assert high is not None
    return low > 0 or high < 0


def mean_rate(scores: Draw, rows: int) -> float:
    found = 0
    for number in range(EXPERIMENTS):
        draw = np.random.default_rng([rows, number])
        change = scores(draw, rows) - scores(draw, rows)
        found += excluded(*bootstrap(lambda w, c=change: w @ c / len(c), rows, draw))
    return found / EXPERIMENTS


def accuracy_rates(rows: int, right: float, alike: float) -> tuple[float, float]:
    """Of the interval, and of p below 0.05."""
    intervals, tests = 0, 0
    for number in range(EXPERIMENTS):
        draw = np.random.default_rng([rows, number])
        base, other = ((draw.random(rows) < right).astype(float) for _ in range(2))
        tuned = np.where(draw.random(rows) < alike, base, other)
        found = accuracy_difference(base, tuned)
        intervals += excluded(found.low, found.high)
        tests += found.p < 0.05
    return intervals / EXPERIMENTS, tests / EXPERIMENTS


def test_the_bootstrap_of_a_mean_keeps_its_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "RESAMPLES", 500)  # the whole number is in the test below
    assert 0.03 <= mean_rate(overlap, 24) <= 0.07


@pytest.mark.parametrize(("rows", "right", "alike"), [(60, 0.5, 0.4), (120, 0.8, 0.4), (120, 0.5, 0.7)])
def test_newcombe_and_mcnemar_keep_their_promise(rows: int, right: float, alike: float) -> None:
    interval, test = accuracy_rates(rows, right, alike)
    assert 0.03 <= interval <= 0.07
    assert 0.03 <= test <= 0.07


@pytest.mark.parametrize("rows", [10, 30])
def test_with_few_rows_accuracy_is_careful(rows: int) -> None:
    interval, test = accuracy_rates(rows, 0.8, 0.7)
    assert interval <= 0.05
    assert test <= 0.05


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scores", [normal, overlap, skewed])
@pytest.mark.parametrize("rows", [20, 40, 80])
def test_the_bootstrap_of_a_mean_keeps_its_promise_at_every_size(scores: Draw, rows: int) -> None:
    assert 0.03 <= mean_rate(scores, rows) <= 0.07


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_the_permutation_test_keeps_its_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "PERMUTATIONS", 999)
    found = 0
    for number in range(EXPERIMENTS):
        draw = np.random.default_rng(number)
        change = overlap(draw, 30) - overlap(draw, 30)
        p = permutation(lambda flips, c=change: (1 - 2 * flips) @ c, 30, draw)
        found += p < 0.05
    assert 0.03 <= found / EXPERIMENTS <= 0.07


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_corpus_scores_keep_their_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "RESAMPLES", 500)
    monkeypatch.setattr(resampling, "PERMUTATIONS", 99)
    of_bleu = of_f1 = 0
    for number in range(EXPERIMENTS):
        draw = np.random.default_rng(number)
        found = sums_difference(bleu, bleu_rows(draw, 60), bleu_rows(draw, 60), draw)
        of_bleu += excluded(found.low, found.high)
        wanted = draw.choice(["a", "b", "c"], 80)
        sides = (np.where(draw.random(80) < 0.6, wanted, draw.choice(["a", "b", "c"], 80)) for _ in range(2))
        found = f1_difference(wanted, *sides, draw)
        of_f1 += excluded(found.low, found.high)
    assert 0.03 <= of_bleu / EXPERIMENTS <= 0.07
    assert 0.03 <= of_f1 / EXPERIMENTS <= 0.07


def bleu_rows(draw: np.random.Generator, rows: int) -> Numbers:
    """Rows of 8 to 20 words, of which each sequence is matched less often the longer it is."""
    length = draw.integers(8, 21, rows)
    quality = draw.beta(4, 3, rows)
    columns = [length, draw.integers(8, 21, rows)]
    columns += [draw.binomial(length - n, quality ** (n + 1)) for n in range(4)]
    columns += [length - n for n in range(4)]
    return np.stack(columns, axis=1).astype(float)
