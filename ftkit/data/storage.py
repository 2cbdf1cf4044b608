"""Rows on disk: Parquet files whose columns are all text, and the rows back exactly as they were.

Takes and gives rows as dictionaries. A column that holds anything but text is stored as JSON, and the file says which
columns those are. It publishes no file under its final name: that is the service's part.
"""

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Self

from ftkit import __version__
from ftkit.errors import Refused

Row = dict[str, Any]

ROWS = "rows.parquet"  # of a dataset, in its folder

_MARK = b"ftkit"
_BATCH_ROWS = 2_000
_BATCH_LENGTH = 32 * 1024**2  # characters; an Arrow text column ends at 2 GB


def write_rows(
    path: Path, rows: Iterable[Row], columns: Iterable[str], json_columns: Iterable[str] = ()
) -> None:
    """Write rows in batches; a column that a row lacks becomes null.

    Args:
        path: the file to make.
        rows: values of text columns are text or None, those of JSON columns anything that JSON holds.
        columns: all column names in order.
        json_columns: those of them that are stored as JSON.
    """
    with RowsWriter(path, columns, json_columns) as writer:
        for row in rows:
            writer.add(row)


class RowsWriter:
    """Writes rows one by one, a batch in memory at a time; use it as a context manager."""

    def __init__(self, path: Path, columns: Iterable[str], json_columns: Iterable[str] = ()) -> None:
        import pyarrow as pa  # noqa: PLC0415  costs 0.2 s at start, and most commands need no table
        import pyarrow.parquet as pq  # noqa: PLC0415  as above

        self._as_json = dict.fromkeys(columns, False) | dict.fromkeys(json_columns, True)
        mark = {"json_columns": [name for name, as_json in self._as_json.items() if as_json]}
        fields = [pa.field(name, pa.string()) for name in self._as_json]
        self._schema = pa.schema(fields, metadata={_MARK: json.dumps(mark).encode()})
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._batch: list[Row] = []
        self._length = 0

    def __enter__(self) -> Self:
        """Nothing more than the writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write the last batch and the footer."""
        self._flush()
        self._file.close()

    def add(self, row: Row) -> None:
        """One more row."""
        self._batch.append(row)
        self._length += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(self._batch) == _BATCH_ROWS or self._length > _BATCH_LENGTH:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa  # noqa: PLC0415  as above

        if self._batch:
            arrays = [_array(self._batch, name, as_json) for name, as_json in self._as_json.items()]
            self._file.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._batch, self._length = [], 0


def columns_of(path: Path) -> tuple[list[str], list[str]]:
    """All columns of a file that ``write_rows`` made, and those of them that are stored as JSON."""
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    schema = pq.read_schema(path)
    return schema.names, json_columns_of(schema)


def count_rows(path: Path) -> int:
    """How many rows a file has, from its footer alone."""
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    return int(pq.read_metadata(path).num_rows)


def read_rows(path: Path, offset: int = 0, limit: int | None = None) -> list[Row]:
    """Rows of a file that ``write_rows`` made, from ``offset`` on."""
    return list(islice(iterate_rows(path, offset), limit))


def iterate_rows(path: Path, offset: int = 0) -> Iterator[Row]:
    """Like ``read_rows``, a batch in memory at a time; what lies before ``offset`` is not decoded."""
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    with pq.ParquetFile(path) as file:
        as_json = set(json_columns_of(file.schema_arrow))
        begin = 0
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            if end > offset:
                table = file.read_row_group(group).slice(max(0, offset - begin))
                yield from (_loaded(row, as_json) for row in table.to_pylist())
            begin = end


def file_hash(path: Path) -> str:
    """sha256 of a file, as ``sha256:<hex>``."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def check_unchanged(path: Path, expected: str) -> None:
    """Nothing, if a file is still the one that was written; an empty ``expected`` is of an older version.

    Raises:
        Refused: it was changed.
    """
    if expected and file_hash(path) != expected:
        raise Refused(
            "data.hash_changed",
            "The stored rows were changed after they were checked (their hash is another one). Import the file again.",
        )


def versions() -> dict[str, str]:
    """What an artefact of this room writes down about its makers."""
    return {"ftkit": __version__, "pyarrow": version("pyarrow"), "python": platform.python_version()}


def json_columns_of(schema: Any) -> list[str]:
    """The columns that a file of ours holds as JSON; none of a file that is not ours."""
    mark = (schema.metadata or {}).get(_MARK)
    return list(json.loads(mark)["json_columns"]) if mark else []


def _array(batch: list[Row], name: str, as_json: bool) -> Any:
    from pyarrow.lib import StringBuilder  # noqa: PLC0415  pa.array would import pandas: half a second more

    builder = StringBuilder()
    for row in batch:
        builder.append(_stored(row.get(name), as_json))
    return builder.finish()


def _stored(value: Any, as_json: bool) -> str | None:
    if as_json and value is not None:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    text: str | None = value
    return text


def _loaded(row: Row, as_json: set[str]) -> Row:
    return {
        name: json.loads(value) if name in as_json and value is not None else value
        for name, value in row.items()
    }
