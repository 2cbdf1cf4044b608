"""Parquet and Excel: rows of tables.

Takes a path, gives dictionaries of text, numbers, lists and objects (Parquet) or of text (Excel). Formulas are not
evaluated: a cell counts with the value that was saved with it.
"""

import contextlib
import datetime
import json
import re
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from ftkit.data.reading.report import (
    COLUMNS_LIMIT,
    ROWS_LIMIT,
    Numbered,
    Report,
    Row,
    column_names,
    too_many_columns,
    too_many_rows,
)
from ftkit.data.storage import json_columns_of
from ftkit.errors import BadInput

_UNCOMPRESSED_LIMIT = 4 * 1024**3
_BATCH = 1000
_PIECE = 1024 * 1024
_FORMULA = re.compile(rb"<f[ />]")


def read_parquet(path: Path, filename: str, report: Report) -> Numbered:
    """Rows of a Parquet file, batch by batch."""
    import pyarrow as pa  # noqa: PLC0415  costs 0.2 s at start, and most commands need no table

    try:
        yield from _parquet_rows(path, report)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "data.damaged_parquet",
            "The Parquet file cannot be read ({reason}). Write it again, without encryption.",
            reason=str(error).split("\n")[0][:200],
        ) from error


def _parquet_rows(path: Path, report: Report) -> Numbered:
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    with pq.ParquetFile(path) as file:
        _check_footer(file.metadata, len(file.schema_arrow.names))
        json_columns = _own_json_columns(file.schema_arrow)
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH):
            for row in _as_text(batch, report).to_pylist():
                number += 1
                yield number, {name: _plain(value, name in json_columns) for name, value in row.items()}


def _own_json_columns(schema: Any) -> set[str]:
    try:
        return set(json_columns_of(schema))
    except (ValueError, KeyError, TypeError):
        return set()  # the mark is not ours


def _check_footer(metadata: Any, columns: int) -> None:
    _check_size(metadata.num_rows, columns)
    size = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    if size > _UNCOMPRESSED_LIMIT:
        raise BadInput(
            "data.parquet_bomb",
            "The file unpacks to {size} MB, more than can be opened safely. Cut it into smaller files.",
            size=round(size / 1024**2),
        )


def _as_text(batch: Any, report: Report) -> Any:
    """The batch with dates, times and decimals as text, each such column noted."""
    import pyarrow as pa  # noqa: PLC0415  as above

    for index, field in enumerate(batch.schema):
        if pa.types.is_temporal(field.type) or pa.types.is_decimal(field.type):
            report.note("column_as_text", name=field.name, type=field.type)
            batch = batch.set_column(index, field.name, batch.column(index).cast(pa.string()))
    return batch


def _plain(value: Any, as_json: bool = False) -> Any:
    """A value as JSON knows it; bytes become text where they are UTF-8, and lone surrogates, to be refused, where not.

    ``as_json``: of a column that ftkit itself wrote down as JSON.
    """
    if as_json and isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(value)
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta | Decimal):
        return str(value)
    return value


def read_workbook(path: Path, filename: str, report: Report) -> Numbered:
    """Rows of the first visible sheet of an Excel workbook, every cell as text."""
    import python_calamine as calamine  # noqa: PLC0415  needed for workbooks only

    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            sheet = _sheet(book, report)
            _check_size(sheet.height - 1, sheet.width)
            if merged := sheet.merged_cell_ranges:
                report.note("merged_cells", count=len(merged))
            _note_formulas(path, report)
            yield from _sheet_rows(sheet.iter_rows(), report)
    except calamine.PasswordError as error:
        raise BadInput("data.encrypted", "The workbook has a password. Save it without one.") from error
    except (calamine.CalamineError, OSError) as error:
        raise BadInput("data.damaged_workbook", "The workbook is damaged. Save it again as .xlsx.") from error


def _sheet(book: Any, report: Report) -> Any:
    import python_calamine as calamine  # noqa: PLC0415  as above

    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    visible = [sheet for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible] or sheets
    if not visible:
        raise BadInput("data.no_sheet", "The workbook has no sheet with cells. Save the table as CSV.")
    names = [sheet.name for sheet in sheets]
    wanted = report.options.sheet or visible[0].name
    if wanted not in names:
        raise BadInput(
            "data.no_such_sheet",
            "The workbook has no sheet “{name}”. It has: {known}.",
            name=wanted,
            known=", ".join(names)[:200],
        )
    if len(sheets) > 1:
        report.offer_sheets(names)
        report.note("sheet", name=wanted, count=len(sheets))
    return book.get_sheet_by_name(wanted)


def _note_formulas(path: Path, report: Report) -> None:
    """Count the formulas of all sheets: their saved values are read, they are not evaluated."""
    count = 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as stream:
                    for piece in iter(lambda: stream.read(_PIECE), b""):  # noqa: B023 - read within this turn
                        count += len(_FORMULA.findall(piece))
    if count:
        report.note("formulas", count=count)


def _sheet_rows(cells: Iterable[list[Any]], report: Report) -> Numbered:
    names: list[str] = []
    width = 0
    for number, values in enumerate(cells, start=1):
        texts = [_cell(value) for value in values]
        if not any(text.strip() for text in texts):
            report.blank()
        elif not names:
            width = max(place for place, text in enumerate(texts, start=1) if text.strip())
            names = column_names(texts[:width], report)
        elif any(text.strip() for text in texts[width:]):
            found = max(place for place, text in enumerate(texts, start=1) if text.strip())
            report.skip(number, "wrong_field_count", found=found, expected=width)
        else:
            row: Row = dict(zip(names, texts, strict=False))
            yield number, row


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _check_size(rows: int, columns: int) -> None:
    if columns > COLUMNS_LIMIT:
        raise too_many_columns(columns)
    if rows > ROWS_LIMIT:
        raise too_many_rows()
