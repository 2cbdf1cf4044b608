from ftkit.data.splits.leaks import count
from ftkit.data.splits.rows import content, sort_out
from ftkit.data.splits.splitting import Row

MAPPING = {"user": "q", "assistant": "a"}


def key(row, mapping=MAPPING):
    return content(row, mapping)[0]


def test_the_key_is_what_is_learned_and_nothing_else():
    row = {"id": "1", "q": "x", "a": "y"}
    assert key(row) == key({**row, "id": "2"}) != key({**row, "a": "z"})
    assert key({"q": "x\x00", "a": "y"}) != key({"q": "x", "a": "\x00y"})
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    assert content({"m": turns}, {"messages": "m"}) == (key(row), "x\ny", False)
    trimmed = content({"m": [*turns, {"role": "user", "content": "bye"}]}, {"messages": "m"})
    assert trimmed == (key(row), "x\ny", True)


def test_near_duplicates_are_sought_in_what_rows_do_not_share():
    alpaca = {"system": "s", "instruction": "t", "user": "i", "assistant": "o"}
    row = {"s": "You sort.", "t": "Sort this.", "i": "my parcel", "o": "late"}
    assert content(row, alpaca)[1] == "my parcel\nlate"
    assert content({**row, "i": " "}, alpaca)[1] == "Sort this.\nlate"
    assert content({"t": "whole"}, {"text": "t"})[1] == "whole"


def test_rows_that_cannot_be_trained_on_are_counted_by_reason():
    rows = [{"q": "x", "a": "y"}, {"q": "", "a": "y"}, {"q": "x", "a": ""}, {"q": "", "a": ""}]
    found = sort_out(rows, MAPPING)
    assert list(found.rows) == [0]
    assert found.left_out == [(1, "“q” is empty"), (2, "“a” is empty"), (3, "“q” is empty")]
    assert found.reasons() == {"“q” is empty": 2, "“a” is empty": 1}


def test_rare_reasons_are_added_up():
    turns = [{"role": "user", "content": "x"}]
    rows = [{"m": [*turns * n, 7]} for n in range(30)]
    reasons = sort_out(rows, {"messages": "m"}).reasons()
    assert (len(reasons), reasons["other reasons"], sum(reasons.values())) == (21, 10, 30)


def test_rows_without_a_group_or_a_label_are_counted():
    rows = [{"q": f"{n}", "a": "y", "g": value} for n, value in enumerate(["x", " ", None, 7])]
    found = sort_out(rows, MAPPING, "g", "g")
    assert [row.group for row in found.rows.values()] == ["x", "", "", "7"]
    assert (found.without_group, found.without_label) == (2, 2)


def test_leaks_are_counted_in_rows_by_kind():
    rows = {
        "train": {0: Row("a", "one"), 1: Row("a", "one"), 2: Row("b", "two", "g")},
        "validation": {3: Row("c", "three")},
        "test": {4: Row("a", "one"), 5: Row("d", "four", "g")},
    }
    seen = []

    def clusters(texts):
        seen.extend(texts)
        return [[2, 3], [0, 1]]

    assert count(rows, clusters) == {"exact": 3, "near": 2, "group": 2}
    assert seen == ["one", "one", "two", "three", "one", "four"]
    assert count(
        {"train": {0: Row("a", "x")}, "validation": {}, "test": {1: Row("b", "y")}}, lambda _: []
    ) == {
        "exact": 0,
        "near": 0,
        "group": 0,
    }
