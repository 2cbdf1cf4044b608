import pytest
from scipy.stats import binomtest

from ftkit.ratings.statistics.checks import MANY, check_raters, position_of
from tests.unit.ratings.rated import choice, rated


def check(ratings, words=None, protocol="pairs"):
    return check_raters(ratings, protocol, (), words or {})


def test_who_is_quicker_than_the_texts_can_be_skimmed() -> None:
    # 100 words are skimmed in 6 seconds; 5 words in one second at least.
    words = {"i0": 100, "i1": 100, "i2": 5, "i3": 5}
    seconds = [5.9, 6.1, 0.9, 1.1]
    found = check([choice(n, "a", 0, seconds=s) for n, s in enumerate(seconds)], words)["a"]
    assert found.fast == 0.5
    assert found.seconds == pytest.approx(3.5)
    assert check([choice(0, "a", 0)])["a"].fast is None


def test_who_always_clicks_the_same() -> None:
    left = [choice(n, "a", n % 2, order=(n % 2, 1 - n % 2)) for n in range(MANY)]
    assert check(left)["a"].alike
    assert not check(left[1:])["a"].alike, "too few to say so"
    side = [choice(n, "a", 0, order=(n % 2, 1 - n % 2)) for n in range(MANY)]
    assert not check(side)["a"].alike, "always the same model is an opinion"


def test_gold_items() -> None:
    gold = [choice(n, "a", said, gold=0, sides=("", "")) for n, said in enumerate([0, 1, "tie", 0])]
    found = check([*gold, choice(9, "a", 1)])["a"]
    assert (found.gold_right, found.gold_seen, found.ratings) == (2, 4, 5)
    marked = [rated(0, "a", {"ranks": [2, 1]}, gold=1), rated(1, "a", {"ranks": [1, 1]}, gold=1)]
    assert check(marked, protocol="ranking")["a"].gold_right == 1


def test_agreement_with_the_others() -> None:
    ratings = [choice(n, rater, n % 2) for n in range(10) for rater in "xy"]
    ratings += [choice(n, "odd", 1 - n % 2) for n in range(10)] + [choice(99, "x", 0)]
    found = check(ratings)
    assert (found["odd"].share, found["odd"].kappa, found["odd"].meaning) == (0, -1, "none")
    assert found["x"].share == 0.5
    assert found["x"].with_others == 10
    alone = check([choice(0, "a", 0)])["a"]
    assert (alone.with_others, alone.share, alone.meaning) == (0, None, "undefined")


def test_place_is_tested_exactly() -> None:
    order = [(0, 1)] * 15 + [(1, 0)] * 5
    found = position_of([choice(n, "a", 0, order=one) for n, one in enumerate(order)], "pairs", ())
    assert found is not None
    assert (found.ratings, found.first, found.expected) == (20, 15, 0.5)
    assert found.p == pytest.approx(binomtest(15, 20).pvalue)
    assert found.biased


def test_place_of_three_answers_and_of_none() -> None:
    sides, order = ("a", "b", "c"), (2, 0, 1)
    ratings = [rated(n, "r", {"ranks": [2, 3, 1]}, sides=sides, order=order) for n in range(6)]
    found = position_of(ratings, "ranking", ())
    assert found is not None
    assert (found.first, found.expected) == (6, pytest.approx(1 / 3))
    assert found.p == pytest.approx(binomtest(6, 6, 1 / 3).pvalue)
    assert position_of([choice(0, "a", "tie")], "pairs", ()) is None
    assert position_of([], "pairs", ()) is None
