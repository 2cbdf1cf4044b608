import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftkit.data.reading import encodings, json_rows
from ftkit.data.reading.report import Options
from ftkit.errors import BadInput

GOOD = '{"a": "x"}'


def reasons(reading) -> list[tuple[int, str]]:
    return [(item.line, item.reason) for item in reading.skipped]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"a": 1', "not valid JSON"),
        ("{'a': 1}", "column 2: not valid JSON"),
        ('{"a": None}', "column 7"),
        ('{"a": 1,}', "not valid JSON"),
        ('{"a": 1} {"a": 2}', "column 10: more than one JSON value"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": {"b": 1e999}}', "1e999 is not a number"),
        ('{"a": ' + "7" * 5000 + "}", "a number with 5000 digits"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested deeper than 64"),
        ('{"a": ' + "[" * 65 + "]" * 65 + "}", "nested deeper than 64"),
        ('{"a": 1, "a": 2}', "“a” stands twice"),
        ('{"a": "\\ud800"}', "U+D800 in “a” is half a character"),
        ('{"a": ["x", {"b": "\\u0000"}]}', "a NUL character in “a”"),
        ("[1, 2]", "a list where an object"),
        ('"text"', "text where an object"),
        ("null", "nothing where an object"),
        ("7", "a number where an object"),
    ],
)
def test_a_bad_line_is_named_and_the_good_ones_stay(read, line, said):
    rows, reading = read("a.jsonl", f"{GOOD}\n{line}\n{GOOD}\n")
    assert rows == [{"a": "x"}] * 2
    ((number, reason),) = reasons(reading)
    assert number == 2
    assert said in reason


@pytest.mark.parametrize("depth", [1, 62])
def test_nesting_below_the_limit_is_taken(read, depth):
    value = json.loads("[" * depth + "]" * depth)
    assert read("a.jsonl", json.dumps({"a": value}) + "\n" + GOOD)[0][0] == {"a": value}


def test_text_that_looks_like_an_escape_is_no_nul(read):
    rows, reading = read("a.jsonl", json.dumps({"a": "\\u0000"}) + "\n" + GOOD)
    assert rows[0] == {"a": "\\u0000"}
    assert reading.skipped_count == 0


def test_a_line_over_the_limit_is_skipped_without_being_read_whole(read, monkeypatch):
    monkeypatch.setattr(encodings, "ROW_LENGTH_LIMIT", 50)
    rows, reading = read("a.jsonl", f'{GOOD}\n{{"a": "{"x" * 100}"}}\n{GOOD}')
    assert len(rows) == 2
    assert reasons(reading) == [(2, "the row is longer than 1000000 characters")]


def test_blank_lines_are_counted(read):
    rows, reading = read("a.jsonl", f"\n{GOOD}\n\n  \n{GOOD}\n")
    assert len(rows) == 2
    assert reading.skipped_count == 0
    assert "Blank lines left out: 3." in reading.notes


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_give_the_same_rows(read, end):
    assert read("a.jsonl", end.join([GOOD, GOOD, GOOD]))[0] == [{"a": "x"}] * 3


def test_unicode_line_separators_do_not_cut_a_row(read):
    text = "one\u2028two\u2029three\u0085four\x0bfive"
    rows, _ = read(
        "a.jsonl", json.dumps({"a": text}, ensure_ascii=False).replace("\x0b", "\\u000b") + "\n" + GOOD
    )
    assert rows[0] == {"a": text}


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("a.json", f"[{GOOD}, {GOOD}]", None),
        ("a.json", json.dumps([{"a": "x"}] * 2, indent=2), None),
        ("a.jsonl", json.dumps([{"a": "x"}] * 2, indent=2), "one JSON document"),
        ("a.jsonl", f"[\n{GOOD},\n{GOOD}\n]", "one JSON document"),
        ("a.jsonl", f"[{GOOD}, {GOOD}]", "one JSON document"),
        ("a.json", f"{GOOD}\n{GOOD}", "one JSON object per line"),
        ("a.json", f'{{"version": [1], "data": [{GOOD}, {GOOD}]}}', "list under “data”"),
        ("a.json", f'{{"version": "1", "rows": [\n{GOOD},\n{GOOD}\n], "n": 2}}', "list under “rows”"),
    ],
)
def test_the_content_says_whether_it_is_lines_or_a_document(read, name, content, note):
    rows, reading = read(name, content)
    assert rows == [{"a": "x"}] * 2
    assert [note in said for said in reading.notes] == ([True] if note else [])


def test_one_line_is_one_row(read):
    assert read("a.jsonl", GOOD)[0] == [{"a": "x"}]


def test_a_first_line_that_is_broken_does_not_make_it_a_document(read):
    rows, reading = read("a.jsonl", f'{{"a": \n{GOOD}\n{GOOD}')
    assert len(rows) == 2
    assert [item.line for item in reading.skipped] == [1]


def test_bad_items_of_a_document_carry_their_line(read):
    rows, reading = read("a.json", f'[\n{GOOD},\n{{"a": NaN}},\n5,\n{GOOD}\n]')
    assert len(rows) == 2
    assert [item.line for item in reading.skipped] == [3, 4]


def test_one_conversation_is_one_row(read):
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    rows, reading = read("a.json", json.dumps({"messages": turns}))
    assert rows == [{"messages": turns}]
    assert any("one conversation" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("content", "key", "said"),
    [
        ('[\n{"a": 1},\n]', "data.json_syntax", "Line 3, column 1"),
        ('[\n{"a": 1}\n{"a": 2}]', "data.json_syntax", "Line 3, column 1"),
        ('[{"a": 1}, // no\n]', "data.json_syntax", "Line 1, column 12"),
        ('[{"a": True}]', "data.json_syntax", "Line 1, column 8"),
        ('[{"a": 1}', "data.json_syntax", "Line 1, column 10"),
        ('[{"a": 1}] x', "data.json_syntax", "Extra data"),
        ('{"a": [{"b": 1}], }', "data.json_syntax", "Line 1"),
        ('{"a": [{"b": 1}]} x', "data.json_syntax", "Extra data"),
        ('[{"a": ' + "[" * 100_000, "data.json_too_deep", "Line 1"),
        ('{"a": "x", "b": 1}', "data.json_no_list_inside", "list of objects: [{…}"),
        ('"text"', "data.json_no_list", "single value"),
        ("[]", "data.no_rows", "no rows"),
        ("[1, 2]", "data.no_good_rows", "None of the 2 rows"),
        (" \n \n", "data.no_rows", "no rows"),
    ],
)
def test_a_broken_document_is_refused_with_its_place(read, content, key, said):
    with pytest.raises(BadInput) as caught:
        read("a.json", content)
    assert caught.value.key == key
    assert said in str(caught.value)


def test_of_several_lists_the_training_part_is_read_and_the_others_can_be_chosen(read):
    content = '{"test": [{"a": "t"}], "train": [{"a": "x"}, {"a": "y"}], "other": []}'
    rows, reading = read("a.json", content)
    assert rows == [{"a": "x"}, {"a": "y"}]
    assert reading.notes == ("The rows are the list under “train”. Not read: test.",)
    assert reading.lists == ("test", "train")
    assert read("a.json", content, Options(list_name="test"))[0] == [{"a": "t"}]
    with pytest.raises(BadInput) as caught:
        read("a.json", content, Options(list_name="none"))
    assert caught.value.key == "data.no_such_list"


def test_a_huge_document_is_refused_before_it_is_read(read, monkeypatch):
    monkeypatch.setattr(json_rows, "_WHOLE_LIMIT", 10)
    with pytest.raises(BadInput, match="JSON Lines"):
        read("a.json", f"[{GOOD}, {GOOD}]")


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), min_size=1, max_size=5), st.booleans()
)
def test_rows_come_back_exactly(read, rows, ascii_only):
    lines = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    assert read("a.jsonl", lines)[0] == rows
    assert read("a.json", json.dumps(rows, ensure_ascii=ascii_only))[0] == rows
