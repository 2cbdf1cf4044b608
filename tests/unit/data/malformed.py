"""Makes the malformed files of the acceptance list (M01–M93): name and bytes of each, with the answer it must get.

A file is refused by key with a text in the sentence, or taken with so many rows and skipped lines and a note. Those that
only mean something to the training (M68–M83) name the reason for which their rows are left out.
"""

import gzip
import io
import json
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from typing import NamedTuple

GOOD = {"question": "Why?", "answer": "Because."}
LINE = json.dumps(GOOD).encode()


class Case(NamedTuple):
    number: str
    name: str
    make: Callable[[], bytes]
    refused: tuple[str, ...] = ()  # any of these keys
    says: str = ""  # in the refusal, in a reason of a skipped line, or in a note
    rows: int | None = None
    skipped: int = 0


CASES: list[Case] = []


def case(number: str, name: str, *refused: str, says: str = "", rows: int | None = None, skipped: int = 0):
    def enter(make: Callable[[], bytes]) -> Callable[[], bytes]:
        CASES.append(Case(number, name, make, refused, says, rows, skipped))
        return make

    return enter


def given(
    number: str, name: str, content: bytes, *refused: str, says: str = "", rows=None, skipped=0
) -> None:
    case(number, name, *refused, says=says, rows=rows, skipped=skipped)(lambda: content)


def lines(*rows: bytes | str | dict) -> bytes:
    texts = [row if isinstance(row, str | bytes) else json.dumps(row) for row in rows]
    return b"\n".join(text.encode() if isinstance(text, str) else text for text in texts) + b"\n"


# Files and containers

given("M01", "a.jsonl", b"", "data.empty_file", says="empty")
given("M02", "a.jsonl", b" \n\n \n", "data.no_rows")
given("M03", "a.csv", b"question,answer\n", "data.no_rows")
given("M09", "a.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "data.binary_file", says="PNG")
given("M10", "a.jsonl", b"\x7fELF\x02\x01\x01" + b"\0" * 50, "data.binary_file", says="program")
given("M11", "a.json", b"<!DOCTYPE html><html><body>404</body></html>", "data.binary_file", says="web page")
given("M12", "a.parquet", b"\x93NUMPY\x01\x00" + b"\0" * 50, "data.binary_file", says="NumPy")
given("M13", "data.jsonl.exe", LINE, "data.unknown_kind", says=".jsonl")
given("M13", "data.jsonl.gz", gzip.compress(lines(GOOD, GOOD)), rows=2)
given("M13", "data.7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 50, "data.binary_file", says="unpack it first")
given("M13", "data.tar", b"\0" * 257 + b"ustar" + b"\0" * 250, "data.binary_file", says="unpack it first")


class Touch:
    """Unpickled, it would leave a mark."""

    def __init__(self, mark: str = "malformed-mark") -> None:
        self.mark = mark

    def __reduce__(self):
        import pathlib

        return pathlib.Path(self.mark).touch, ()


@case("M12", "model.parquet", "data.binary_file", says="pickle")
def a_pickle() -> bytes:
    return pickle.dumps(Touch())


@case("M12", "model.parquet", "data.nothing_inside")
def a_torch_file() -> bytes:
    return zipped({"archive/data.pkl": pickle.dumps(Touch()), "archive/version": b"3"})


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@case("M10", "renamed.jsonl", rows=1)
def a_zip_under_another_name() -> bytes:
    return zipped({"a.csv": b"question,answer\nWhy?,Because.\n"})


@case("M13", "data.zip", says="Left out of the archive", rows=3)
def a_zip_of_two_files() -> bytes:
    return zipped(
        {
            "one/a.jsonl": lines(GOOD, GOOD),
            "b.csv": b"question,answer\nWhy?,Because.\n",
            "read.me": b"x",
            "inner.zip": b"PK",
            "__MACOSX/._a.jsonl": b"\0",
        }
    )


@case("M14", "bomb.jsonl.gz", "data.archive_bomb")
def a_gzip_bomb() -> bytes:
    return gzip.compress(b"0" * 50_000_000)


@case("M14", "bomb.zip", "data.archive_bomb", "data.damaged_archive")
def a_zip_that_lies_about_its_size() -> bytes:
    content = zipped({"a.jsonl": b"0" * 50_000_000})
    return content.replace(struct.pack("<I", 50_000_000), struct.pack("<I", 5_000))


SHEET = (
    '<?xml version="1.0"?>{doctype}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{rows}</sheetData>{after}</worksheet>"
)
TWO_ROWS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>question</t></is></c><c r="B1" t="inlineStr"><is><t>answer</t></is></c></row>'
    '<row r="2"><c r="A2" t="inlineStr"><is><t>Why?</t></is></c><c r="B2" t="inlineStr"><is><t>{cell}</t></is></c></row>'
)


def workbook(
    sheets: dict[str, str], extra: dict[str, bytes] | None = None, states: dict[str, str] | None = None
) -> bytes:
    main = "http://schemas.openxmlformats.org"
    files: dict[str, bytes] = {}
    listed, relations, types = "", "", ""
    for number, (name, xml) in enumerate(sheets.items(), start=1):
        files[f"xl/worksheets/sheet{number}.xml"] = xml.encode()
        state = (states or {}).get(name, "visible")
        listed += f'<sheet name="{name}" sheetId="{number}" state="{state}" r:id="rId{number}"/>'
        relations += (
            f'<Relationship Id="rId{number}" Target="worksheets/sheet{number}.xml" '
            f'Type="{main}/officeDocument/2006/relationships/worksheet"/>'
        )
        types += (
            f'<Override PartName="/xl/worksheets/sheet{number}.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        )
    files["xl/workbook.xml"] = (
        f'<?xml version="1.0"?><workbook xmlns="{main}/spreadsheetml/2006/main" '
        f'xmlns:r="{main}/officeDocument/2006/relationships"><sheets>{listed}</sheets></workbook>'
    ).encode()
    package = f"{main}/package/2006"
    files["xl/_rels/workbook.xml.rels"] = (
        f'<Relationships xmlns="{package}/relationships">{relations}</Relationships>'.encode()
    )
    files["_rels/.rels"] = (
        f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Target="xl/workbook.xml" '
        f'Type="{main}/officeDocument/2006/relationships/officeDocument"/></Relationships>'
    ).encode()
    files["[Content_Types].xml"] = (
        f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" '
        f'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>{types}</Types>'
    ).encode()
    return zipped({**files, **(extra or {})})


def sheet(rows: str = TWO_ROWS.format(cell="Because."), doctype: str = "", after: str = "") -> str:
    return SHEET.format(rows=rows, doctype=doctype, after=after)


@case("M15", "bomb.xlsx", "data.workbook_bomb")
def a_workbook_bomb() -> bytes:
    return workbook({"S": sheet()}, {"xl/worksheets/sheet9.xml": b"<row/>" * 20_000_000})


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


@case("M16", "laughs.xlsx", "data.damaged_workbook")
def billion_laughs() -> bytes:
    return workbook({"S": sheet(TWO_ROWS.format(cell="&i;"), doctype=LAUGHS)})


@case("M17", "entity.xlsx", "data.damaged_workbook")
def an_external_entity() -> bytes:
    doctype = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return workbook({"S": sheet(TWO_ROWS.format(cell="&e;"), doctype=doctype)})


def entity_at(url: str) -> bytes:
    return workbook(
        {"S": sheet(TWO_ROWS.format(cell="&e;"), doctype=f'<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>')}
    )


@case("M18", "formulas.xlsx", says="Formulas that were not evaluated: 2", rows=1)
def formulas() -> bytes:
    cells = (
        '<row r="1"><c r="A1" t="str"><f>"question"</f><v>question</v></c>'
        '<c r="B1" t="inlineStr"><is><t>answer</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>2+2</t></is></c>'
        '<c r="B2" t="str"><f>HYPERLINK("http://127.0.0.1:9/x","4")</f><v>4</v></c></row>'
    )
    return workbook({"S": sheet(cells)}, {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"})


@case("M19", "macros.xlsm", "data.macros")
def macros() -> bytes:
    return workbook({"S": sheet()}, {"xl/vbaProject.bin": b"x"})


given("M19", "old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "data.binary_file", says=".xlsx")


@case("M19", "open.ods", "data.binary_file", says="OpenDocument")
def an_open_document() -> bytes:
    return zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"})


given(
    "M20",
    "locked.xlsx",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500,
    "data.binary_file",
    says="password",
)


@case("M21", "sheets.xlsx", says="“Shown”", rows=1)
def three_sheets() -> bytes:
    return workbook({"Secret": sheet(), "Shown": sheet(), "Third": sheet()}, states={"Secret": "hidden"})


@case("M22", "empty.xlsx", says="Merged cells: 1", rows=1)
def a_million_formatted_empty_rows() -> bytes:
    empty = "".join(f'<row r="{row}"><c r="A{row}" s="1"/></row>' for row in range(3, 1_048_577))
    return workbook(
        {
            "S": sheet(
                TWO_ROWS.format(cell="Because.") + empty,
                after='<mergeCells><mergeCell ref="A1:A2"/></mergeCells>',
            )
        }
    )


# Parquet


def parquet(columns: dict, **options) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


@case("M23", "cut.parquet", "data.damaged_parquet")
def a_cut_footer() -> bytes:
    return parquet({"question": ["Why?"] * 1000})[:-20]


given("M23", "random.parquet", b"PAR1" + random.Random(1).randbytes(2000) + b"PAR1", "data.damaged_parquet")


@case("M24", "bomb.parquet", "data.too_many_rows", "data.parquet_bomb", "data.too_much_memory")
def a_parquet_bomb() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 900_000]))
    with pq.ParquetWriter(out, pa.schema([("question", text.type)]), compression="zstd") as writer:
        for _ in range(11):
            writer.write_table(pa.table({"question": text}))
    return out.getvalue()


@case("M26", "nested.parquet", rows=1)
def nested_columns() -> bytes:
    import pyarrow as pa

    turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
    return parquet({"messages": [turns], "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))})


@case("M27", "extension.parquet", rows=1)
def an_extension_type() -> bytes:
    import pyarrow as pa

    field = pa.field(
        "question",
        pa.string(),
        metadata={
            b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": pickle.dumps(Touch()),
        },
    )
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(["Why?"])], schema=pa.schema([field])), out)
    return out.getvalue()


@case("M28", "wide.parquet", "data.too_many_columns", says="200")
def ten_thousand_columns() -> bytes:
    return parquet({f"c{number}": ["x"] for number in range(10_000)})


@case("M29", "types.parquet", says="was turned into text", rows=1)
def other_types_in_the_text_column() -> bytes:
    from datetime import datetime
    from decimal import Decimal

    import pyarrow as pa

    return parquet(
        {
            "text": [datetime(2024, 1, 2)],
            "price": [Decimal("1.5")],
            "bytes": [b"abc"],
            "kind": pa.array(["x"]).dictionary_encode(),
        }
    )


@case("M30", "encrypted.parquet", "data.damaged_parquet", says="encrypt")
def an_encrypted_file() -> bytes:
    content = bytearray(parquet({"question": ["Why?"]}))
    content[:4] = content[-4:] = b"PARE"
    return b"PAR1" + bytes(content[4:])


# Encoding

given("M31", "a.jsonl", b"\xef\xbb\xbf" + lines(GOOD), rows=1)
given("M32", "a.jsonl", lines(GOOD, GOOD).decode().encode("utf-16"), says="UTF-16", rows=2)
given("M32", "a.jsonl", lines(GOOD, GOOD).decode().encode("utf-32"), says="UTF-32", rows=2)
given("M33", "a.csv", b"question,answer\nWhy?,It\x92s so\n", says="guess", rows=1)


@case("M34", "a.jsonl", says="0xff", rows=50_000, skipped=1)
def one_bad_byte() -> bytes:
    rows = [LINE] * 50_001
    rows[49_999] = b'{"question": "Why?", "answer": "\xff"}'
    return lines(*rows)


given("M35", "a.jsonl", lines(GOOD, '{"question": "\\ud800"}'), says="U+D800", rows=1, skipped=1)
given("M36", "a.csv", b"question,answer\nWhy?,a\0b\nWhy?,Because.\n", says="NUL", rows=1, skipped=1)
given(
    "M37",
    "a.jsonl",
    lines({"question": "\x1b[31mred", "answer": "\x85\x9b"}, GOOD),
    says="control characters, which no page shows: 1",
    rows=2,
)
given(
    "M38",
    "a.jsonl",
    lines('{"question": "a\u202eb\u200bc", "answer": "x"}', GOOD),
    says="direction-changing characters: 1",
    rows=2,
)
given(
    "M39", "a.jsonl", lines({"question": "é", "answer": "x"}, {"question": "e\u0301", "answer": "x"}), rows=2
)
given("M40", "a.csv", b"question,answer\r\nWhy?,A\rWhy?,B\nWhy?,C\r\n", rows=3)
given("M41", "a.jsonl", '{"question": "a\u2028b\u2029c\u0085d", "answer": "x"}\n'.encode(), rows=1)

# JSON

given("M42", "a.jsonl", json.dumps([GOOD, GOOD], indent=2).encode(), says="one JSON document", rows=2)
given("M43", "a.jsonl", json.dumps([GOOD, GOOD]).encode(), says="one JSON document", rows=2)
given("M43", "a.json", lines(GOOD, GOOD), says="one JSON object per line", rows=2)
given("M44", "a.json", json.dumps({"data": [GOOD, GOOD]}).encode(), says="list under “data”", rows=2)
given(
    "M44",
    "a.json",
    json.dumps({"train": [GOOD, GOOD], "test": [GOOD]}).encode(),
    says="Not read: test",
    rows=2,
)
given("M45", "a.json", b'[{"a": 1},\n]', "data.json_syntax", says="Line 2, column 1")
given("M45", "a.json", b'[{"a": 1} // note\n]', "data.json_syntax", says="Line 1, column 11")
given("M45", "a.json", b"[{'a': 1}]", "data.json_syntax", says="Line 1, column 3")
given("M45", "a.json", b'[{"a": None}]', "data.json_syntax", says="Line 1, column 8")
given("M46", "a.jsonl", lines(GOOD) + LINE[:-10], says="not valid JSON", rows=1, skipped=1)
given("M47", "a.jsonl", lines(GOOD, "", "", GOOD), says="Blank lines left out: 2", rows=2)
given(
    "M48", "a.jsonl", lines(GOOD, '{"a": "x"} {"a": "y"}'), says="column 12: more than one", rows=1, skipped=1
)
given("M49", "a.jsonl", lines(GOOD, '{"a": NaN}', '{"a": -Infinity}'), says="NaN", rows=1, skipped=2)
given("M50", "a.jsonl", lines(GOOD, '{"a": 1e999}'), says="1e999", rows=1, skipped=1)
given("M51", "a.jsonl", lines(GOOD, '{"a": ' + "7" * 5000 + "}"), says="5000 digits", rows=1, skipped=1)
given(
    "M52",
    "a.jsonl",
    lines(GOOD, '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    says="deeper than 64",
    rows=1,
    skipped=1,
)
given("M52", "a.json", b'[{"a": ' + b"[" * 100_000, "data.json_too_deep", says="64")
given("M53", "a.jsonl", lines(GOOD, '{"a": 1, "a": 2}'), says="stands twice", rows=1, skipped=1)
given(
    "M54", "a.jsonl", lines(GOOD, "[1]", '"x"', "null", "7"), says="a list where an object", rows=1, skipped=4
)
given(
    "M55",
    "a.jsonl",
    lines({"a": 1}, {"a": 2}, {"a": "x"}, {"a": [1]}),
    says="a number (line 1) and text (line 3)",
    rows=4,
)
given(
    "M56",
    "a.jsonl",
    lines(*[GOOD] * 97, *[{"question": "x"}] * 3),
    says="“answer” is missing in 3 rows",
    rows=100,
)


@case("M57", "a.jsonl", "data.no_good_rows", says="longer than 1000000")
def one_line_of_100_megabytes() -> bytes:
    return b'{"a": "' + b"x" * 100_000_000 + b'"}\n'


@case("M58", "a.jsonl", "data.too_many_rows")
def ten_million_tiny_rows() -> bytes:
    return b'{"a":1}\n' * 10_000_000


@case("M58", "a.csv", "data.too_many_rows")
def ten_million_tiny_records() -> bytes:
    return b"a,b\n" + b"x,y\n" * 10_000_000


# CSV and text

given(
    "M59", "a.csv", b'question,answer\nWhy?,A\nWhy?,"never closed\nWhy?,B\n', "data.open_quote", says="Line 3"
)
given("M60", "a.csv", b"question,answer\nWhy?," + b"x" * 200_000 + b"\n", rows=1)
given(
    "M61", "a.csv", b"a,b,c\n1,2\nx,y,z\n1,2,3,4\n", says="2 fields where the header has 3", rows=1, skipped=2
)
given("M62", "a.csv", b"question;answer\nWhy?;A\nWhy?;B\n", says="separated by semicolons", rows=2)
given("M62", "b.csv", b"question\tanswer\nWhy?\tA\n", says="separated by tabs", rows=1)
given("M63", "a.csv", b"a,a,," + b"n" * 5000 + b"\n1,2,3,4\n", says="it is now “column_2”", rows=1)
given(
    "M64", "a.csv", b"What is the sum of it?,4\nWhat is the rest of it?,5\n", says="looks like data", rows=2
)
given("M65", "a.csv", b'question,answer\n"=cmd|\'/c calc\'!A0",+1\n-1,@x\n"\tx","\rx"\n', rows=3)
given("M66", "a.csv", b"a,b,c,d\n00123,1e5,NA,null\nNone,TRUE,nan,2024-01-02\n", rows=2)
given("M67", "a.csv", b'question,answer\n"two\nlines","say ""hi"""\n', rows=1)

# What the rows mean: all are read, and the reason says why they are left out

MEANING: list[tuple[str, dict, str]] = [
    ("M68", {"messages": "hello"}, "not a list of messages"),
    ("M68", {"messages": []}, "not a list of messages"),
    ("M69", {"messages": [{"content": "x"}]}, "message 1 has no role"),
    ("M69", {"messages": [{"role": "user"}, {"role": "assistant", "content": "x"}]}, "message 1 has no text"),
    ("M70", {"messages": [{"role": "wizard", "content": "x"}]}, "unknown role “wizard”"),
    ("M71", {"messages": [{"role": "user", "content": 7}]}, "content of message 1 is a number"),
    (
        "M71",
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        "part of the kind “image_url”",
    ),
    ("M72", {"messages": [{"role": "user", "content": "x"}]}, "there is no answer"),
    (
        "M75",
        {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": " "}]},
        "there is no answer",
    ),
    (
        "M83",
        {
            "messages": [
                {"role": "user", "content": "x"},
                {"role": "assistant", "content": "", "tool_calls": "search"},
            ]
        },
        "calls a tool without a name",
    ),
    (
        "M83",
        {
            "messages": [
                {"role": "user", "content": "x"},
                {"role": "assistant", "tool_calls": [{"function": {}}]},
            ]
        },
        "calls a tool without a name",
    ),
]
