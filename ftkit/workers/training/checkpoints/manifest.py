"""What a checkpoint says of itself: each of its files to the byte, how far the run was, and what the run was made of.

Takes folders, gives manifests and what is wrong with one. A manifest is written last, so a checkpoint with a right one is whole.
It loads no weights.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ftkit.failpoints import reach
from ftkit.store.files import flush_file, flush_folder, hash_file, hash_value
from ftkit.training.watching.checkpoints import MANIFEST

NAME = MANIFEST
_GONE = "–"


class Origin(NamedTuple):
    """What a run is made of: what must be the same for a checkpoint to go on as if nothing had been.

    Args:
        run: id of the run.
        spec: its options.
        data: hashes of what it learns from, by name.
        versions: of the libraries and the machine. With others the run goes on, but not to the last bit.
    """

    run: str
    spec: Mapping[str, Any]
    data: Mapping[str, str]
    versions: Mapping[str, str]


class Reached(NamedTuple):
    """How far a run was.

    Args:
        step: after which it was saved.
        validated: whether what belongs to this step was measured; where a stop came between, it is measured on resuming.
        best_step: whose checkpoint the run would end with now.
        counted: what is added up from step to step, by the trainer and what watches it.
    """

    step: int
    validated: bool
    best_step: int | None
    counted: Mapping[str, Any]


class Difference(NamedTuple):
    """An option, a file or a version that is not what it was."""

    key: str
    old: Any
    new: Any

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.key}: {self.old} → {self.new}"


def seal(folder: Path, origin: Origin, reached: Reached) -> None:
    """Flush all files of a checkpoint to the disk, and write down what they are."""
    files = {}
    for file in sorted(folder.iterdir()):
        files[file.name] = {"size": file.stat().st_size, "sha256": hash_file(file)}
        flush_file(file)
        reach("checkpoint.file")
    told = {"origin": origin._asdict(), "reached": reached._asdict(), "files": files}
    reach("checkpoint.manifest")
    path = folder / NAME
    path.write_bytes(_written(told))
    flush_file(path)
    flush_folder(folder)


def examine(folder: Path, run: str) -> tuple[dict[str, Any], str]:
    """The manifest of a checkpoint, and what is wrong with the checkpoint; nothing where the second is empty.

    Args:
        folder: of the checkpoint.
        run: id of the run that it must belong to.
    """
    path = folder / NAME
    try:
        content = b"" if path.is_symlink() else path.read_bytes()
        told: dict[str, Any] = json.loads(content)
        told.pop("digest")
        genuine = _written(told) == content
    except FileNotFoundError:
        return {}, "it was not finished"
    except (ValueError, KeyError, AttributeError, TypeError, OSError):
        return {}, f"{NAME} was changed"
    if not genuine:
        return {}, f"{NAME} was changed"
    if told["origin"]["run"] != run:
        return {}, f"it belongs to the run {told['origin']['run']}"
    return told, _wrong_file(folder, told["files"])


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Where two mappings differ."""
    keys = dict.fromkeys((*old, *new))
    pairs = ((key, old.get(key, _GONE), new.get(key, _GONE)) for key in keys)
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2]]


def _wrong_file(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> str:
    found = {path.name: path for path in folder.iterdir() if path.name != NAME}
    for name in sorted(found.keys() - files.keys()):
        return f"{name} does not belong to it"
    for name, known in files.items():
        path = found.get(name)
        if path is None or path.is_symlink() or not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != known["size"] or hash_file(path) != known["sha256"]:
            return f"{name} was changed"
    return ""


def _written(told: Mapping[str, Any]) -> bytes:
    """The very bytes of a manifest, with a hash over what it says."""
    return json.dumps({**told, "digest": hash_value(told)}, indent=1, allow_nan=False).encode()
