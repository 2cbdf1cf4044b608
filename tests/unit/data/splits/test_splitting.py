from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftkit.data.splits.splitting import assign, check_ratios, count_leaks, members, sort_out, training_key
from ftkit.errors import BadInput
from ftkit.records import PARTS

DEFAULT = (0.8, 0.1, 0.1)
MAPPING = {"user": "q", "assistant": "a"}
RATIOS = st.sampled_from(
    [DEFAULT, (0.5, 0.25, 0.25), (0.9, 0, 0.1), (0.98, 0.01, 0.01), (1, 0, 0), (0, 0, 1), (0, 0.5, 0.5)]
)
KEYS = st.lists(st.integers(0, 60).map(str), min_size=3, max_size=120)


def distinct(count: int, first: int = 0) -> list[str]:
    return [f"row {number}" for number in range(first, first + count)]


def sizes(parts) -> tuple[int, ...]:
    return tuple(parts.count(part) for part in PARTS)


@pytest.mark.parametrize(
    ("count", "ratios", "expected"),
    [
        (100, DEFAULT, (80, 10, 10)),
        (345, DEFAULT, (276, 35, 34)),
        (10, DEFAULT, (8, 1, 1)),
        (3, DEFAULT, (1, 1, 1)),
        (4, DEFAULT, (2, 1, 1)),
        (3, (0.1, 0.1, 0.8), (1, 1, 1)),
        (5, (0.99, 0, 0.01), (4, 0, 1)),
        (1, (1, 0, 0), (1, 0, 0)),
        (7, (0, 0, 1), (0, 0, 7)),
        (7, (0, 1, 0), (0, 7, 0)),
    ],
)
def test_sizes_are_those_asked_for_and_no_wanted_part_is_empty(count, ratios, expected):
    assert sizes(assign(distinct(count), ratios, 42)) == expected


@pytest.mark.parametrize(
    ("keys", "ratios"), [(["a"], DEFAULT), (["a", "b"] * 50, DEFAULT), (["a"], (0.5, 0.5, 0))]
)
def test_too_few_different_rows_are_refused_with_the_numbers(keys, ratios):
    with pytest.raises(BadInput) as caught:
        assign(keys, ratios, 42)
    assert caught.value.key == "data.too_few_rows"
    assert caught.value.values["rows"] == len(set(keys))


@pytest.mark.parametrize(
    "ratios", [(0.8, 0.1), (0.8, 0.1, 0.2), (80, 10, 10), (1.1, -0.1, 0), (float("nan"), 0, 1), ()]
)
def test_ratios_that_do_not_add_up_are_refused(ratios):
    with pytest.raises(BadInput) as caught:
        check_ratios(ratios)
    assert caught.value.key == "data.bad_ratios"


@settings(max_examples=150, deadline=None)
@given(KEYS, RATIOS, st.integers(0, 1000))
def test_every_row_is_in_one_part_and_equal_rows_are_together(keys, ratios, seed):
    wanted = {part for part, share in zip(PARTS, ratios, strict=True) if share}
    if len(set(keys)) < len(wanted):
        return
    parts = assign(keys, ratios, seed)
    where = defaultdict(set)
    for key, part in zip(keys, parts, strict=True):
        where[key].add(part)
    assert all(len(found) == 1 for found in where.values())
    assert set(parts) == wanted


@settings(max_examples=100, deadline=None)
@given(KEYS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(keys, random):
    if len(set(keys)) < 3:
        return
    shuffled = random.sample(keys, len(keys))
    assert dict(zip(keys, assign(keys, DEFAULT, 1), strict=True)) == dict(
        zip(shuffled, assign(shuffled, DEFAULT, 1), strict=True)
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(3, 200), st.integers(1, 60), RATIOS, st.integers(0, 100))
def test_added_rows_move_at_most_one_row_per_cut_each(count, added, ratios, seed):
    keys = distinct(count)
    before = assign(keys, ratios, seed)
    after = assign(keys + distinct(added, count), ratios, seed)
    moved = sum(old != new for old, new in zip(before, after, strict=False))
    cuts = sum(share > 0 for share in ratios) - 1
    assert moved <= cuts * added


def test_on_average_far_fewer_rows_move_and_none_from_train_to_test():
    keys = distinct(1000)
    before = assign(keys, DEFAULT, 42)
    after = assign(keys + distinct(200, 1000), DEFAULT, 42)
    moved = [(old, new) for old, new in zip(before, after, strict=False) if old != new]
    assert len(moved) <= 30
    assert not {("train", "test"), ("test", "train")} & set(moved)


def test_another_seed_is_another_split():
    keys = distinct(200)
    assert assign(keys, DEFAULT, 1) == assign(keys, DEFAULT, 1) != assign(keys, DEFAULT, 2)


def test_the_key_is_what_is_learned_and_nothing_else():
    row = {"id": "1", "q": "x", "a": "y"}
    assert training_key(row, MAPPING) == training_key({**row, "id": "2"}, MAPPING)
    assert training_key(row, MAPPING) != training_key({**row, "a": "z"}, MAPPING)
    assert (
        training_key({"q": "x\x00", "a": "y"}, MAPPING)[0]
        != training_key({"q": "x", "a": "\x00y"}, MAPPING)[0]
    )
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    assert training_key({"m": turns}, {"messages": "m"}) == (training_key(row, MAPPING)[0], False)
    trimmed = training_key({"m": [*turns, {"role": "user", "content": "bye"}]}, {"messages": "m"})
    assert trimmed == (training_key(row, MAPPING)[0], True)


def test_rows_that_cannot_be_trained_on_are_counted_by_reason():
    rows = [{"q": "x", "a": "y"}, {"q": "", "a": "y"}, {"q": "x", "a": ""}, {"q": "", "a": ""}]
    found = sort_out(rows, MAPPING)
    assert list(found.keys) == [0]
    assert found.left_out == [(1, "“q” is empty"), (2, "“a” is empty"), (3, "“q” is empty")]
    assert found.reasons() == {"“q” is empty": 2, "“a” is empty": 1}


def test_rare_reasons_are_added_up():
    turns = [{"role": "user", "content": "x"}]
    rows = [{"m": [*turns * n, 7]} for n in range(30)]
    reasons = sort_out(rows, {"messages": "m"}).reasons()
    assert (len(reasons), reasons["other reasons"], sum(reasons.values())) == (21, 10, 30)


def test_leaks_are_counted_in_rows():
    assert count_leaks({"train": ["a", "a", "b"], "validation": ["c"], "test": ["a", "d"]}) == 3
    assert count_leaks({"train": ["a", "a"], "validation": [], "test": ["b"]}) == 0


def test_members_keep_the_numbers_of_the_rows():
    found = members({3: "a", 5: "b", 9: "a", 11: "c"}, (0.5, 0.25, 0.25), 7)
    assert sorted(row for part in found.values() for row in part) == [3, 5, 9, 11]
    assert any({3, 9} <= set(part) for part in found.values())
