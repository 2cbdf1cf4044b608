"""The files of a split: one Parquet file per part, and what the manifest says about them.

Takes a folder to fill and the rows of each part, gives files that are the same bytes for the same rows. Which row
goes where is decided in ``splitting``.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ftkit.data import storage
from ftkit.data.storage import Row
from ftkit.errors import BadInput
from ftkit.records import PARTS, Dataset, Part, Split

_FORMAT = 2


def path_of(folder: Path, part: Part) -> Path:
    """The file of a part."""
    return folder / f"{part}.parquet"


def write(
    folder: Path, source: Path, members: Mapping[Part, Sequence[int]], test: Sequence[Row] | None = None
) -> None:
    """Copy the rows of each part out of the dataset's file; an empty part gets a file without rows.

    Args:
        folder: where the files go.
        source: the dataset's rows.
        members: numbers of the rows of each part.
        test: rows of the test part that come from elsewhere; its members are then none of this file.
    """
    columns, json_columns = storage.columns_of(source)
    part_of = {row: part for part in PARTS for row in members[part] if part != "test" or test is None}
    with ExitStack() as stack:
        writers = {
            part: stack.enter_context(storage.RowsWriter(path_of(folder, part), columns, json_columns))
            for part in PARTS
        }
        for index, row in enumerate(storage.iterate_rows(source)):
            if index in part_of:
                writers[part_of[index]].add(row)
        for row in test or ():
            writers["test"].add(row)


def adapter(source: Path, mapping: Mapping[str, str], theirs: Mapping[str, str]) -> Callable[[Row], Row]:
    """What makes a row of another dataset one of this dataset, role by role; columns without a role keep their name.

    Raises:
        BadInput: the two have different roles.
    """
    if (mapping.keys() ^ theirs.keys()) - {"rejected"} - (mapping.keys() & {"system"}):
        raise BadInput(
            "data.other_roles",
            "The test set has the roles {theirs}, this dataset has {ours}. Give both the same roles first.",
            theirs=", ".join(theirs),
            ours=", ".join(mapping),
        )
    columns, json_columns = storage.columns_of(source)
    of_role = {column: theirs.get(role, "") for role, column in mapping.items()}

    def adapt(row: Row) -> Row:
        values = {column: row.get(of_role.get(column, column)) for column in columns}
        return {
            column: value
            if value is None or isinstance(value, str) or column in json_columns
            else json.dumps(value, ensure_ascii=False)
            for column, value in values.items()
        }

    return adapt


def content_hash(folder: Path) -> str:
    """One hash over all parts."""
    digest = hashlib.sha256()
    for part in PARTS:
        with path_of(folder, part).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"


def manifest(split: Split, dataset: Dataset, lists: Mapping[str, Any]) -> dict[str, Any]:
    """What is needed to make the split again and to check it: every row, its key, and why others are missing."""
    return {"format": _FORMAT, **split.model_dump(mode="json"), "dataset_hash": dataset.content_hash, **lists}
