import random

import pytest
from scipy.stats import binomtest, t
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from ftkit.statistics import agreement, agreement_by_row, binomial_test, meaning_of, student, wilson


def test_wilson_is_that_of_scipy_and_of_the_literature() -> None:
    # Newcombe, Statistics in Medicine 17, 1998, 857-872, table I, method 3.
    for hits, rows, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        assert wilson(hits / rows, rows) == pytest.approx((low, high), abs=5e-5)
    for rows in (1, 2, 7, 30):
        for hits in range(rows + 1):
            found = binomtest(hits, rows).proportion_ci(method="wilson")
            assert wilson(hits / rows, rows) == pytest.approx((found.low, found.high), abs=1e-12)


def test_wilson_is_that_of_statsmodels() -> None:
    for hits, rows in ((0, 1), (3, 10), (50, 100), (999, 1000)):
        assert wilson(hits / rows, rows) == pytest.approx(proportion_confint(hits, rows, method="wilson"))


def test_student_is_that_of_scipy() -> None:
    for freedom in (1, 2, 3, 7, 19, 100, 5000):
        for level in (0.5, 0.9, 0.95, 0.999):
            assert student(freedom, level) == pytest.approx(t.isf((1 - level) / 2, freedom), rel=1e-9)


def test_the_exact_test_is_that_of_scipy() -> None:
    for rows, chance in ((1, 0.5), (7, 0.5), (20, 0.5), (20, 1 / 3), (101, 0.25), (400, 0.5)):
        for hits in range(0, rows + 1, max(1, rows // 20)):
            assert binomial_test(hits, rows, chance) == pytest.approx(binomtest(hits, rows, chance).pvalue)
    assert binomial_test(0, 0) == 1
    assert binomial_test(16_400, 32_000) == pytest.approx(binomtest(16_400, 32_000).pvalue)


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    draw = random.Random(seed)
    labels = ["base", "tuned", "tie"][: 2 + seed % 2]
    first = draw.choices(labels, k=5 + 5 * seed)
    second = [one if draw.random() < 0.6 else draw.choice(labels) for one in first]
    first[0], second[0] = "base", "tuned"
    found = agreement(zip(first, second, strict=True))
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert found.share == sum(a == b for a, b in zip(first, second, strict=True)) / len(first)


def test_edges() -> None:
    assert agreement([]) == (0, None, None, "undefined")
    assert agreement([("base", "base")] * 3) == (3, 1.0, None, "undefined")
    assert agreement([("base", "tuned"), ("tuned", "base")]) == (2, 0.0, -1.0, "none")
    assert agreement([("base", "base"), ("tuned", "tuned")]) == (2, 1.0, 1.0, "almost_perfect")


@pytest.mark.parametrize(
    ("equal", "meaning"),
    [(5, "none"), (6, "slight"), (7, "fair"), (8, "moderate"), (9, "substantial"), (10, "almost_perfect")],
)
def test_a_word_for_kappa(equal: int, meaning: str) -> None:
    pairs = [("base", "base"), ("tuned", "tuned")] * equal + [("base", "tuned"), ("tuned", "base")] * (
        10 - equal
    )
    assert agreement(pairs).meaning == meaning


def test_only_rows_of_both_raters_count() -> None:
    assert agreement_by_row({1: "base", 2: "tuned", 3: "tie"}, {2: "tuned", 3: "base", 4: "base"}).rows == 2


def test_no_kappa_has_no_word() -> None:
    assert meaning_of(None) == "undefined"
