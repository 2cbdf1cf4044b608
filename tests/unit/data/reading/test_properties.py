"""Whatever the bytes are, each reader answers: rows and counts, or one of our refusals. 2,000 examples each."""

import csv
import io
import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftkit.data.reading import readers
from ftkit.data.reading.archives import Source
from ftkit.errors import BadInput

EXAMPLES = settings(
    max_examples=2000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
MARKS = [
    '{"a":',
    "[",
    "]",
    "}",
    '"',
    ",",
    "\n",
    "\r",
    "null",
    "NaN",
    "1e999",
    "\\ud800",
    "=1",
    ";",
    "\t",
    "x",
    "### Talimat: ",
]
PIECES = st.lists(st.sampled_from(MARKS) | TEXTS, max_size=12).map("".join)
FILES = PIECES.map(str.encode) | st.binary(max_size=60) | PIECES.map(lambda text: text.encode("utf-16"))


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")

    def made(name: str, content: bytes):
        (folder / "file").write_bytes(content)
        reading = readers.scan([Source(folder / "file", name)], folder / "spool")
        rows = list(readers.spooled(folder / "spool"))
        assert reading.rows == len(rows) > 0
        assert set(reading.columns) >= {name for row in rows for name in row}
        return rows, reading

    return made


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.txt"])
def test_any_bytes_get_an_answer(scan, name):
    @EXAMPLES
    @given(FILES)
    def check(content: bytes) -> None:
        with suppress(BadInput):
            scan(name, content)

    check()


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.tsv", "\t")])
def test_written_cells_come_back(scan, name, mark):
    @EXAMPLES
    @given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4))
    def check(records: list) -> None:
        records = [record for record in records if any(cell.strip() for cell in record)]
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=mark, quoting=csv.QUOTE_ALL).writerows(
            [("one", "two", "three"), *records]
        )
        if not records:
            with pytest.raises(BadInput, match="no rows"):
                scan(name, buffer.getvalue().encode())
            return
        rows, reading = scan(name, buffer.getvalue().encode())
        assert [tuple(row[key] for key in ("one", "two", "three")) for row in rows] == records
        assert reading.skipped_count == 0

    check()


def test_text_lines_come_back(scan):
    lines = TEXTS.filter(lambda text: text.strip() and not {"\n", "\r"} & set(text))

    @EXAMPLES
    @given(st.lists(lines, min_size=1, max_size=5))
    def check(texts: list) -> None:
        # Nothing marks an encoding here, and nothing looks like another kind of file.
        rows, _ = scan("a.txt", "\n".join(["begin", *texts]).encode())
        assert [row["text"] for row in rows] == ["begin", *texts]

    check()


def test_objects_come_back_from_lines_and_from_a_document(scan):
    values = st.recursive(
        TEXTS | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
        max_leaves=4,
    )

    @EXAMPLES
    @given(st.lists(st.dictionaries(TEXTS, values, min_size=1, max_size=3), min_size=1, max_size=3))
    def check(rows: list) -> None:
        assert scan("a.jsonl", "\n".join(json.dumps(row) for row in rows).encode())[0] == rows
        assert scan("a.json", json.dumps(rows, ensure_ascii=False).encode())[0] == rows

    check()


def test_tables_come_back_from_parquet(scan, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    @EXAMPLES
    @given(
        st.lists(
            st.fixed_dictionaries({"a": TEXTS, "b": st.none() | st.lists(st.integers(0, 9), max_size=2)}),
            min_size=1,
            max_size=3,
        )
    )
    def check(rows: list) -> None:
        out = io.BytesIO()
        schema = pa.schema([("a", pa.string()), ("b", pa.list_(pa.int64()))])
        pq.write_table(pa.Table.from_pylist(rows, schema), out)
        found = scan("a.parquet", out.getvalue())[0]
        assert found == [{name: value for name, value in row.items() if value is not None} for row in rows]

    check()


def test_cells_come_back_from_a_workbook(scan):
    from xml.sax.saxutils import escape

    from tests.unit.data.malformed import TWO_ROWS, sheet, workbook

    cells = st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=10
    )

    @EXAMPLES
    @given(cells.filter(lambda text: "_x" not in text))
    def check(text: str) -> None:
        cell = TWO_ROWS.replace("<t>{cell}</t>", '<t xml:space="preserve">{cell}</t>').format(
            cell=escape(text)
        )
        assert scan("a.xlsx", workbook({"S": sheet(cell)}))[0] == [{"answer": text, "question": "Why?"}]

    check()
