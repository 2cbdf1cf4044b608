"""CSV and TSV: rows of exact text under the names of the first line.

Takes a path, gives dictionaries of strings; the separator is found by the content. It guesses no types: ``00123``,
``NA`` and ``=SUM(A1)`` stay what they are.
"""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from ftkit.data.phrases import phrase
from ftkit.data.reading.encodings import count_lines, encoding_of, open_text
from ftkit.data.reading.plain_text import refuse_too_many_lines
from ftkit.data.reading.report import (
    COLUMNS_LIMIT,
    ROW_LENGTH_LIMIT,
    ROWS_LIMIT,
    Numbered,
    Report,
    column_names,
    too_many_columns,
)
from ftkit.errors import BadInput

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NONE = "\x1f"  # a separator that text does not hold: the file has one column
_FIELD_LIMIT = 2**31 - 1  # the length of whole records is what is limited
_SAMPLE = 64 * 1024
_SAMPLE_ROWS = 100
_PIECE = 1024 * 1024
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")
_WORD = re.compile(r"[^\W\d]\w*")
_SENTENCE = re.compile(r"[^\W\d_]{2,} .*[.?!…]$", re.DOTALL)


class _Records:
    """The records of a delimited file with the lines that each stands on."""

    def __init__(self, stream: TextIO, separator: str) -> None:
        self.first = self.last = 0
        self._length = 0
        self._stream = stream
        self._reader = csv.reader(self._lines(), delimiter=separator, strict=True)

    def __iter__(self) -> Iterator[list[str] | None]:
        """Fields of each record; None for one whose quotes are broken.

        Raises:
            BadInput: a record is too long or the file ends inside a quote.
        """
        while True:
            self.first, self._length = self.last + 1, 0
            try:
                yield next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise _open_quote(self.first) from error
                yield None

    def _lines(self) -> Iterator[str]:
        while line := self._stream.readline(ROW_LENGTH_LIMIT + 1):
            self.last += 1
            self._length += len(line)
            if self._length > ROW_LENGTH_LIMIT:
                raise _open_quote(self.first)
            yield line


def read_delimited(path: Path, filename: str, report: Report) -> Numbered:
    """Rows of a CSV or TSV file."""
    csv.field_size_limit(_FIELD_LIMIT)
    encoding = encoding_of(path, report)
    _refuse_too_many_rows(path)
    with open_text(path, encoding, newline="") as stream:
        sample = stream.read(_SAMPLE)
    separator = _chosen(report.options.delimiter) or _separator(
        sample, Path(filename).suffix.lower() == ".tsv"
    )
    _tell(separator, filename, report)
    with open_text(path, encoding, newline="") as stream:
        records = _Records(stream, separator)
        fields = iter(records)
        names, first = _header(fields, records, report)
        for record in chain(first, fields):
            if record is None:
                report.skip(records.first, "bad_quote", first=records.first, last=records.last)
            elif not any(field.strip() for field in record) and (len(names) > 1 or not record):
                report.blank()
            elif len(record) != len(names):
                report.skip(records.first, "wrong_field_count", found=len(record), expected=len(names))
            else:
                yield records.first, dict(zip(names, record, strict=True))


def _chosen(text: str) -> str:
    mark = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(mark) > 1 or mark in ('"', "\r", "\n", "\0"):
        raise BadInput(
            "data.bad_delimiter",
            "{mark} cannot separate columns. Give one character, such as a comma, a semicolon or tab.",
            mark=repr(text[:20]),
        )
    return mark


def _header(
    fields: Iterator[list[str] | None], records: _Records, report: Report
) -> tuple[list[str], list[list[str] | None]]:
    """The names of the columns, and the record read for them where it is a row itself."""
    for record in fields:
        if record is None:
            raise _open_quote(records.first)
        if not any(field.strip() for field in record):
            report.blank()
            continue
        if len(record) > COLUMNS_LIMIT:
            raise too_many_columns(len(record))
        header = report.options.header
        if header is None and _looks_like_data(record):
            report.note("no_header")
            header = False
        if header is False:
            return [f"column_{number}" for number, _ in enumerate(record, start=1)], [record]
        return column_names(record, report), []
    return [], []


def _looks_like_data(record: list[str]) -> bool:
    """Whether the first line reads like a row: numbers only, or sentences and no single word, as names mostly are."""
    fields = [field.strip() for field in record]
    if all(_NUMBER.fullmatch(field) for field in fields):
        return True
    return any(map(_SENTENCE.search, fields)) and not any(map(_WORD.fullmatch, fields))


def _refuse_too_many_rows(path: Path) -> None:
    """Early, where lines are rows: without quotes no row has several."""
    if count_lines(path) <= ROWS_LIMIT:
        return
    with path.open("rb") as stream:
        quoted = any(b'"' in piece for piece in iter(lambda: stream.read(_PIECE), b""))
    if not quoted:
        refuse_too_many_lines(path)


def _separator(sample: str, tabs_first: bool) -> str:
    """The separator under which most rows have as many fields as the first one; the more fields the better."""
    order = sorted(_SEPARATORS, key=lambda mark: mark != "\t") if tabs_first else list(_SEPARATORS)
    best, best_score = _NONE, (0.0, 0)
    for mark in order:
        lines = StringIO(sample, newline="")
        rows = [row for row in islice(csv.reader(lines, delimiter=mark), _SAMPLE_ROWS) if row]
        if not rows or len(rows[0]) < 2:
            continue
        alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        score = (round(alike, 1), len(rows[0]))
        if score > best_score:
            best, best_score = mark, score
    return best


def _tell(separator: str, filename: str, report: Report) -> None:
    usual = "\t" if Path(filename).suffix.lower() == ".tsv" else ","
    if separator == _NONE:
        report.note("single_column")
    elif separator != usual or report.options.delimiter:
        report.note(
            "delimiter", delimiter=phrase(_SEPARATORS[separator]) if separator in _SEPARATORS else separator
        )


def _open_quote(line: int) -> BadInput:
    return BadInput(
        "data.open_quote",
        'Line {line}: the row is longer than {limit} characters, or a quote (") in it is never closed. Mend it there.',
        line=line,
        limit=ROW_LENGTH_LIMIT,
    )
