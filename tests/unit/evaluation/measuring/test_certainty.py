import numpy as np
import pytest
from scipy.stats import binom, binomtest

from ftkit.evaluation.measuring.certainty import (
    accuracy_difference,
    mcnemar,
    mean_difference,
    perplexity,
    perplexity_difference,
)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def table(both: int, won: int, lost: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    base = np.repeat([1.0, 0.0, 1.0, 0.0], [both, won, lost, neither])
    tuned = np.repeat([1.0, 1.0, 0.0, 0.0], [both, won, lost, neither])
    return base, tuned


def test_accuracy_interval_is_newcombes() -> None:
    # Newcombe 1998, table II, method 10: 36, 12, 2, 0 gives 0.0569 to 0.3404; 20, 12, 2, 16 gives 0.0562 to 0.3292.
    for counts, low, high in (((36, 12, 2, 0), 0.0569, 0.3404), ((20, 12, 2, 16), 0.0562, 0.3292)):
        found = accuracy_difference(*table(*counts))
        assert found.value == pytest.approx(0.2)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_p_is_mcnemars_mid_p() -> None:
    # Fagerland et al. 2013, table 2: of 8 children who changed 7 changed one way. The exact test says 0.0703.
    assert mcnemar(7, 1) == pytest.approx(0.0391, abs=5e-5)
    assert accuracy_difference(*table(10, 0, 0, 15)).p == 1
    for won, lost in ((9, 1), (1, 9), (5, 5), (30, 12), (0, 6), (40, 41)):
        exact = binomtest(won, won + lost).pvalue
        half = binom.pmf(won, won + lost, 0.5)
        assert mcnemar(won, lost) == pytest.approx(exact - half * (0.5 if won == lost else 1))


def test_rows_that_all_agree_are_not_certain() -> None:
    found = accuracy_difference(np.zeros(5), np.ones(5))
    assert found.value == 1
    assert found.low is not None
    assert 0 < found.low < 0.6
    assert found.high == pytest.approx(1)
    assert found.p == pytest.approx(1 / 2**5)


def test_mean_difference_without_an_effect_has_a_large_p() -> None:
    draw = generator(3)
    base = draw.random(80)
    swapped = base.copy()
    swapped[::2], swapped[1::2] = base[1::2], base[::2]
    assert mean_difference(base, swapped, generator()).p > 0.5
    assert mean_difference(base, base, generator()) == (0, 0, 0, 1)
    assert mean_difference(base, base + 0.1, generator()).p < 0.001


def test_the_same_seed_gives_the_same_interval() -> None:
    base, tuned = generator(1).random(30), generator(2).random(30)
    assert mean_difference(base, tuned, generator(5)) == mean_difference(base, tuned, generator(5))
    assert mean_difference(base, tuned, generator(5)) != mean_difference(base, tuned, generator(6))


def test_one_row_says_nothing_about_chance() -> None:
    found = mean_difference(np.array([0.2]), np.array([0.7]), generator())
    assert (found.value, found.low, found.high, found.p) == (pytest.approx(0.5), None, None, None)


def test_perplexity_weighs_tokens_not_rows() -> None:
    assert perplexity(np.array([1.0, 30.0]), np.array([1.0, 10.0])) == pytest.approx(np.exp(31 / 11))


def test_perplexity_difference_and_ratio() -> None:
    draw = generator()
    tokens = draw.integers(5, 40, 50).astype(float)
    base = tokens * draw.normal(2.0, 0.1, 50)
    tuned = tokens * draw.normal(1.0, 0.1, 50)
    found = perplexity_difference(base, tuned, tokens, generator())
    before, after = perplexity(base, tokens), perplexity(tuned, tokens)
    assert found["value"] == pytest.approx(after - before)
    assert found["ratio"] == pytest.approx(after / before)
    assert found["low"] < found["value"] < found["high"] < 0
    assert found["ratio_low"] < found["ratio"] < found["ratio_high"] < 1
    assert found["p"] < 0.001


def test_many_rows_are_resampled_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    base, tuned = generator(1).random(50), generator(2).random(50)
    whole = mean_difference(base, tuned, generator())
    monkeypatch.setattr("ftkit.evaluation.measuring.resampling._CELLS_AT_ONCE", 50 * 7)
    assert mean_difference(base, tuned, generator()) == pytest.approx(whole)
