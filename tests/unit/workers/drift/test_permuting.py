"""Tests by permutation against the formulas that they stand for."""

import numpy as np
import pytest
from scipy import stats

from ftkit.workers.drift.permuting import Windows, furthest_apart, largest_rise, unlike


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def real(size: int, rows: int):
    window = np.zeros((1, rows))
    window[0, :size] = 1
    return window


def test_distance_of_distributions_is_that_of_scipy(rng):
    values = rng.integers(0, 20, 150).astype(float)  # with ties
    distance = furthest_apart(real(40, 150), values)[0]
    assert distance == pytest.approx(stats.ks_2samp(values[:40], values[40:]).statistic)


def test_categories_are_compared_as_by_chi_square(rng):
    labels = rng.integers(0, 4, 200)
    table = np.eye(4)[labels]
    counts = np.array([table[:50].sum(axis=0), table[50:].sum(axis=0)])
    assert unlike(real(50, 200), table)[0] == pytest.approx(stats.chi2_contingency(counts).statistic)


def test_rows_without_a_category_do_not_count():
    table = np.zeros((10, 2))
    table[[0, 5], 0] = 1
    assert unlike(real(5, 10), table)[0] == pytest.approx(0)
    assert unlike(real(5, 10), np.zeros((10, 2)))[0] == 0


def test_only_a_rise_counts():
    table = np.array([[1.0]] * 5 + [[0.0]] * 5)
    assert largest_rise(real(5, 10), table)[0] > 0
    assert largest_rise(real(5, 10), 1 - table)[0] < 0
    assert largest_rise(real(5, 10), np.zeros((10, 1)))[0] == 0


def test_p_is_that_of_the_exact_test(rng):
    values = rng.normal(size=60)
    values[:20] += 0.6
    windows = Windows(20, 60, 9999, seed=3)
    _, mean, p = windows.test(lambda some: largest_rise(some, values[:, np.newaxis]))
    exact = stats.ttest_ind(values[:20], values[20:], alternative="greater").pvalue
    assert p == pytest.approx(exact, abs=0.01)
    assert mean == pytest.approx(0, abs=0.05)


def test_p_is_even_where_nothing_differs(rng):
    samples = rng.normal(size=(200, 60))
    found = [
        Windows(20, 60, 199, seed).test(lambda some, values=values: furthest_apart(some, values))[2]
        for seed, values in enumerate(samples)
    ]
    assert np.mean(np.array(found) <= 0.1) <= 0.16


def test_equal_rows_never_differ():
    _, _, p = Windows(20, 60, 99, 1).test(lambda some: furthest_apart(some, np.ones(60)))
    assert p == 1


def test_every_random_window_has_the_size_of_the_real_one():
    sizes = []

    def note(some):
        sizes.extend(some.sum(axis=1).tolist())
        return some.sum(axis=1)

    Windows(7, 30, 300, 1).test(note)
    assert set(sizes) == {7.0}
    assert len(sizes) == 301
