import json

import pytest

from ftkit.ratings.results.selecting import Asked, ResultOptions
from ftkit.ratings.results.summary import SLICE_VALUES, majority, summarise, turned
from tests.unit.ratings.rated import BASE, TUNED, choice, drawn, rated

PAIRS = Asked("pairs", (BASE, TUNED), overlap=3)


def test_a_study_of_pairs() -> None:
    found = summarise(drawn(40), PAIRS, words={"i1": 50})
    json.dumps(found, allow_nan=False)
    assert (found["ratings"], found["items"], found["prompts"], found["raters"]) == (120, 40, 40, 3)
    assert found["open_items"] == 0
    [pair] = found["pairs"]
    total = pair["first_wins"] + pair["second_wins"] + pair["ties"] + pair["both_bad"]
    assert total == pair["ratings"] == 120
    assert pair["value"] == pytest.approx((pair["first_wins"] + pair["ties"] / 2) / 120)
    headline = found["headline"]
    assert (headline["kind"], headline["first"], headline["verdict"], headline["more"]) == (
        "pair",
        TUNED,
        "first",
        0,
    )
    assert headline["low"] > 0.5
    [[best, worst]] = found["rankings"]
    assert (best["side"], worst["side"], best["rank_high"]) == (TUNED, BASE, 1)
    assert [one["question"] for one in found["agreement"]] == ["preferred"]
    assert found["position"]["p"] > 0.01
    assert set(found["slices"]["mood"]) == {"angry", "calm"}
    assert sum(one["ratings"] for one in found["slices"]["mood"].values()) == 120


def test_no_ratings() -> None:
    found = summarise([], PAIRS)
    assert found["headline"] == {"kind": "none"}
    assert (found["ratings"], found["pairs"], found["rankings"], found["position"]) == (0, [], [], None)
    assert found["unranked"] == [BASE, TUNED]
    json.dumps(found, allow_nan=False)


def test_everything_left_out_is_counted_once() -> None:
    ratings = [
        choice(0, "good", 1),
        choice(1, "good", None),
        choice(2, "good", 1, gold=1),
        rated(3, "good", {"choice": 0, "flag": True}),
        choice(0, "gone", 0),
        choice(0, "bad", 0),
        choice(2, "bad", 0, gold=1),
    ]
    found = summarise(ratings, PAIRS, {"gone"}, options=ResultOptions(least_gold=0.5))
    assert found["ratings"] == 1
    assert found["left_out"] == {"gold": 2, "incomplete": 1, "revoked": 1, "low_gold": 1, "flagged": 1}
    assert {one["rater"]: one["left_out"] for one in found["rater_checks"]} == {
        "good": None,
        "gone": "revoked",
        "bad": "low_gold",
    }
    everybody = ResultOptions(without_revoked=False, without_flagged=False)
    assert summarise(ratings, PAIRS, {"gone"}, options=everybody)["ratings"] == 4


def test_both_bad_is_a_tie_that_is_counted_apart() -> None:
    [pair] = summarise([choice(n, "a", said) for n, said in enumerate([1, "tie", "both_bad"])], PAIRS)[
        "pairs"
    ]
    assert (pair["ties"], pair["both_bad"], pair["value"]) == (1, 1, pytest.approx(1 / 3))


def test_verdicts() -> None:
    few = summarise([choice(0, "a", 1), choice(0, "b", 1)], PAIRS)["pairs"][0]
    assert (few["verdict"], few["low"], few["more"]) == ("few", None, None)
    close = summarise([choice(n, "a", n % 2) for n in range(40)], PAIRS)["headline"]
    assert (close["verdict"], close["more"]) == ("close", None)
    open_ = summarise([choice(n, "a", int(n % 5 > 1)) for n in range(40)], PAIRS)["headline"]
    assert open_["verdict"] == "undecided"
    assert 5 < open_["more"] < 80


def test_scales() -> None:
    ratings = [
        rated(n, rater, {"scores": [{"good": 2 + n % 2, "short": 3}, {"good": 4, "short": 1 + n % 3}]})
        for n in range(12)
        for rater in "ab"
    ]
    found = summarise(ratings, Asked("scales", (BASE, TUNED), ("good", "short"), overlap=2))
    means = {(one["side"], one["criterion"]): one["value"] for one in found["marks"]}
    assert means == {(BASE, "good"): 2.5, (TUNED, "good"): 4, (BASE, "short"): 3, (TUNED, "short"): 2}
    differences = {one["criterion"]: (one["value"], one["low"]) for one in found["mark_differences"]}
    assert differences["good"][0] == 1.5
    assert 1 < differences["good"][1] < 1.5
    assert [(one["question"], one["alpha"]) for one in found["agreement"]] == [
        ("preferred", pytest.approx(1)),
        ("good", pytest.approx(1)),
        ("short", pytest.approx(1)),
    ]
    assert found["headline"]["kind"] == "pair"


def test_one_side_alone() -> None:
    ratings = [rated(n, "a", {"passed": [n > 3]}, sides=(TUNED,), order=(0,)) for n in range(10)]
    found = summarise(ratings, Asked("pass_fail", (TUNED,)))
    assert (found["headline"]["kind"], found["headline"]["value"]) == ("passed", 0.6)
    assert found["headline"]["low"] < 0.6 < found["headline"]["high"]
    assert (found["pairs"], found["rankings"]) == ([], [])


def test_ranking_of_three() -> None:
    sides = (BASE, TUNED, "run:r2")
    ratings = [
        rated(
            n,
            rater,
            {"ranks": [3, 1 + n % 2, 2 - n % 2]},
            sides=sides,
            order=(n % 3, (n + 1) % 3, (n + 2) % 3),
        )
        for n in range(12)
        for rater in "ab"
    ]
    found = summarise(ratings, Asked("ranking", sides, overlap=2))
    assert [line["side"] for line in found["rankings"][0]][-1] == BASE
    assert {one["side"]: one["value"] for one in found["marks"]} == {BASE: 3, TUNED: 1.5, "run:r2": 1.5}
    assert len(found["pairs"]) == 3
    json.dumps(found, allow_nan=False)


def test_the_most_frequent_values_of_a_label_are_shown() -> None:
    ratings = [choice(n, "a", 1, slices={"kind": f"k{n % 30}"}) for n in range(61)]
    found = summarise(ratings, PAIRS)
    assert len(found["slices"]["kind"]) == SLICE_VALUES
    assert next(iter(found["slices"]["kind"])) == "k0"
    assert found["slices_more"] == {"kind": 10}


def test_turned_twice_is_the_same() -> None:
    [pair] = summarise(drawn(60), PAIRS)["pairs"]
    assert turned(turned(pair)) == pytest.approx(pair)
    assert turned(pair)["verdict"] == "first"


def test_the_majority_of_each_row() -> None:
    ratings = [choice(0, "a", 1, row=5), choice(0, "b", 1, row=5), choice(0, "c", 0, row=5)]
    ratings += [choice(1, "a", 1, row=6), choice(1, "b", 0, row=6), choice(2, "a", 0)]
    assert majority(ratings, PAIRS, BASE, TUNED) == {5: "tuned", 6: "tie"}
    assert majority(ratings, PAIRS, TUNED, BASE) == {5: "base", 6: "tie"}
