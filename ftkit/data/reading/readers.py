"""Files of any known kind in, rows and a report out; the one door to the readers.

Takes paths and the names that the files came with. Every row passes the same admission, whatever the format. Several files
with the same columns become one table. It keeps no row in memory.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ftkit.data.phrases import kind_of_value
from ftkit.data.reading.admission import Admission, Refusal
from ftkit.data.reading.archives import Source, in_file, unpacked
from ftkit.data.reading.delimited import read_delimited
from ftkit.data.reading.detect import Kind, kind_of
from ftkit.data.reading.json_rows import read_json
from ftkit.data.reading.plain_text import marked, read_text
from ftkit.data.reading.report import (
    COLUMNS_LIMIT,
    ROWS_LIMIT,
    Numbered,
    Options,
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
_LOOKED_AT = 20
_PROGRESS_ROWS = 500
_MARKED_COLUMNS = ("text", "metin", "content", "prompt")
_MARKED_AS = frozenset({"instruction", "input", "output"})

# Called with bytes done; it may raise to end the reading.
Progress = Callable[[int], None]


class Reading(Record):
    """What one pass over the files found."""

    rows: int
    columns: tuple[str, ...]
    json_columns: tuple[str, ...]
    content_hash: str
    skipped_count: int
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    options: Options = Options()
    sheets: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    file_hash: str = ""


def scan(
    sources: Sequence[Source],
    spool: Path,
    options: Options | None = None,
    progress: Progress = lambda _: None,
) -> Reading:
    """Read files once: their rows go to ``spool``, one JSON object per line, and what was found comes back.

    Raises:
        BadInput: a file as a whole cannot be read, is over a limit, or there are no rows.
    """
    report = Report(options)
    table = _Table()
    digest = hashlib.sha256()
    done = 0
    with spool.open("wb") as stream, unpacked(sources, spool.parent, report) as files:
        for place, row, text in _admitted(files, report, table):
            table.count(row, place)
            line = text.encode() + b"\n"
            digest.update(line)
            stream.write(line)
            done += len(line)
            if table.rows % _PROGRESS_ROWS == 0:
                progress(done)
    if not table.rows:
        raise _no_rows(report)
    table.note_columns(report)
    report.finish()
    return Reading(
        rows=table.rows,
        columns=tuple(table.kinds),
        json_columns=table.json_columns(),
        content_hash=f"sha256:{digest.hexdigest()}",
        skipped_count=report.skipped_count,
        skipped=tuple(report.skipped),
        notes=tuple(report.notes),
        options=report.options,
        sheets=report.sheets,
        lists=report.lists,
    )


def spooled(spool: Path) -> Iterator[Row]:
    """The rows that ``scan`` wrote, in the same order."""
    with spool.open("rb") as stream:
        for line in stream:
            yield json.loads(line.decode())


class _Table:
    """Columns of all rows: which kinds of values each holds, and where each kind stands first."""

    def __init__(self) -> None:
        self.rows = 0
        self.kinds: dict[str, dict[str, list[int]]] = {}
        self._of_file: set[str] = set()
        self._of_files: list[tuple[str, set[str]]] = []

    def count(self, row: Row, place: int) -> None:
        """One more row, which stands at ``place`` of its file."""
        self.rows += 1
        for name, value in row.items():
            found = self.kinds.get(name)
            if found is None:
                found = self.kinds[name] = {}
                if len(self.kinds) > COLUMNS_LIMIT:
                    raise too_many_columns(len(self.kinds))
            if value is not None:
                kind = "" if isinstance(value, str) else kind_of_value(value)
                seen = found.get(kind)
                if seen is None:
                    found[kind] = [1, place]
                else:
                    seen[0] += 1
        self._of_file.update(row)

    def end_file(self, name: str) -> None:
        """The columns of one file are complete.

        Raises:
            BadInput: they are not those of the files before it.
        """
        columns, self._of_file = self._of_file, set()
        for other, known in self._of_files[:1]:
            if not (columns <= known or known <= columns):
                raise BadInput(
                    "data.different_columns",
                    "The files have different columns: {first} has {columns}; {second} has {others}. Import each by "
                    "itself, or give them the same columns.",
                    first=other,
                    columns=_listed(known),
                    second=name,
                    others=_listed(columns),
                )
        self._of_files.append((name, columns))

    def json_columns(self) -> tuple[str, ...]:
        """Columns that hold anything but text."""
        return tuple(name for name, found in self.kinds.items() if found.keys() - {""})

    def note_columns(self, report: Report) -> None:
        """Say which columns have gaps and which hold different kinds of values."""
        missing = {
            name: self.rows - sum(count for count, _ in found.values()) for name, found in self.kinds.items()
        }
        for name, count in list(missing.items())[:_NOTED_COLUMNS]:
            if count:
                report.note("column_missing", name=name, count=count)
        mixed = [(name, list(found.items())) for name, found in self.kinds.items() if len(found) > 1]
        for name, ((first, (_, first_line)), (second, (_, second_line)), *_) in mixed[:_NOTED_COLUMNS]:
            report.note(
                "column_mixed",
                name=name,
                first=first or kind_of_value(""),
                first_line=first_line,
                second=second or kind_of_value(""),
                second_line=second_line,
            )


def _admitted(files: Sequence[Source], report: Report, table: _Table) -> Iterator[tuple[int, Row, str]]:
    admission = Admission()
    for source in files:
        several = len(files) > 1
        report.file = source.name if several else ""
        rows_before, skipped_before = table.rows, report.skipped_count
        try:
            yield from _of_file(source, report, admission, table)
            if table.rows > rows_before or not several:
                table.end_file(source.name)
        except BadInput as error:
            if several and error.key != "data.different_columns":
                raise in_file(source.name, error) from error
            raise
        if several:
            report.note(
                "file_rows",
                name=source.name,
                rows=table.rows - rows_before,
                skipped=report.skipped_count - skipped_before,
            )
    report.file = ""
    admission.finish(report)


def _of_file(
    source: Source, report: Report, admission: Admission, table: _Table
) -> Iterator[tuple[int, Row, str]]:
    reader = _READERS[kind_of(source.path, source.name)]
    try:
        for line, row in _with_marked(reader(source.path, source.name, report), report):
            if table.rows >= ROWS_LIMIT:
                raise too_many_rows()
            try:
                yield line, row, admission.admit(row)
            except Refusal as refusal:
                report.skip(line, refusal.key, **refusal.values)
    except UnicodeDecodeError as error:
        raise BadInput(
            "data.broken_encoding",
            "The text breaks off or is damaged at byte {position} ({encoding}). Save the file as UTF-8.",
            position=error.start,
            encoding=error.encoding,
        ) from error


def _with_marked(rows: Iterable[tuple[int, Row]], report: Report) -> Numbered:
    """Rows whose text is marked with ``### Instruction:`` and the like get columns of that, beside the text."""
    iterator = iter(rows)
    first = list(islice(iterator, _LOOKED_AT))
    name = _marked_column([row for _, row in first])
    if name is None:
        yield from chain(first, iterator)
        return
    report.note("marked_text", name=name)
    for line, row in chain(first, iterator):
        text = row.get(name)
        found = marked(text) if isinstance(text, str) else None
        yield line, {**row, **found} if found else row


def _marked_column(rows: Sequence[Row]) -> str | None:
    """The column whose texts are marked in most of these rows."""
    for name in _MARKED_COLUMNS:
        texts = [row[name] for row in rows if isinstance(row.get(name), str) and not _MARKED_AS & row.keys()]
        if texts and sum(marked(text) is not None for text in texts) * 2 > len(rows):
            return name
    return None


def _listed(columns: Iterable[Any]) -> str:
    return ", ".join(sorted(columns))[:200]


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
