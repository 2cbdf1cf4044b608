"""What the model behind a version of the gateway learned from: the train part of its run's split.

Takes a target such as ``run:…`` or ``export:…``, gives the file and the roles of its columns. It reads no row.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ftkit.data.splits.parts import path_of
from ftkit.errors import BadInput, NotFound
from ftkit.monitoring.drift.service import TrainedOn
from ftkit.ratings.sides.names import Side
from ftkit.records import Export, Run, Split


class Records(NamedTuple):
    """Where records are found by their ids; each raises ``NotFound``."""

    run: Callable[[str], Run]
    export: Callable[[str], Export]
    split: Callable[[str], Split]
    split_folder: Callable[[str], Path]


def trained_on(target: str | None, records: Records) -> TrainedOn | None:
    """The rows that a target learned from; None for a base model, and where run or split are no longer here."""
    try:
        id_ = run_of(target or "", records)
        if id_ is None:
            return None
        run = records.run(id_)
        split = records.split(run.split)
    except NotFound:
        return None
    file = path_of(records.split_folder(split.id), "train")
    return TrainedOn(run.id, str(file), split.mapping) if file.exists() else None


def run_of(target: str, records: Records) -> str | None:
    """The run whose model a target is; None for a base model and for another server.

    Raises:
        NotFound: there is no such export.
    """
    if target.startswith("export:"):
        return records.export(target.removeprefix("export:").partition("@")[0]).run
    try:
        side = Side.parse(target)
    except BadInput:  # an address of another server
        return None
    return None if side.kind == "base" else side.id
