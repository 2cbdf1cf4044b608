"""The files of a split: one Parquet file per part, and what the manifest says about them.

Takes a folder to fill and the rows of each part, gives files that are the same bytes for the same rows. Which row
goes where is decided in ``splitting``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ftkit.data import storage
from ftkit.data.splits.splitting import Sorted, training_key
from ftkit.records import PARTS, Dataset, Part, Split

_FORMAT = 1


def path_of(folder: Path, part: Part) -> Path:
    """The file of a part."""
    return folder / f"{part}.parquet"


def write(folder: Path, source: Path, members: Mapping[Part, Sequence[int]]) -> None:
    """Copy the rows of each part out of the dataset's file; an empty part gets a file without rows."""
    columns, json_columns = storage.columns_of(source)
    part_of = {row: part for part in PARTS for row in members[part]}
    with ExitStack() as stack:
        writers = {
            part: stack.enter_context(storage.RowsWriter(path_of(folder, part), columns, json_columns))
            for part in PARTS
        }
        for index, row in enumerate(storage.iterate_rows(source)):
            if index in part_of:
                writers[part_of[index]].add(row)


def keys(folder: Path, mapping: Mapping[str, str]) -> dict[Part, list[str]]:
    """The training keys of what lies on the disk, part by part: leaks are counted on these."""
    return {
        part: [training_key(row, mapping)[0] for row in storage.iterate_rows(path_of(folder, part))]
        for part in PARTS
    }


def content_hash(folder: Path) -> str:
    """One hash over all parts."""
    digest = hashlib.sha256()
    for part in PARTS:
        with path_of(folder, part).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"


def manifest(
    split: Split, dataset: Dataset, members: Mapping[Part, Sequence[int]], found: Sorted
) -> dict[str, Any]:
    """What is needed to make the split again and to check it: every row, its key, and why others are missing."""
    return {
        "format": _FORMAT,
        **split.model_dump(mode="json"),
        "dataset_hash": dataset.content_hash,
        "rows": {part: list(members[part]) for part in PARTS},
        "keys": {part: [found.keys[row] for row in members[part]] for part in PARTS},
        "left_out_rows": [{"row": row, "reason": reason} for row, reason in found.left_out],
    }
