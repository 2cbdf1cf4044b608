from ftkit.ratings.statistics.reading import as_shown, best_of, comparisons, is_complete, marks
from tests.unit.ratings.rated import BASE, TUNED, choice, rated


def said(ratings, protocol="pairs", criteria=()):
    return [(one.better, one.worth) for one in comparisons(ratings, protocol, criteria)]


def test_a_choice_is_the_side_of_that_answer() -> None:
    found = [choice(0, "a", 0), choice(1, "a", 1), choice(2, "a", "tie"), choice(3, "a", "both_bad")]
    assert said(found) == [(BASE, 1), (TUNED, 0), ("tie", 0.5), ("both_bad", 0.5)]


def test_the_order_of_the_answers_does_not_matter() -> None:
    turned = choice(0, "a", 0, sides=(TUNED, BASE))
    [one] = comparisons([turned], "pairs", ())
    assert (one.first, one.second, one.better, one.worth) == (BASE, TUNED, TUNED, 0)


def test_the_better_one_has_more_points_a_smaller_rank_or_passed_alone() -> None:
    scores = rated(0, "a", {"scores": [{"x": 5, "y": 1}, {"x": 3, "y": 4}]})
    assert said([scores], "scales", ("x", "y")) == [(TUNED, 0)]
    sides = (BASE, TUNED, "run:r2")
    ranks = rated(0, "a", {"ranks": [1, 2, 2]}, sides=sides, order=(0, 1, 2))
    assert said([ranks], "ranking") == [(BASE, 1), (BASE, 1), ("tie", 0.5)]
    assert said([rated(0, "a", {"passed": [False, True]})], "pass_fail") == [(TUNED, 0)]
    assert said([rated(0, "a", {"passed": [True, True]})], "pass_fail") == [("tie", 0.5)]


def test_ratings_of_one_row_belong_together() -> None:
    found = comparisons([choice(0, "a", 0, row=7), choice(1, "a", 0, row=7), choice(2, "a", 0)], "pairs", ())
    assert [one.cluster for one in found] == ["row 7", "row 7", "i2"]


def test_marks() -> None:
    one = rated(0, "a", {"scores": [{"x": 5}, {"x": 3}]})
    assert [(mark.side, mark.criterion, mark.value) for mark in marks([one], "scales", ("x",))] == [
        (BASE, "x", 5),
        (TUNED, "x", 3),
    ]
    assert [mark.value for mark in marks([rated(0, "a", {"passed": [True, False]})], "pass_fail", ())] == [
        1,
        0,
    ]
    assert marks([choice(0, "a", 0)], "pairs", ()) == []


def test_what_is_missing_is_seen() -> None:
    for protocol, good, bad in (
        ("pairs", {"choice": 1}, [{}, {"choice": None}, {"choice": 2}, {"choice": True}, {"choice": "A"}]),
        (
            "scales",
            {"scores": [{"x": 1}, {"x": 5}]},
            [{}, {"scores": [{"x": 1}]}, {"scores": [{"x": 1}, {}]}],
        ),
        ("ranking", {"ranks": [1, 1]}, [{}, {"ranks": [1]}, {"ranks": [1, None]}]),
        ("pass_fail", {"passed": [True, False]}, [{}, {"passed": [True]}, {"passed": [1, 0]}]),
    ):
        assert is_complete(rated(0, "a", good), protocol, ("x",))
        for values in bad:
            assert not is_complete(rated(0, "a", values), protocol, ("x",)), values


def test_the_click_is_that_of_the_page() -> None:
    assert as_shown(choice(0, "a", 0, order=(1, 0)), "pairs") == 1
    assert as_shown(choice(0, "a", "tie", order=(1, 0)), "pairs") == "tie"
    assert as_shown(rated(0, "a", {"ranks": [1, 2]}, order=(1, 0)), "ranking") == (2, 1)


def test_one_best_answer_or_none() -> None:
    assert best_of(rated(0, "a", {"ranks": [2, 1]}), "ranking", ()) == 1
    assert best_of(rated(0, "a", {"ranks": [1, 1]}), "ranking", ()) is None
    assert best_of(rated(0, "a", {"passed": [True]}, sides=(BASE,), order=(0,)), "pass_fail", ()) is None
    assert best_of(choice(0, "a", "tie"), "pairs", ()) is None
