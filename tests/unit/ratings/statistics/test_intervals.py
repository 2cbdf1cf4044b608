"""Shares and means: analytic cases, statsmodels, and how often the intervals hold the truth."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from ftkit.ratings.statistics.intervals import mean_of, share_of
from ftkit.statistics import student, wilson


def names(count: int, each: int = 1) -> list[str]:
    return [f"item {number}" for number in range(count) for _ in range(each)]


def test_nothing_says_nothing() -> None:
    assert share_of([], []) is None
    assert mean_of([], []) is None


def test_one_prompt_has_no_interval() -> None:
    share = share_of([1, 1, 0], ["a"] * 3)
    assert share is not None
    assert share.estimate[:3] == (pytest.approx(2 / 3), None, None)
    assert share.more is None
    mean = mean_of([1, 2], ["a", "a"])
    assert mean is not None
    assert mean == (1.5, None, None, 2, 1)


def test_one_rating_an_item_is_nearly_wilson() -> None:
    for wins, rows in ((60, 100), (130, 200), (90, 300)):
        share = share_of([1.0] * wins + [0.0] * (rows - wins), names(rows))
        assert share is not None
        found = (share.estimate.low, share.estimate.high)
        assert found == pytest.approx(proportion_confint(wins, rows, method="wilson"), abs=0.004)


def test_copies_of_a_rating_do_not_make_it_surer() -> None:
    values = [1.0] * 30 + [0.0] * 20
    alone = share_of(values, names(50))
    copied = share_of(list(np.repeat(values, 4)), names(50, 4))
    assert alone is not None
    assert copied is not None
    assert copied.estimate.ratings == 200
    assert (copied.estimate.low, copied.estimate.high) == pytest.approx(
        (alone.estimate.low, alone.estimate.high), abs=0.003
    )


def test_prompts_that_all_agree_are_not_certain() -> None:
    for value in (0.0, 0.5, 1.0):
        share = share_of([value] * 30, names(10, 3))
        assert share is not None
        assert (share.estimate.low, share.estimate.high) == pytest.approx(wilson(value, 10, student(9)))
    assert share.more == 0


def test_a_mean_is_students() -> None:
    values = [3.0, 4.0, 5.0, 2.0, 4.0]
    found = mean_of(values, names(5))
    assert found is not None
    wanted = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(wanted)
    assert mean_of([3.0] * 6, names(3, 2)) == (3.0, None, None, 6, 3)


def test_each_prompt_weighs_the_same_in_a_mean() -> None:
    found = mean_of([1, 5, 5, 5], ["a", "b", "b", "b"])
    assert found is not None
    assert found.value == 3


def test_more_ratings() -> None:
    near = share_of([1.0, 0.0] * 50 + [1.0], names(101))
    assert near is not None
    assert near.more is None, "a share of nearly one half cannot be decided"
    some = share_of([1.0] * 57 + [0.0] * 43, names(100))
    assert some is not None
    # (1.98 / (0.07 / 0.05))² = 2 times the ratings there are.
    assert some.more == pytest.approx(102, abs=5)
    sure = share_of([1.0] * 70 + [0.0] * 30, names(100))
    assert sure is not None
    assert sure.more == 0


def ratings_of(draw: np.random.Generator, prompts: int, win: float, tie: float) -> tuple[np.ndarray, float]:
    """Three ratings a prompt; prompts differ in how good the answers are. With the true share."""
    effect = draw.normal(np.log(win / (1 - win)), 1.0, prompts)
    chance = 1 / (1 + np.exp(-effect))[:, None]
    values = (draw.random((prompts, 3)) < chance).astype(float)
    values[draw.random((prompts, 3)) < tie] = 0.5
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    mean = float((weights / weights.sum() / (1 + np.exp(-(np.log(win / (1 - win)) + nodes)))).sum())
    return values, (1 - tie) * mean + tie / 2


@pytest.mark.parametrize(
    ("prompts", "win", "tie"),
    [(8, 0.5, 0.2), (15, 0.7, 0.2), (40, 0.6, 0.0), (40, 0.7, 0.6), (100, 0.85, 0.1)],
)
def test_the_interval_of_a_share_holds_the_truth(prompts: int, win: float, tie: float) -> None:
    held = 0
    for number in range(500):
        values, truth = ratings_of(np.random.default_rng([prompts, number]), prompts, win, tie)
        share = share_of(list(values.ravel()), names(prompts, 3))
        assert share is not None
        assert share.estimate.low is not None
        assert share.estimate.high is not None
        held += share.estimate.low <= truth <= share.estimate.high
    assert held / 500 >= 0.93


def test_so_many_more_ratings_decide_about_every_second_study() -> None:
    """Of studies whose true difference is drawn at random, and which ask for more."""
    asked = decided = 0
    for number in range(1500):
        draw = np.random.default_rng([7, number])
        win = draw.uniform(0.3, 0.7)
        values, _ = ratings_of(draw, 2000, win, 0.2)
        first = share_of(list(values[:30].ravel()), names(30, 3))
        assert first is not None
        if not first.more:
            continue
        asked += 1
        prompts = 30 + round(first.more / 3)
        then = share_of(list(values[:prompts].ravel()), names(prompts, 3))
        assert then is not None
        decided += then.more == 0
    assert asked > 300
    assert 0.4 <= decided / asked <= 0.6
