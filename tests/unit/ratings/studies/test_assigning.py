"""Orders of answers are balanced and cannot be told from ids; gold items are spread."""

import secrets
from collections import Counter

import pytest
from scipy.stats import chisquare

from ftkit.ratings.studies.assigning import answer_order, gold_is_due, gold_order, shuffled

SECRET = "ab" * 32


@pytest.mark.parametrize("answers", [1, 2, 3, 4])
def test_every_answer_stands_in_every_place_equally_often(answers):
    before: list[list[int]] = []
    for _ in range(2 * answers):
        before.append(answer_order(SECRET, "item", answers, before))
    for place in range(answers):
        assert set(Counter(order[place] for order in before).values()) == {2}
    assert all(sorted(order) == list(range(answers)) for order in before)


def test_an_abandoned_order_is_given_again():
    first = answer_order(SECRET, "item", 2, [])
    assert answer_order(SECRET, "item", 2, []) == first, "the same for the same"
    assert answer_order(SECRET, "item", 2, [first]) == first[::-1]


def test_which_answer_comes_first_is_decided_by_the_secret():
    items = [secrets.token_hex(6) for _ in range(2000)]
    first = [answer_order(SECRET, item, 2, [])[0] for item in items]
    counts = Counter(first)
    assert chisquare([counts[0], counts[1]]).pvalue > 0.001
    other = [answer_order("cd" * 32, item, 2, [])[0] for item in items]
    agreeing = sum(one == two for one, two in zip(first, other, strict=True))
    assert chisquare([agreeing, len(items) - agreeing]).pvalue > 0.001
    for bit in range(8):  # of the id's first byte
        by_bit = Counter(
            (int(item[:2], 16) >> bit & 1, side) for item, side in zip(items, first, strict=True)
        )
        assert chisquare([by_bit[0, 0] + by_bit[1, 1], by_bit[0, 1] + by_bit[1, 0]]).pvalue > 0.0001


def test_items_are_given_out_in_an_order_of_the_secret():
    items = [f"i{n}" for n in range(50)]
    assert sorted(items, key=lambda one: shuffled(SECRET, one)) != items
    assert len({shuffled(SECRET, one) for one in items}) == 50


@pytest.mark.parametrize(("golds", "expected"), [(1, 10), (4, 40), (5, 3), (3, 0)])
def test_gold_items_are_spread_and_all_come(golds, expected):
    places = []
    for rater in range(50):
        had = 0
        for others in range(expected + 1):
            while gold_is_due(SECRET, f"r{rater}", (had, golds), others, expected):
                places.append(others)
                had += 1
        assert had == golds
    if golds <= expected:
        assert len(set(places)) > expected / 2, "nobody can tell a gold item by its place"


def test_raters_get_the_gold_items_in_different_orders():
    items = [f"i{n}" for n in range(5)]
    orders = {tuple(gold_order(SECRET, f"r{n}", items)) for n in range(20)}
    assert len(orders) > 10
    assert all(sorted(order) == items for order in orders)
