import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ftkit.data.reading import readers, tables
from ftkit.data.reading.archives import Source
from ftkit.errors import BadInput


@pytest.fixture
def read_table(tmp_path):
    def made(table, name="a.parquet"):
        path = tmp_path / name
        if not isinstance(table, pa.Table):
            path = table
        else:
            pq.write_table(table, path)
        spool = tmp_path / "spool"
        reading = readers.scan([Source(path, path.name)], spool)
        return list(readers.spooled(spool)), reading

    return made


def test_nested_values_come_through(read_table):
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    rows, reading = read_table(pa.table({"messages": [turns, turns], "id": [1, 2], "tag": ["a", None]}))
    assert rows == [{"id": 1, "messages": turns, "tag": "a"}, {"id": 2, "messages": turns}]
    assert set(reading.json_columns) == {"messages", "id"}
    assert "“tag” is missing in 1 rows." in reading.notes


def test_dates_and_decimals_become_text_with_a_note(read_table):
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5)
    rows, reading = read_table(
        pa.table(
            {
                "when": pa.array([moment], pa.timestamp("ns")),
                "price": pa.array([Decimal("1.50")], pa.decimal128(5, 2)),
                "inside": [[moment.date()]],
                "kind": pa.array(["x"]).dictionary_encode(),
                "bytes": [b"abc"],
            }
        )
    )
    assert rows[0]["price"] == "1.50"
    assert rows[0]["when"].startswith("2024-01-02 03:04:05")
    assert (rows[0]["inside"], rows[0]["kind"], rows[0]["bytes"]) == (["2024-01-02"], "x", "abc")
    assert sum("was turned into text" in note for note in reading.notes) == 2


def test_values_that_json_does_not_hold_are_refused_by_row(read_table):
    rows, reading = read_table(pa.table({"a": [1.0, float("nan"), float("inf")], "b": [b"x", b"y", b"\xff"]}))
    assert rows == [{"a": 1.0, "b": "x"}]
    assert [item.line for item in reading.skipped] == [2, 3]


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"x" * 200 + b"PAR1", b"PAR1" + b"\x00" * 50])
def test_damaged_parquet(write, read_table, content):
    with pytest.raises(BadInput) as caught:
        read_table(write("a.parquet", content))
    assert caught.value.key == "data.damaged_parquet"


def test_a_cut_off_parquet_file(write, tmp_path, read_table):
    pq.write_table(pa.table({"a": ["x"] * 1000}), tmp_path / "whole.parquet")
    path = write("cut.parquet", (tmp_path / "whole.parquet").read_bytes()[:-20])
    with pytest.raises(BadInput) as caught:
        read_table(path)
    assert caught.value.key == "data.damaged_parquet"


def test_the_footer_is_believed_before_the_rows_are_read(read_table, monkeypatch):
    monkeypatch.setattr(tables, "_UNCOMPRESSED_LIMIT", 100)
    with pytest.raises(BadInput) as caught:
        read_table(pa.table({"a": ["x" * 1000]}))
    assert caught.value.key == "data.parquet_bomb"
    with pytest.raises(BadInput) as caught:
        read_table(pa.table({f"c{n}": ["x"] for n in range(201)}))
    assert caught.value.key == "data.too_many_columns"


def test_excel_cells_are_text(read_table, workbook):
    path = workbook({"Data": [["question", "answer"], ["why", 3], ["00123", 1.5], ["really", True]]})
    rows, reading = read_table(path)
    assert rows == [
        {"answer": "3", "question": "why"},
        {"answer": "1.5", "question": "00123"},
        {"answer": "TRUE", "question": "really"},
    ]
    assert reading.notes == ()


def test_the_first_visible_sheet_is_taken_and_said(read_table, workbook):
    path = workbook(
        {"Secret": ([["x"], ["no"]], "hidden"), "Shown": [["a"], ["yes"]], "Third": [["a"], ["no"]]}
    )
    rows, reading = read_table(path)
    assert rows == [{"a": "yes"}]
    assert any("“Shown”" in note and "3" in note for note in reading.notes)


def test_a_table_may_begin_lower_and_have_gaps(read_table, workbook):
    rows, reading = read_table(
        workbook({"S": [["", ""], ["a", "b"], ["1", ""], ["", ""], ["2", "3", "4"], ["5", "6"]]})
    )
    assert rows == [{"a": "1", "b": ""}, {"a": "5", "b": "6"}]
    assert [(item.line, item.reason) for item in reading.skipped] == [(5, "3 fields where the header has 2")]


def test_an_empty_sheet_has_no_rows(read_table, workbook):
    with pytest.raises(BadInput) as caught:
        read_table(workbook({"S": []}))
    assert caught.value.key == "data.no_rows"


def test_a_damaged_workbook(read_table, workbook):
    path = workbook({"S": [["a"]]}, extra={"xl/_rels/x": "x"})
    path.write_bytes(
        path.read_bytes()
        .replace(b"[Content_Types].xml", b"[Content_Typez].xml")
        .replace(b"rels/workbook.xml.rels", b"rels/workbook.xml.relz")
    )
    with pytest.raises(BadInput) as caught:
        read_table(path)
    assert caught.value.key in {"data.damaged_workbook", "data.no_sheet"}
