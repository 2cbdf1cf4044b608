import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftkit.data import storage
from ftkit.data.storage import RowsWriter, columns_of, iterate_rows, read_rows, write_rows


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.parquet"


def test_json_columns_come_back_as_they_were_and_are_named_in_the_file(path):
    rows = [{"a": "x", "b": [{"c": 1}]}, {"a": None, "b": "text"}, {"b": None}, {"a": "NA", "b": 1.5}]
    write_rows(path, rows, ["a", "b"], ["b"])
    assert read_rows(path) == [{"a": row.get("a"), "b": row["b"]} for row in rows]
    assert columns_of(path) == (["a", "b"], ["b"])
    assert b'"json_columns": ["b"]' in pq.read_schema(path).metadata[b"ftkit"]
    assert pq.read_table(path).to_pylist()[0] == {"a": "x", "b": '[{"c": 1}]'}


def test_offset_and_limit_across_batches(path, monkeypatch):
    monkeypatch.setattr(storage, "_BATCH_ROWS", 7)
    rows = [{"a": str(number)} for number in range(30)]
    write_rows(path, rows, ["a"])
    assert pq.ParquetFile(path).num_row_groups == 5
    assert read_rows(path, 5, 12) == rows[5:17]
    assert read_rows(path, 28, 12) == rows[28:]
    assert read_rows(path, 40) == []
    assert list(iterate_rows(path, 14)) == rows[14:]


def test_long_rows_make_small_batches(path, monkeypatch):
    monkeypatch.setattr(storage, "_BATCH_LENGTH", 100)
    write_rows(path, [{"a": "x" * 60}] * 5, ["a"])
    assert pq.ParquetFile(path).num_row_groups == 3


def test_no_rows_still_have_columns(path):
    write_rows(path, [], ["a", "b"])
    assert read_rows(path) == []
    assert columns_of(path) == (["a", "b"], [])


def test_the_same_rows_are_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        with RowsWriter(tmp_path / name, ["a"]) as writer:
            writer.add({"a": "x"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.fixed_dictionaries(
            {"a": TEXTS | st.none(), "b": TEXTS | st.none() | st.lists(TEXTS | st.integers())}
        ),
        max_size=6,
    )
)
def test_round_trip(path, rows):
    write_rows(path, rows, ["a", "b"], ["b"])
    assert read_rows(path) == rows
