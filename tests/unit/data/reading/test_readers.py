import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftkit.data.reading import admission, readers, report
from ftkit.errors import BadInput


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def test_columns_that_miss_or_mix_are_noted(read):
    lines = [{"a": "x", "b": 1}, {"a": ["y"], "b": 2}, {"b": None, "a": "z"}]
    rows, reading = read("a.jsonl", "\n".join(map(json.dumps, lines)))
    assert rows == [{"a": "x", "b": 1}, {"a": ["y"], "b": 2}, {"a": "z"}]
    assert reading.columns == ("a", "b")
    assert set(reading.json_columns) == {"a", "b"}
    assert "“b” is missing in 1 rows." in reading.notes
    assert any("“a” holds different kinds of values" in note for note in reading.notes)


def test_the_hash_is_that_of_the_rows_and_not_of_the_file(read):
    one = read("a.jsonl", '{"a": "x", "b": "y"}\n\n{"a": "z"}')[1]
    other = read("a.json", '[{"b":"y","a":"x"},{"a":"z","b":null}]')[1]
    table = read("a.jsonl", '{"a": "x", "b": "y"}\n{"a": "Z"}')[1]
    assert one.content_hash == other.content_hash != table.content_hash
    assert one.content_hash.startswith("sha256:")


def test_too_many_rows_are_refused_while_counting(read, monkeypatch):
    monkeypatch.setattr(readers, "ROWS_LIMIT", 5)
    monkeypatch.setattr(report, "ROWS_LIMIT", 5)
    assert len(read("a.csv", "a,b\n" + "1,2\n" * 5)[0]) == 5
    with pytest.raises(BadInput, match="more than 5 rows"):
        read("a.csv", "a,b\n" + "1,2\n" * 6)


def test_too_many_keys_are_refused(read):
    with pytest.raises(BadInput) as caught:
        read("a.jsonl", "\n".join(json.dumps({f"key{n}": "x"}) for n in range(300)))
    assert caught.value.key == "data.too_many_columns"


def test_a_long_row_of_a_document_is_refused_by_row(read, monkeypatch):
    monkeypatch.setattr(admission, "ROW_LENGTH_LIMIT", 50)
    rows, reading = read("a.json", json.dumps([{"a": "x"}, {"a": "y" * 100}]))
    assert rows == [{"a": "x"}]
    assert [(item.line, "longer than 50" in item.reason) for item in reading.skipped] == [(1, True)]


def test_when_nothing_can_be_read_the_first_reason_is_given(read):
    with pytest.raises(BadInput) as caught:
        read("a.jsonl", "nonsense\nmore\n" + "x\n" * 200)
    assert caught.value.key == "data.no_good_rows"
    assert caught.value.values["count"] == 202
    assert "Line 1: column 1" in str(caught.value)


def test_only_the_first_hundred_skipped_lines_are_kept_but_all_are_counted(read):
    _, reading = read("a.jsonl", '{"a": 1}\n' + "x\n" * 150)
    assert (reading.skipped_count, len(reading.skipped)) == (150, 100)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.sampled_from(["a.csv", "a.tsv", "a.json", "a.jsonl", "a.txt", "a.parquet", "a.xlsx"]),
    st.binary(max_size=60)
    | st.text(st.sampled_from('{}[]",:ab1\n\r\t;|\\ \ud83d\u2028'), max_size=60).map(_encoded),
)
def test_any_bytes_give_rows_or_a_refusal(read, name, content):
    try:
        rows, reading = read(name, content)
    except BadInput:
        return
    assert len(rows) == reading.rows > 0
