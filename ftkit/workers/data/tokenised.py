"""A part of a split as token ids, made once: the run card counts the rows that training then reads.

Takes the part, the model and what rules the rows; gives ``Prepared``. What is kept can be deleted at any time: it is made
again. It imports neither torch nor transformers.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

import ftkit
from ftkit.store.files import hash_file, keep_newest, short_hash
from ftkit.training.options.model import Method
from ftkit.workers.training.preference.rows import MarkedRow, PairRow
from ftkit.workers.training.prepared import Prepared, Row, prepare
from ftkit.workers.training.rows import FastTokenizer, SourceRow, TokenRow, row_limit

_KINDS: dict[str, Any] = {kind.__name__: kind for kind in (TokenRow, SourceRow, PairRow, MarkedRow)}
_FACTS = b"ftkit"
_AT_ONCE = 10_000  # rows
_MOST = 12  # parts; those used longest ago go first


class Asked(NamedTuple):
    """Which rows, for which model, by which rules."""

    file: Path
    mapping: Mapping[str, str]
    model: Path
    max_length: int
    completion_only: bool
    method: Method

    def key(self) -> str:
        """Changes with anything that the tokens depend on."""
        files = [path for pattern in ("*.json", "*.jinja") for path in sorted(self.model.glob(pattern))]
        weightless = [path for path in files if not path.name.endswith(".index.json")]
        told = {
            **self._asdict(),
            "file": hash_file(self.file),
            "model": [hash_file(path) for path in weightless],
            "versions": [ftkit.__version__, version("tokenizers")],
        }
        return short_hash(told, 32)


def tokenised(asked: Asked, cache: Path | None) -> Prepared:
    """The rows in tokens, from what is kept where it is there.

    Args:
        asked: which rows.
        cache: folder of what is kept; None keeps nothing.

    Raises:
        BadInput: the model has no chat template and the rows are conversations.
    """
    kept = cache / f"{asked.key()}.parquet" if cache else None
    if kept is not None and kept.exists():
        with contextlib.suppress(OSError, ValueError, KeyError):  # half a file, or gone meanwhile: made again
            return _read(kept)
    limit = row_limit(asked.model, asked.max_length)
    tokenizer = FastTokenizer(asked.model)
    made = prepare(asked.file, asked.mapping, tokenizer, limit, asked.completion_only, asked.method)
    if kept is not None and made.rows:
        _write(kept, made)
    return made


def _write(path: Path, made: Prepared) -> None:
    """As a whole or not at all; a full disk costs the copy, not the run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {**made._asdict(), "rows": type(made.rows[0]).__name__}
    first = pa.Table.from_pylist([made.rows[0]._asdict()])
    narrow = {pa.list_(pa.int64()): pa.list_(pa.int32())}
    schema = pa.schema(
        [field.with_type(narrow.get(field.type, field.type)) for field in first.schema],
        {_FACTS: json.dumps(facts).encode()},
    )
    partial = path.with_suffix(".part")
    with contextlib.suppress(OSError):
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for begin in range(0, len(made.rows), _AT_ONCE):
                rows = [row._asdict() for row in made.rows[begin : begin + _AT_ONCE]]
                writer.write_table(pa.Table.from_pylist(rows, schema))
        partial.replace(path)
        keep_newest(path.parent, "*.parquet", _MOST)


def _read(path: Path) -> Prepared:
    path.touch()
    file = pq.ParquetFile(path)
    facts = json.loads(file.schema_arrow.metadata[_FACTS])
    kind = _KINDS[facts["rows"]]
    reasons = tuple((row, reason) for row, reason in facts["reasons"])
    return Prepared(**{**facts, "rows": list(_rows(file, kind)), "reasons": reasons})


def _rows(file: pq.ParquetFile, kind: Any) -> Iterator[Row]:
    for batch in file.iter_batches(_AT_ONCE):
        columns = [batch.column(name).to_pylist() for name in kind._fields]
        yield from map(kind, *columns)
