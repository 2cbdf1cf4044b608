"""Files to send to a person: rows as CSV or JSON Lines, piece by piece.

JSON Lines hold every value exactly. CSV is for spreadsheets: a cell that one would take for a formula gets an apostrophe
in front, nested values stand as JSON. Takes rows, gives bytes; it opens no file.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any, Literal, NamedTuple

Row = dict[str, Any]
Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("jsonl", "csv", "parquet")
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}

# With these a spreadsheet begins a formula, also behind spaces; some programs read their wide forms alike.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
_BATCH = 500


class Download(NamedTuple):
    """A file to send: the name it shall have, and its content piece by piece."""

    filename: str
    media_type: str
    pieces: Iterator[bytes]


def csv_pieces(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """A CSV file in UTF-8 with its mark, which spreadsheets need to see it."""
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([safe_cell(name) for name in columns])
    yield b"\xef\xbb\xbf"
    for number, row in enumerate(rows, start=1):
        writer.writerow([safe_cell(_cell(row.get(name))) for name in columns])
        if number % _BATCH == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def jsonl_pieces(rows: Iterable[Row]) -> Iterator[bytes]:
    """One object per line, in UTF-8."""
    lines: list[str] = []
    for row in rows:
        lines.append(json.dumps(row, ensure_ascii=False, allow_nan=False))
        if len(lines) == _BATCH:
            yield "".join(f"{line}\n" for line in lines).encode()
            lines = []
    yield "".join(f"{line}\n" for line in lines).encode()


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP ASVS 1.2.10)."""
    return f"'{text}" if text.startswith(_DANGEROUS) or text.lstrip(" ").startswith(_DANGEROUS) else text


def plain_name(name: str) -> str:
    """A name for a file that every file system takes."""
    plain = "".join(character if character.isalnum() or character in "-_." else "-" for character in name)
    return plain.strip("-.")[:80] or "rows"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _taken(buffer: StringIO) -> bytes:
    """What is in the buffer, which is empty afterwards."""
    content = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return content
