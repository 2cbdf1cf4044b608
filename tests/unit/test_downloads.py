import csv
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ftkit.downloads import csv_pieces, jsonl_pieces, safe_cell

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
VALUES = st.none() | TEXTS | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.lists(TEXTS, max_size=2)  # fmt: skip
# The fourteen of the acceptance list.
PAYLOADS = [
    *("=cmd|'/c calc'!A0", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\0x", "＝1", "＋1", "－1", "＠x"),
    *("  =1+1", '=HYPERLINK("http://x","y")'),
]


def cells(columns, rows) -> list[list[str]]:
    content = b"".join(csv_pieces(columns, rows)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content, newline=""), strict=True))


def test_every_dangerous_cell_begins_with_an_apostrophe_and_header_cells_too():
    found = cells(["a", "=b"], [{"a": payload, "=b": "x"} for payload in PAYLOADS])
    assert found[0] == ["a", "'=b"]
    assert [row[0] for row in found[1:]] == [f"'{payload}" for payload in PAYLOADS]


@settings(max_examples=2000)
@given(st.sampled_from(["", " ", "   "]), st.sampled_from("=+-@\t\r\n\0＝＋－＠"), TEXTS)
def test_no_cell_begins_like_a_formula_whatever_follows(spaces, mark, rest):
    assert safe_cell(spaces + mark + rest) == f"'{spaces}{mark}{rest}"


@settings(max_examples=2000)
@given(TEXTS.filter(lambda text: not text.lstrip(" ").startswith(tuple("=+-@\t\r\n＝＋－＠"))))
def test_harmless_cells_stay_as_they_are(text):
    assert safe_cell(text) == text


@settings(max_examples=2000)
@given(st.lists(st.fixed_dictionaries({"a": VALUES, "b": VALUES}), min_size=1, max_size=4))
def test_json_lines_hold_every_value_exactly(rows):
    lines = b"".join(jsonl_pieces(rows)).decode().removesuffix("\n").split("\n")
    assert [json.loads(line) for line in lines] == rows


def test_nothing_and_nested_values_in_csv():
    assert cells(["a", "b"], [{"a": None, "b": ["x", 1]}, {"b": 5}])[1:] == [["", '["x", 1]'], ["", "5"]]


def test_many_rows_come_in_pieces():
    rows = [{"a": str(number)} for number in range(1234)]
    assert len(list(jsonl_pieces(rows))) == 3
    assert len(cells(["a"], rows)) == 1235
