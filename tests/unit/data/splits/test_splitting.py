import json
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftkit.data.health.duplicates import Neighbours, near
from ftkit.data.splits.splitting import Row, assign, check_ratios, number
from ftkit.errors import BadInput
from ftkit.records import PARTS

DEFAULT = (0.8, 0.1, 0.1)
RATIOS = st.sampled_from(
    [DEFAULT, (0.5, 0.25, 0.25), (0.9, 0, 0.1), (0.98, 0.01, 0.01), (1, 0, 0), (0, 0, 1), (0, 0.5, 0.5)]
)
# Few different contents, groups and texts, so that random rows often belong together, in chains too.
BASES = [f"the {thing} of the {place}" for thing in ("kettle", "ladder") for place in ("attic", "cellar")]
TEXTS = st.tuples(st.sampled_from(BASES), st.sampled_from(["", " is here", " is here and there", " is not"]))
ROWS = st.lists(
    st.builds(
        lambda key, text, group, label: Row(str(key), "".join(text) + f" {key % 3}", group, label),
        st.integers(0, 30),
        TEXTS,
        st.sampled_from(["", "", "", "a", "b", "c", "d"]),
        st.sampled_from(["", "red", "blue"]),
    ),
    min_size=1,
    max_size=10,
)


class Alike:
    """Neighbours by a plain rule, quick enough for ten thousand datasets: texts with the same beginning and number."""

    def __init__(self, rows):
        self.place = dict(enumerate(range(len(rows))))
        self._texts = [row.text for row in rows]
        self._added = []

    def add(self, place):
        self._added.append(place)

    def likely(self, place):
        return [(other, 0) for other in self._added]

    def alike(self, place, other, kind):
        return similar(self._texts[place], self._texts[other])


def similar(one: str, other: str) -> bool:
    """Not transitive, as near-duplicates are not."""
    first, second = set(one.split()), set(other.split())
    return len(first & second) / len(first | second) >= 0.75


def plain(count: int, first: int = 0) -> list[Row]:
    return [Row(f"row {n}", f"row {n}") for n in range(first, first + count)]


def leaks(rows, parts) -> list[tuple[int, int]]:
    return [
        (a, b)
        for a in parts
        for b in parts
        if a < b
        and parts[a] != parts[b]
        and (
            rows[a].key == rows[b].key
            or (rows[a].group and rows[a].group == rows[b].group)
            or similar(rows[a].text, rows[b].text)
        )
    ]


@settings(max_examples=10_000)
@given(ROWS, RATIOS, st.integers(0, 1000), st.integers(0, 10))
def test_ten_thousand_datasets_leak_nothing_and_added_rows_move_none(rows, ratios, seed, cut):
    try:
        before = assign(rows[:cut], ratios, seed, Alike(rows[:cut]))
    except BadInput:
        before = None
    try:
        found = assign(rows, ratios, seed, Alike(rows))
    except BadInput:  # fewer groups than parts
        return
    assert leaks(rows, found.part) == []
    assert sorted([*found.part, *found.apart]) == list(range(len(rows)))
    assert {part for part in PARTS if found.sizes()[part]} <= {
        part for part, share in zip(PARTS, ratios, strict=True) if share
    }
    if before is not None:
        assert {at: part for at, part in found.part.items() if at < cut} == before.part
        assert [at for at in found.apart if at < cut] == before.apart
    again = assign(rows, ratios, seed, Alike(rows))
    assert json.dumps(again.part) == json.dumps(found.part)


@settings(max_examples=60)
@given(ROWS, st.integers(0, 100), st.integers(0, 10))
def test_real_near_duplicates_never_leak_either(rows, seed, cut):
    texts = [row.text for row in rows]
    try:
        found = assign(rows, (0.5, 0.25, 0.25), seed, Neighbours(texts))
        before = assign(rows[:cut], (0.5, 0.25, 0.25), seed, Neighbours(texts[:cut]))
    except BadInput:
        return
    kept = sorted(found.part)
    for cluster in near([texts[at] for at in kept]):
        assert len({found.part[kept[place]] for place in cluster}) == 1
    assert {at: part for at, part in found.part.items() if at < cut} == before.part


@settings(max_examples=200)
@given(st.integers(12, 300), st.integers(0, 10_000))
def test_from_twelve_groups_on_no_part_is_empty(count, seed):
    assert all(assign(plain(count), DEFAULT, seed).sizes().values())


def test_a_large_set_has_about_the_sizes_asked_for():
    sizes = assign(plain(5000), DEFAULT, 42).sizes()
    assert abs(sizes["train"] - 4000) < 100
    assert abs(sizes["test"] - 500) < 75


@pytest.mark.parametrize("seed", range(8))
def test_wherever_rows_are_added_only_those_move_that_filled_an_empty_part(seed):
    old = plain(400)
    before = assign(old, DEFAULT, seed)
    mixed = [*plain(200, 1000), *old[::-1], *plain(100, 2000)]
    after = assign(mixed, DEFAULT, seed)
    part = {row.key: after.part[at] for at, row in enumerate(mixed)}
    moved = [at for at, row in enumerate(old) if part[row.key] != before.part[at]]
    assert len(moved) <= before.filled + after.filled <= 4


def test_a_row_that_joins_two_parts_is_left_out_and_the_old_rows_stay():
    rows = [Row("a", "alpha"), Row("b", "beta"), *plain(40)]
    seed = next(s for s in range(99) if number(s, "a") < 0.1 and number(s, "b") > 0.3)
    before = assign(rows, DEFAULT, seed, Alike(rows))
    assert (before.part[0], before.part[1]) == ("test", "train")
    joined = [*rows, Row("a", "beta"), Row("c", "gamma")]
    after = assign(joined, DEFAULT, seed, Alike(joined))
    assert after.apart == [len(rows)]
    assert {at: after.part[at] for at in before.part} == before.part


def test_a_row_goes_to_the_rows_that_it_belongs_to_whatever_its_hash():
    rows = [
        Row("a", "alpha", "g"),
        *plain(40),
        Row("x", "alpha beta", "g"),
        Row("a", "z"),
        Row("y", "q", "g"),
    ]
    seed = next(s for s in range(99) if number(s, "group:g") < 0.1)
    found = assign(rows, DEFAULT, seed, Alike(rows))
    assert [found.part[at] for at in (0, 41, 42, 43)] == ["test"] * 4


def test_held_rows_are_the_test_and_what_is_like_them_stays_out():
    held = [Row("a", "alpha", held=True), Row("b", "beta gamma delta eps", "g", held=True)]
    rows = [*held, Row("a", "other"), Row("c", "beta gamma delta eps zeta"), Row("d", "d", "g"), *plain(30)]
    found = assign(rows, (0.9, 0.1, 0.0), 1, Alike(rows))
    assert found.like_test == {2: "content", 3: "near", 4: "group"}
    assert found.sizes()["test"] == 2
    assert found.sizes()["train"] > 20


def test_labels_keep_their_shares_closely_in_every_part():
    rows = [
        Row(f"{n}", f"{n}", label="rare" if n % 10 == 3 else "often" if n % 3 else "some") for n in range(600)
    ]
    found = assign(rows, DEFAULT, 7)
    counts = defaultdict(Counter)
    for at, part in found.part.items():
        counts[part][rows[at].label] += 1
    whole = Counter(row.label for row in rows)
    for part, share in zip(PARTS, DEFAULT, strict=True):
        for label, count in whole.items():
            assert abs(counts[part][label] - share * count) <= 2, (part, label)
    more = assign([*rows, *(Row(f"x{n}", f"x{n}", label="rare") for n in range(50))], DEFAULT, 7)
    assert {at: more.part[at] for at in found.part} == found.part


@pytest.mark.parametrize(
    ("keys", "ratios"), [(["a"], DEFAULT), (["a", "b"] * 50, DEFAULT), (["a"], (0.5, 0.5, 0))]
)
def test_too_few_different_rows_are_refused_with_the_numbers(keys, ratios):
    with pytest.raises(BadInput) as caught:
        assign([Row(key, key) for key in keys], ratios, 42)
    assert caught.value.key == "data.too_few_rows"
    assert caught.value.values["rows"] == len(set(keys))


@pytest.mark.parametrize(
    "ratios", [(0.8, 0.1), (0.8, 0.1, 0.2), (80, 10, 10), (1.1, -0.1, 0), (float("nan"), 0, 1), ()]
)
def test_ratios_that_do_not_add_up_are_refused(ratios):
    with pytest.raises(BadInput) as caught:
        check_ratios(ratios)
    assert caught.value.key == "data.bad_ratios"


def test_another_seed_is_another_split():
    one, same, other = (assign(plain(200), DEFAULT, seed).part for seed in (1, 1, 2))
    assert one == same != other
