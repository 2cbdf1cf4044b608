from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import f1_score

from ftkit.evaluation.measuring.corpus import distinct, distinct_difference, f1_difference


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_f1_is_that_of_scikit_learn(average: str) -> None:
    draw = generator()
    wanted = draw.choice(["a", "b", "c"], 40)
    base = draw.choice(["a", "b", "c", "d", ""], 40)
    tuned = np.where(draw.random(40) < 0.8, wanted, "")
    found = f1_difference(wanted, base, tuned, generator(), average)
    scores = [
        f1_score(wanted, side, labels=["a", "b", "c"], average=average, zero_division=0)
        for side in (base, tuned)
    ]
    assert found.value == pytest.approx(scores[1] - scores[0])
    assert found.low < found.value < found.high
    assert found.p < 0.01


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_f1_of_equal_answers_differs_by_nothing(average: str) -> None:
    wanted, answers = np.array(["a", "b", "a"]), np.array(["a", "a", ""])
    assert f1_difference(wanted, answers, answers, generator(), average) == (0, 0, 0, 1)


def grams(*texts: str) -> list[Counter[str]]:
    return [Counter(text.split()) for text in texts]


def test_distinct_counts_different_words_over_all_words() -> None:
    assert distinct(grams("a b a", "b c")) == 3 / 5
    assert distinct(grams("", "")) == 0
    assert distinct([]) == 0


def test_the_difference_of_variety_has_an_interval_around_it() -> None:
    draw = generator()
    poor = grams(*(" ".join(draw.choice(list("abcde"), 8)) for _ in range(40)))
    rich = grams(*(" ".join(draw.choice([f"w{n}" for n in range(400)], 8)) for _ in range(40)))
    found = distinct_difference(poor, rich)
    assert found.value == pytest.approx(distinct(rich) - distinct(poor))
    assert 0 < found.low < found.value < found.high
    assert found.p < 0.001
    assert distinct_difference(poor, poor) == (0, 0, 0, 1)
    assert distinct_difference(poor[:1], rich[:1])[1:] == (None, None, None)


def test_leaving_out_a_row_is_counted_as_if_computed_anew() -> None:
    sides = [grams("a b", "b c d", "a", ""), grams("x", "x y", "z z z", "q")]
    rows = 4
    without = [
        distinct(sides[1][:n] + sides[1][n + 1 :]) - distinct(sides[0][:n] + sides[0][n + 1 :])
        for n in range(rows)
    ]
    spread = np.sqrt((rows - 1) / rows * np.sum((without - np.mean(without)) ** 2))
    found = distinct_difference(*sides)
    assert found.high - found.value == pytest.approx(
        3.182446 * spread, rel=1e-6
    )  # t with 3 degrees of freedom
