"""A file of any known kind in, rows and a report out; the one door to the readers.

Takes a path and the name that the file came with. Every row passes the same admission, whatever the format: no broken
characters, no NUL, nothing too deep or too long, only what JSON can hold. It keeps no row in memory.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ftkit.data.phrases import kind_of_value
from ftkit.data.reading.delimited import read_delimited
from ftkit.data.reading.detect import Kind, kind_of
from ftkit.data.reading.json_rows import read_json
from ftkit.data.reading.plain_text import read_text
from ftkit.data.reading.report import (
    COLUMNS_LIMIT,
    DEPTH_LIMIT,
    ROW_LENGTH_LIMIT,
    ROWS_LIMIT,
    Numbered,
    Report,
    Row,
    too_many_columns,
    too_many_rows,
)
from ftkit.data.reading.tables import read_parquet, read_workbook
from ftkit.errors import BadInput
from ftkit.records import Record, Skipped

_READERS: dict[Kind, Callable[[Path, str, Report], Numbered]] = {
    "delimited": read_delimited,
    "json": read_json,
    "text": read_text,
    "parquet": read_parquet,
    "workbook": read_workbook,
}
_NOTED_COLUMNS = 10


class Reading(Record):
    """What one pass over a file found."""

    rows: int
    columns: tuple[str, ...]
    json_columns: tuple[str, ...]
    content_hash: str
    skipped_count: int
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


class _Refusal(Exception):
    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def scan(path: Path, filename: str, spool: Path) -> Reading:
    """Read a file once: its rows go to ``spool``, one JSON object per line, and what was found comes back.

    Raises:
        BadInput: the file as a whole cannot be read, is over a limit, or has no rows.
    """
    report = Report()
    digest = hashlib.sha256()
    kinds: dict[str, dict[str, int]] = {}
    count = 0
    with spool.open("wb") as stream:
        for row, text in _admitted(path, filename, report):
            count += 1
            line = text.encode() + b"\n"
            digest.update(line)
            stream.write(line)
            _count_kinds(row, kinds)
            if len(kinds) > COLUMNS_LIMIT:
                raise too_many_columns(len(kinds))
    if not count:
        raise _no_rows(report)
    _note_columns(kinds, count, report)
    report.finish()
    return Reading(
        rows=count,
        columns=tuple(kinds),
        json_columns=tuple(name for name, found in kinds.items() if found.keys() - {kind_of_value("")}),
        content_hash=f"sha256:{digest.hexdigest()}",
        skipped_count=report.skipped_count,
        skipped=tuple(report.skipped),
        notes=tuple(report.notes),
    )


def spooled(spool: Path) -> Iterator[Row]:
    """The rows that ``scan`` wrote, in the same order."""
    with spool.open("rb") as stream:
        for line in stream:
            yield json.loads(line.decode())


def _admitted(path: Path, filename: str, report: Report) -> Iterator[tuple[Row, str]]:
    reader = _READERS[kind_of(path, filename)]
    try:
        for count, (line, row) in enumerate(reader(path, filename, report), start=1):
            if count > ROWS_LIMIT:
                raise too_many_rows()
            try:
                yield row, _admit(row)
            except _Refusal as refusal:
                report.skip(line, refusal.key, **refusal.values)
    except UnicodeDecodeError as error:
        raise BadInput(
            "data.broken_encoding",
            "The text breaks off or is damaged at byte {position} ({encoding}). Save the file as UTF-8.",
            position=error.start,
            encoding=error.encoding,
        ) from error


def _admit(row: Row) -> str:
    """The row as JSON with its columns in alphabetical order, or the reason why it is not taken."""
    text = _text({name: row[name] for name in sorted(row) if row[name] is not None})
    # The escape may also stand in the text itself, so that it only calls for a closer look.
    if "\\u0000" in text or not text.isascii() and not _encodable(text):
        for name, value in row.items():
            _refuse_characters(name, value)
    if len(text) > ROW_LENGTH_LIMIT:
        raise _Refusal("row_too_long", limit=ROW_LENGTH_LIMIT)
    return text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _text(row: Row) -> str:
    if any(isinstance(value, list | dict) for value in row.values()) and _is_deep(row):
        raise _Refusal("json_too_deep", limit=DEPTH_LIMIT)
    try:
        return _json(row)
    except (ValueError, TypeError):
        for name, value in row.items():
            _refuse_value(name, value)
        raise


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_LIMIT + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_value(name: str, value: Any) -> None:
    try:
        _json(value)
    except ValueError:
        raise _Refusal("json_not_finite", value=f"“{name}”") from None
    except TypeError:
        raise _Refusal("not_text", name=name, found=type(value).__name__) from None


def _refuse_characters(name: str, value: Any) -> None:
    for text in _texts({name: value}):
        if "\0" in text:
            raise _Refusal("nul_character", name=name)
        half = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
        if half and "\udc80" <= half <= "\udcff":
            raise _Refusal("bad_byte", name=name, byte=f"{ord(half) - 0xDC00:02x}")
        if half:
            raise _Refusal("half_character", name=name, code=f"{ord(half):X}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)


def _count_kinds(row: Row, kinds: dict[str, dict[str, int]]) -> None:
    for name, value in row.items():
        found = kinds.get(name)
        if found is None:
            found = kinds[name] = defaultdict(int)
        if value is not None:
            found[kind_of_value(value)] += 1


def _note_columns(kinds: dict[str, dict[str, int]], rows: int, report: Report) -> None:
    missing = {name: rows - sum(found.values()) for name, found in kinds.items()}
    for name, count in list(missing.items())[:_NOTED_COLUMNS]:
        if count:
            report.note("column_missing", name=name, count=count)
    mixed = [(name, list(found)) for name, found in kinds.items() if len(found) > 1]
    for name, (first, second, *_) in mixed[:_NOTED_COLUMNS]:
        report.note("column_mixed", name=name, first=first, second=second)


def _no_rows(report: Report) -> BadInput:
    if not report.skipped:
        return BadInput(
            "data.no_rows", "The file has no rows. Choose a file with at least one row below its header."
        )
    return BadInput(
        "data.no_good_rows",
        "None of the {count} rows could be read. Line {line}: {reason}. Mend the file and try again.",
        count=report.skipped_count,
        line=report.skipped[0].line,
        reason=report.skipped[0].reason,
    )
