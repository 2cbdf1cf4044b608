import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftkit.data.reading import delimited
from ftkit.data.reading.report import Options
from ftkit.errors import BadInput


def test_cells_stay_exact_text(read):
    cells = [
        "00123",
        "1e5",
        "NA",
        "null",
        "None",
        "TRUE",
        "nan",
        "2024-01-02",
        "=cmd|'/c calc'!A0",
        "+1",
        "-1",
        "@x",
        " x ",
    ]
    text = "a,b\n" + "".join(f"{cell},y\n" for cell in cells)
    assert [row["a"] for row in read("a.csv", text)[0]] == cells


def test_quoted_cells_hold_lines_quotes_and_separators(read):
    text = 'a,b\r\n"one\r\ntwo","say ""hi"", ok"\r\nx,y\r\n'
    rows, reading = read("a.csv", text)
    assert rows == [{"a": "one\r\ntwo", "b": 'say "hi", ok'}, {"a": "x", "b": "y"}]
    assert reading.notes == ()


@pytest.mark.parametrize(
    ("name", "separator", "noted"),
    [
        ("a.csv", ",", None),
        ("a.csv", ";", "semicolons"),
        ("a.csv", "\t", "tabs"),
        ("a.csv", "|", "bars"),
        ("a.tsv", "\t", None),
        ("a.tsv", ",", "commas"),
    ],
)
def test_the_separator_is_found(read, name, separator, noted):
    text = separator.join(["question", "answer", "note"]) + "\n"
    text += "".join(separator.join([f'"why {n}, or; not|so"', "yes", ""]) + "\n" for n in range(5))
    rows, reading = read(name, text)
    assert rows[0] == {"question": "why 0, or; not|so", "answer": "yes", "note": ""}
    assert [noted in note for note in reading.notes] == ([True] if noted else [])


def test_semicolons_win_over_commas_inside_the_text(read):
    text = "soru;cevap\n" + "Nasılsın, iyi misin;İyiyim, sağ ol, sen\n" * 5
    assert read("a.csv", text)[0][0] == {"soru": "Nasılsın, iyi misin", "cevap": "İyiyim, sağ ol, sen"}


def test_one_column_keeps_its_commas(read):
    rows, reading = read("a.csv", "text\nred, green, blue\none\n")
    assert rows == [{"text": "red, green, blue"}, {"text": "one"}]
    assert any("one column" in note for note in reading.notes)


def test_ragged_rows_are_named_and_blank_ones_counted(read):
    rows, reading = read("a.csv", "a,b\n1,2\n\n1,2,3\nonly\n,\n3,4\n")
    assert rows == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert [(item.line, item.reason) for item in reading.skipped] == [
        (4, "3 fields where the header has 2"),
        (5, "1 fields where the header has 2"),
    ]
    assert "Blank lines left out: 2." in reading.notes


def test_a_quote_closed_in_mid_field_is_named_with_its_lines(read):
    rows, reading = read("a.csv", 'a,b\n1,2\n"open,\nx "y" z",2\n3,4\n')
    assert rows == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert [(item.line, "lines 3 to 4" in item.reason) for item in reading.skipped] == [(3, True)]


def test_a_quote_that_is_never_closed_is_refused_where_it_opens(read):
    with pytest.raises(BadInput) as caught:
        read("a.csv", 'a,b\n1,2\n3,"open\n' + "5,6\n" * 10)
    assert caught.value.key == "data.open_quote"
    assert "Line 3:" in str(caught.value)


def test_a_row_over_the_limit_is_refused(read, monkeypatch):
    monkeypatch.setattr(delimited, "ROW_LENGTH_LIMIT", 100)
    with pytest.raises(BadInput, match="Line 3:"):
        read("a.csv", "a,b\n1,2\n" + "x" * 200 + ",2\n")


def test_a_field_over_the_limit_of_the_csv_module_is_taken(read):
    long = "x" * 200_000
    assert read("a.csv", f'a,b\n"{long}",2\n')[0] == [{"a": long, "b": "2"}]


def test_a_nul_is_refused_by_row(read):
    rows, reading = read("a.csv", "a,b\n1,2\nx\0y,2\n")
    assert len(rows) == 1
    assert [(item.line, item.reason) for item in reading.skipped] == [(3, "a NUL character in “a”")]


def test_strange_header_names_are_renamed_and_noted(read):
    rows, reading = read("a.csv", f"a,a,,{'x' * 5000}\n1,2,3,4\n")
    assert rows == [{"a": "1", "column_2": "2", "column_3": "3", "column_4": "4"}]
    assert len(reading.notes) == 3


def test_too_many_columns(read):
    with pytest.raises(BadInput) as caught:
        read("a.csv", ",".join(f"c{n}" for n in range(201)) + "\n" + "," * 200 + "\n")
    assert caught.value.key == "data.too_many_columns"


def test_a_header_alone_has_no_rows(read):
    with pytest.raises(BadInput) as caught:
        read("a.csv", "a,b\n")
    assert caught.value.key == "data.no_rows"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_give_the_same_rows(read, end):
    assert read("a.csv", end.join(["a,b", "1,2", "3,4", ""]))[0] == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": "4"},
    ]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(CELLS, CELLS).filter(lambda row: any(cell.strip() for cell in row)), min_size=1, max_size=6
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_cells_come_back_exactly(read, rows, separator, end):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(
        [("left", "right"), *rows]
    )
    got, reading = read("a.csv", text.getvalue())
    assert [(row["left"], row["right"]) for row in got] == rows
    assert reading.skipped_count == 0


@pytest.mark.parametrize(
    ("first", "is_data"),
    [
        ("question,answer", False),
        ("name,2023", False),
        ("Timestamp,What is your name?", False),
        ("What is the sum of both?,4", True),
        ("Is it open? Yes.,Yes it is.", True),
        ("1,2", True),
    ],
)
def test_a_first_line_that_reads_like_a_row_is_one(read, first, is_data):
    rows, reading = read("a.csv", f"{first}\nWhy not?,Because.\n")
    assert len(rows) == 1 + is_data
    assert any("looks like data" in note for note in reading.notes) == is_data
    assert (reading.columns == ("column_1", "column_2")) == is_data


def test_what_the_person_says_goes_before_what_it_looks_like(read):
    assert read("a.csv", "a,b\n1,2\n", Options(header=False))[0][0] == {"column_1": "a", "column_2": "b"}
    assert read("a.csv", "1,2\n3,4\n", Options(header=True))[0] == [{"1": "3", "2": "4"}]
    rows, reading = read("a.csv", "a,b;c\n1,2;3\n", Options(delimiter=";"))
    assert rows == [{"a,b": "1,2", "c": "3"}]
    assert "Columns are separated by semicolons." in reading.notes
    assert read("a.csv", "a^b\n1^2\n", Options(delimiter="^"))[0] == [{"a": "1", "b": "2"}]
    assert read("a.csv", "a\tb\n1\t2\n", Options(delimiter="tab"))[0] == [{"a": "1", "b": "2"}]
    for mark in ("ab", '"', "\n"):
        with pytest.raises(BadInput, match="cannot separate"):
            read("a.csv", "a\nb\n", Options(delimiter=mark))
    rows, _ = read("a.csv", "soru\nığş\n".encode("cp1254"), Options(encoding="windows-1254"))
    assert rows == [{"soru": "ığş"}]
    for options in (Options(encoding="base64"), Options(encoding="nonsense")):
        with pytest.raises(BadInput, match="no encoding"):
            read("a.csv", "a\nb\n", options)
