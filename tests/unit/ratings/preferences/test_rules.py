from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkit.errors import BadInput
from ftkit.ratings.preferences.rules import NOT_COUNTED, REASONS, Preferences, preferences
from ftkit.ratings.preferences.wishes import PreferenceWishes
from ftkit.ratings.results.rated import Rated
from ftkit.ratings.results.selecting import Asked
from ftkit.ratings.studies.items import Item, ItemAnswer

Values = dict[str, Any]
SIDES = ("base:m", "run:a", "run:b")


def item(place: int = 0, texts: tuple[str, ...] = ("x", "y"), gold: int | None = None) -> Item:
    return Item(
        id=f"i{place}",
        place=place,
        prompt=({"role": "user", "content": f"question {place}"},),
        answers=tuple(
            ItemAnswer(side="" if gold is not None else SIDES[n], text=t) for n, t in enumerate(texts)
        ),
        gold=gold,
    )


def rated(one: Item, *values: Values) -> list[Rated]:
    sides = tuple(answer.side for answer in one.answers)
    order = tuple(range(len(sides)))
    return [
        Rated(one.id, one.place, f"r{n}", sides, order, value, 9.0, one.gold)
        for n, value in enumerate(values)
    ]


def asked(protocol: Any) -> Asked:
    return Asked(protocol, SIDES, ("helpful", "correct") if protocol == "scales" else ())


def choices(*choice: Any) -> list[Values]:
    return [{"choice": one} for one in choice]


def scores(*means: tuple[float, ...]) -> list[Values]:
    return [{"scores": [{"helpful": value, "correct": value} for value in one]} for one in means]


def decide(one: Item, values: list[Values], protocol: str = "pairs", **wishes: Any) -> Preferences:
    return preferences([one], rated(one, *values), PreferenceWishes.parse(wishes), asked(protocol))


def pairs(found: Preferences) -> list[tuple[str, str | None]]:
    return [(row.answer, row.rejected) for row in found.rows]


def marks(found: Preferences) -> list[tuple[str, bool]]:
    return [(row.answer, row.good) for row in found.rows]


def why(found: Preferences) -> str:
    assert found.rows == []
    (reason,) = (name for name in REASONS if found.counts[name])
    return reason


def test_the_winner_of_the_vote_is_the_better_answer() -> None:
    found = decide(item(), choices(1, 1, 0))
    assert pairs(found) == [("y", "x")]
    (row,) = found.rows
    assert (row.item, row.made_by, row.side) == ("i0", "vote", "run:a")
    assert row.prompt[0]["content"] == "question 0"


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ((), "unrated"),
        ((0, 1), "conflict"),
        ((0, 1, "tie"), "conflict"),
        ((0, 0, 1, "tie"), "conflict"),
        (("tie", "tie", 0), "tie"),
        (("both_bad", "both_bad", 1), "both_bad"),
    ],
)
def test_what_teaches_nothing_is_counted_by_its_reason(votes: tuple[Any, ...], reason: str) -> None:
    assert why(decide(item(), choices(*votes))) == reason


def test_more_agreement_may_be_wished_for() -> None:
    votes = choices(0, 0, 0, 1)
    assert pairs(decide(item(), votes, agreement=0.75)) == [("x", "y")]
    assert why(decide(item(), votes, agreement=0.8)) == "conflict"


def test_gold_flagged_and_left_out_ratings_do_not_count() -> None:
    one, gold = item(), item(1, gold=0)
    ratings = [*rated(one, *choices(0, 1, 1)), *rated(gold, *choices(0, 1))]
    ratings[1] = ratings[1]._replace(values={"choice": 1, "flag": True})
    found = preferences([one, gold], ratings, PreferenceWishes(without=("r2",)), asked("pairs"))
    assert pairs(found) == [("x", "y")]
    counts = found.counts
    assert (counts["ratings"], counts["ratings_used"]) == (5, 1)
    assert counts["ratings_gold"] == 2
    assert counts["ratings_flagged"] == counts["ratings_left_out_raters"] == 1
    assert counts["items"] == 1


def test_raters_who_do_not_count_in_the_results_do_not_count_here() -> None:
    one, gold = item(), item(1, gold=0)
    ratings = [*rated(one, *choices(0, 1, 1)), *rated(gold, *choices(0, 0, 1))]
    found = preferences(
        [one, gold], ratings, PreferenceWishes(least_gold=0.5), asked("pairs"), revoked={"r1"}
    )
    assert pairs(found) == [("x", "y")]
    assert found.counts["ratings_revoked"] == found.counts["ratings_low_gold"] == 1
    kept = PreferenceWishes(without_revoked=False)
    assert pairs(preferences([one, gold], ratings, kept, asked("pairs"), {"r1"})) == [("y", "x")]


def test_the_same_or_an_empty_text_is_left_out() -> None:
    assert why(decide(item(texts=("x", " x\n")), choices(0))) == "identical"
    assert why(decide(item(texts=("x", " ")), choices(0))) == "empty"


def test_an_edit_beats_the_vote() -> None:
    votes = choices(0, 0, 0)
    votes[1]["edits"] = {"1": "better y"}
    votes[2]["edits"] = {"0": "better x", "1": "better y "}
    found = decide(item(), votes)
    assert pairs(found) == [("better x", "x"), ("better y", "y")]
    assert {row.made_by for row in found.rows} == {"edit"}
    assert (found.counts["edits"], found.counts["edits_left_out"]) == (3, 1)
    assert pairs(decide(item(), votes, edits=False)) == [("x", "y")]


def test_different_edits_of_one_answer_are_a_pair_each() -> None:
    votes = choices("both_bad", "both_bad")
    votes[0]["edits"], votes[1]["edits"] = {"0": "second"}, {"0": "first"}
    assert pairs(decide(item(), votes)) == [("first", "x"), ("second", "x")]
    assert marks(decide(item(), votes, method="kto")) == [("first", True), ("x", False), ("second", True)]


@pytest.mark.parametrize("text", [" x", "", "  "])
def test_an_edit_that_changes_nothing_leaves_the_vote(text: str) -> None:
    votes = choices(0, 0)
    votes[0]["edits"] = {"0": text}
    found = decide(item(), votes)
    assert pairs(found) == [("x", "y")]
    assert found.counts["edits_left_out"] == 1


def test_scales_need_the_margin_and_a_majority() -> None:
    assert pairs(decide(item(), scores((4, 3), (3, 3), (4, 3)), "scales")) == [("x", "y")]
    assert why(decide(item(), scores((4, 3), (3, 3), (4, 3)), "scales", margin=1)) == "tie"
    assert why(decide(item(), scores((3, 3), (4, 4)), "scales")) == "tie"
    assert why(decide(item(), scores((5, 1), (3, 4), (3, 4)), "scales")) == "conflict", (
        "the mean alone is not enough"
    )
    assert why(decide(item(), scores((4, 2), (2, 4)), "scales")) == "conflict"


def test_scales_mark_what_lies_off_the_middle() -> None:
    three = item(texts=("x", "y", "z"))
    found = decide(three, scores((5, 3, 1), (4, 3, 2)), "scales", method="kto")
    assert marks(found) == [("x", True), ("z", False)]
    assert why(decide(item(texts=("x",)), scores((3,)), "scales", method="kto")) == "tie"


def ranks(*given: tuple[int, ...]) -> list[Values]:
    return [{"ranks": list(one)} for one in given]


def test_a_ranking_gives_best_against_worst_and_neighbours() -> None:
    three = item(texts=("x", "y", "z"))
    assert pairs(decide(three, ranks((2, 1, 3), (2, 1, 3)), "ranking")) == [
        ("y", "z"),
        ("y", "x"),
        ("x", "z"),
    ]
    assert pairs(decide(three, ranks((1, 1, 2), (1, 1, 2)), "ranking")) == [("x", "z"), ("y", "z")]
    assert why(decide(three, ranks((1, 1, 1)), "ranking")) == "tie"
    assert why(decide(three, ranks((1, 2, 3), (3, 2, 1)), "ranking")) == "conflict"
    assert marks(decide(three, ranks((2, 1, 3)), "ranking", method="kto")) == [("y", True), ("z", False)]


def passed(*given: tuple[bool, ...]) -> list[Values]:
    return [{"passed": list(one)} for one in given]


def test_what_passed_is_better_than_what_failed() -> None:
    three = item(texts=("x", "y", "z"))
    votes = passed((True, False, True), (True, False, True), (True, True, False))
    assert pairs(decide(three, votes, "pass_fail")) == [("x", "y"), ("z", "y")]
    assert marks(decide(three, votes, "pass_fail", method="kto")) == [("x", True), ("y", False), ("z", True)]
    assert why(decide(three, passed((True,) * 3), "pass_fail")) == "tie"
    assert why(decide(three, passed((False,) * 3), "pass_fail")) == "both_bad"
    assert why(decide(item(), passed((True, False), (False, True)), "pass_fail")) == "conflict"


def test_votes_mark_answers() -> None:
    assert marks(decide(item(), choices(1), method="kto")) == [("x", False), ("y", True)]
    assert marks(decide(item(), choices("both_bad"), method="kto")) == [("x", False), ("y", False)]
    assert why(decide(item(), choices("tie"), method="kto")) == "tie"
    assert marks(decide(item(), choices("tie"), method="kto", ties="good")) == [("x", True), ("y", True)]
    assert why(decide(item(), choices("tie"), ties="good")) == "tie", "a tie is no pair"


def test_the_order_of_arrival_changes_nothing() -> None:
    items = [item(n) for n in range(3)]
    ratings = [one for n, it in enumerate(items) for one in rated(it, *choices(n % 2, n % 2))]
    ratings[0].values["edits"] = {"1": "better"}
    wishes = PreferenceWishes()
    backwards = preferences(items[::-1], ratings[::-1], wishes, asked("pairs"))
    assert preferences(items, ratings, wishes, asked("pairs")) == backwards


def test_every_mistake_in_the_wishes_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        PreferenceWishes.parse({"agreement": 0.2, "method": "ppo", "margins": 1})
    assert all(name in str(caught.value) for name in ("agreement", "method", "margins"))


TEXT = st.sampled_from(["x", "y", "x ", "", "z"])
EXTRA = st.fixed_dictionaries(
    {},
    optional={"flag": st.booleans(), "edits": st.dictionaries(st.sampled_from(["0", "1"]), TEXT, max_size=2)},
)
VALUES = {
    "pairs": st.fixed_dictionaries({"choice": st.sampled_from([0, 1, "tie", "both_bad"])}),
    "scales": st.fixed_dictionaries(
        {
            "scores": st.lists(
                st.fixed_dictionaries({"helpful": st.integers(1, 5), "correct": st.integers(1, 5)}),
                min_size=2,
                max_size=2,
            )
        }
    ),
    "ranking": st.fixed_dictionaries({"ranks": st.lists(st.integers(1, 2), min_size=2, max_size=2)}),
    "pass_fail": st.fixed_dictionaries({"passed": st.lists(st.booleans(), min_size=2, max_size=2)}),
}


@given(
    data=st.data(),
    protocol=st.sampled_from(sorted(VALUES)),
    method=st.sampled_from(["dpo", "kto"]),
    edits=st.booleans(),
    ties=st.sampled_from(["drop", "good"]),
)
def test_all_counts_add_up(data: st.DataObject, protocol: str, method: str, edits: bool, ties: str) -> None:
    items = [
        item(n, data.draw(st.tuples(TEXT, TEXT)), 0 if data.draw(st.integers(0, 4)) == 0 else None)
        for n in range(data.draw(st.integers(1, 4)))
    ]
    ratings = []
    for one in items:
        values = data.draw(st.lists(st.tuples(VALUES[protocol], EXTRA), max_size=3))
        ratings += rated(one, *({**first, **second} for first, second in values))
    wishes = PreferenceWishes.parse({"method": method, "edits": edits, "ties": ties, "without": ("r1",)})
    rows, counts = preferences(items, ratings, wishes, asked(protocol))
    assert counts["items"] == counts["items_used"] + sum(counts[reason] for reason in REASONS)
    assert counts["items"] == sum(one.gold is None for one in items)
    assert counts["rows"] == len(rows) == counts["rows_vote"] + counts["rows_edit"]
    assert len({row.item for row in rows}) == counts["items_used"]
    not_counted = sum(counts[f"ratings_{name}"] for name in NOT_COUNTED)
    assert counts["ratings"] == len(ratings) == counts["ratings_used"] + not_counted
    assert counts["edits_left_out"] <= counts["edits"]
    for row in rows:
        assert row.answer.strip()
        assert (row.rejected is None) == (method == "kto")
        if row.rejected is not None:
            assert row.rejected.strip() not in ("", row.answer.strip())
