"""Bradley-Terry against choix, a published table and analytic cases, and how often the intervals hold the truth."""

import math
import time

import choix
import numpy as np
import pytest

from ftkit.ratings.statistics.reading import Comparison
from ftkit.ratings.statistics.strengths import RESAMPLES, fit, rankings, resample

# Agresti, Categorical Data Analysis (2002), table 10.10: seven baseball teams of 1987, 13 games each two; row beats column.
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    dtype=float,
)


def said(*results: tuple[str, str, str], each: int = 1) -> list[Comparison]:
    """A comparison for each, ``each`` times, every one of another prompt."""
    return [
        Comparison(f"{number}.{copy}", "r", *result)
        for number, result in enumerate(results)
        for copy in range(each)
    ]


def with_one_tie_each(wins: np.ndarray) -> list[tuple[int, int]]:
    """Wins as choix takes them, each counted twice so that a tie is one each way; the last player is the average one."""
    sides = len(wins)
    pairs = [(i, j) for (i, j), count in np.ndenumerate(wins) for _ in range(round(2 * count))]
    return pairs + [pair for one in range(sides) for pair in ((one, sides), (sides, one))]


def random_wins(seed: int, sides: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    wins = draw.integers(0, 9, (sides, sides)) + draw.integers(0, 2, (sides, sides)) / 2
    np.fill_diagonal(wins, 0)
    return wins


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("method", [choix.ilsr_pairwise, choix.mm_pairwise])
def test_strengths_are_those_of_choix(seed: int, method) -> None:
    sides = 2 + seed % 3
    wins = random_wins(seed, sides)
    wanted = method(sides + 1, with_one_tie_each(wins), max_iter=10_000)[:sides]
    assert fit(wins[None])[0] == pytest.approx(wanted - wanted.mean(), abs=1e-5)


def test_strengths_are_those_of_the_published_table() -> None:
    # As fitted by BradleyTerry2 (Turner and Firth, Journal of Statistical Software 48, 2012), Baltimore being 0.
    wanted = [1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0]
    found = fit(1e7 * BASEBALL[None])[0]
    assert found - found[-1] == pytest.approx(wanted, abs=5e-5)


def test_two_sides_are_log_odds() -> None:
    found = fit(np.array([[[0, 30.0], [10, 0]]]) * 1e7)[0]
    assert found == pytest.approx([math.log(3) / 2, -math.log(3) / 2], abs=1e-6)


def test_a_side_that_never_lost_is_finite() -> None:
    [[best, worst]] = rankings(said(("a", "b", "first"), each=10), ["a", "b"])
    assert (best.side, best.rank, worst.rank) == ("a", 1, 2)
    assert 1 < best.strength < 5
    assert best.low is not None
    assert best.high is not None
    assert 0 < best.low < best.strength < best.high < 10, "that all agree makes nothing certain"
    assert best.chance == pytest.approx(1 / (1 + math.exp(-best.strength)))


def test_nothing_but_ties() -> None:
    [[one, other]] = rankings(said(("a", "b", "tie"), ("a", "b", "both_bad"), each=6), ["a", "b"])
    assert one.strength == pytest.approx(0, abs=1e-9)
    assert (one.rank, other.rank) == (1, 1)
    assert (one.rank_low, one.rank_high) == (1, 2)
    assert one.low is not None
    assert one.low < -0.3


def test_sides_that_nothing_connects_are_ranked_apart() -> None:
    found = said(("a", "b", "first"), ("c", "d", "second"), each=5)
    groups = rankings(found, ["a", "b", "c", "d", "e"])
    assert [[line.side for line in group] for group in groups] == [["a", "b"], ["d", "c"]]
    for group in groups:
        assert sum(line.strength for line in group) == pytest.approx(0)


def test_no_comparison_and_one() -> None:
    assert rankings([], ["a", "b"]) == []
    [[first, second]] = rankings(said(("a", "b", "second")), ["a", "b"])
    assert (first.side, first.low, first.high) == ("b", None, None)
    assert (second.rank_low, second.rank_high) == (1, 2)


def test_the_same_ratings_give_the_same_intervals() -> None:
    found = said(("a", "b", "first"), ("b", "c", "first"), ("a", "c", "tie"), ("c", "a", "first"), each=4)
    assert rankings(found, ["a", "b", "c"]) == rankings(found, ["a", "b", "c"])


def test_a_thousand_resamples_take_well_under_a_second() -> None:
    wins = simulated(np.random.default_rng(1), (1, 0.3, -0.3, -1), 200, 0.2, 1.0)
    seen = fit(wins.sum(0)[None])[0]
    began = time.process_time()
    assert resample(wins, seen, RESAMPLES, 1).shape == (RESAMPLES, 4)
    assert time.process_time() - began < 0.5


def simulated(
    draw: np.random.Generator, truth: tuple[float, ...], prompts: int, tie: float, effect: float
) -> np.ndarray:
    """Prompts with one pair each, three ratings of it; how much better an answer is differs by prompt. (prompts x sides x sides)"""
    sides = len(truth)
    pairs = np.array([(i, j) for i in range(sides) for j in range(i + 1, sides)])
    first, second = pairs[np.arange(prompts) % len(pairs)].T
    strength = np.array(truth)
    odds = strength[first] - strength[second] + draw.normal(0, effect, prompts)
    worth = (draw.random((prompts, 3)) < 1 / (1 + np.exp(-odds))[:, None]).astype(float)
    worth[draw.random((prompts, 3)) < tie] = 0.5
    wins = np.zeros((prompts, sides, sides))
    wins[np.arange(prompts), first, second] = worth.sum(1)
    wins[np.arange(prompts), second, first] = 3 - worth.sum(1)
    return wins


def expected(truth: tuple[float, ...], tie: float, effect: float) -> np.ndarray:
    """The strengths that endlessly many such prompts would show: ties and differing prompts draw them together."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    strength = np.array(truth)
    gaps = strength[:, None] - strength[None, :]
    chance = (weights / weights.sum() / (1 + np.exp(-(gaps[:, :, None] + effect * nodes)))).sum(2)
    shares = (1 - tie) * chance + tie / 2
    np.fill_diagonal(shares, 0)
    return fit(1e9 * shares[None])[0]


def coverage(truth: tuple[float, ...], prompts: int, tie: float, effect: float, resamples: int) -> float:
    """Share of all strengths in 500 studies that lie in their intervals."""
    wanted, held = expected(truth, tie, effect), []
    for number in range(500):
        wins = simulated(np.random.default_rng([prompts, number]), truth, prompts, tie, effect)
        low, high = interval_of(wins, resamples)
        held.append((low <= wanted) & (wanted <= high))
    return float(np.mean(held))


def interval_of(wins: np.ndarray, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Through the public way, from one comparison for each rating."""
    found = []
    for (prompt, first, second), worth in np.ndenumerate(wins):
        if first < second and worth + wins[prompt, second, first] > 0:
            halves = round(2 * worth)
            for turn in range(3):
                mine = min(2, max(0, halves - 2 * turn))
                word = ("second", "tie", "first")[mine]
                found.append(Comparison(str(prompt), str(turn), f"{first}", f"{second}", word))
    [lines] = rankings(found, [str(side) for side in range(wins.shape[1])], resamples)
    by_side = sorted(lines, key=lambda line: line.side)
    return np.array([line.low for line in by_side]), np.array([line.high for line in by_side])


def test_the_intervals_of_a_ranking_hold_the_truth() -> None:
    assert coverage((0.6, 0, -0.6), 45, 0.2, 1.0, 200) >= 0.93


@pytest.mark.faults
@pytest.mark.parametrize(
    ("truth", "prompts", "tie", "effect"),
    [
        ((0.5, -0.5), 10, 0.2, 1.0),
        ((0.5, -0.5), 20, 0.9, 0.0),
        ((1.2, -1.2), 20, 0.0, 0.5),
        ((0, 0), 60, 0.3, 1.0),
        ((0.6, 0, -0.6), 24, 0.2, 1.0),
        ((1, 0.3, -0.3, -1), 60, 0.2, 1.0),
        ((0.2, 0.2, -0.2, -0.2), 30, 0.0, 1.5),
        ((1, 0.3, -0.3, -1), 120, 0.0, 0.0),
    ],
)
def test_the_intervals_of_every_ranking_hold_the_truth(
    truth: tuple[float, ...], prompts: int, tie: float, effect: float
) -> None:
    assert coverage(truth, prompts, tie, effect, RESAMPLES) >= 0.93
