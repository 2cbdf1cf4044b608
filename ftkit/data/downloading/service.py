"""Downloads: a dataset, or a part of a split, as a file for other programs.

Takes ids, gives a name and bytes. The Parquet file is the one that is kept; CSV and JSON Lines are made while they are
sent, so that no copy stays behind. It makes no artefact.
"""

from collections.abc import Iterator
from pathlib import Path

from ftkit.data import storage
from ftkit.data.splits import parts
from ftkit.downloads import FORMATS, MEDIA_TYPES, Download, csv_pieces, jsonl_pieces, plain_name
from ftkit.errors import BadInput, NotFound, StoreFault
from ftkit.records import PARTS, Dataset, Part, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders

_PIECE = 1024 * 1024


class DownloadService:
    """Downloads from one data folder."""

    def __init__(self, artefacts: Artefacts, folders: Folders) -> None:
        self._artefacts = artefacts
        self._folders = folders

    def download(self, id_: str, to: str, part: str = "") -> Download:
        """A dataset, or a part of a split, as a file.

        Args:
            id_: of a dataset or a split.
            to: ``csv``, ``jsonl`` or ``parquet``.
            part: of a split: ``train``, ``validation`` or ``test``; of a dataset nothing.

        Raises:
            NotFound: there is no such dataset or split.
            BadInput: there is no such format or part.
            Refused: the rows of the dataset were changed.
        """
        wanted = next((known for known in FORMATS if known == to), None)
        if wanted is None:
            raise BadInput(
                "data.unknown_format",
                "There is no format {to}. Use one of: {known}.",
                to=repr(to[:40]),
                known=", ".join(FORMATS),
            )
        name, file = self._file(id_, part)
        # Known before the first byte leaves: later, a failure could only tear the file.
        columns, _ = storage.columns_of(file)
        pieces = {
            "csv": lambda: csv_pieces(columns, storage.iterate_rows(file)),
            "jsonl": lambda: jsonl_pieces(storage.iterate_rows(file)),
            "parquet": lambda: _bytes_of(file),
        }
        return Download(f"{name}.{wanted}", MEDIA_TYPES[wanted], pieces[wanted]())

    def write(self, id_: str, to: str, target: Path, part: str = "") -> int:
        """Write a download to a file of this machine (command line); its size in bytes.

        Raises:
            BadInput: as ``download``, or the file cannot be made, or is there already.
        """
        made = self.download(id_, to, part)
        if target.exists():
            raise BadInput(
                "data.file_exists", "{path} is there already. Choose another name with --out.", path=target
            )
        partial = target.with_name(f".{target.name}.part")
        try:
            with partial.open("wb") as stream:
                for piece in made.pieces:
                    stream.write(piece)
            partial.replace(target)
        except OSError as error:
            raise StoreFault(
                "data.cannot_write",
                "{path} cannot be written ({reason}). Choose another place with --out.",
                path=target,
                reason=error.strerror or error,
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        return target.stat().st_size

    def _file(self, id_: str, part: str) -> tuple[str, Path]:
        """The name for a download without its ending, and the file with the rows."""
        try:
            dataset = self._artefacts.get(Dataset, id_)
        except NotFound:
            split = self._artefacts.get(Split, id_)
            chosen = _part(part)
            return f"{plain_name(split.name)}-{chosen}", parts.path_of(self._folders.split(split.id), chosen)
        file = self._folders.dataset(dataset.id) / storage.ROWS
        storage.check_unchanged(file, dataset.file_hash)
        return plain_name(dataset.name), file


def _part(name: str) -> Part:
    for part in PARTS:
        if part == (name or "train"):
            return part
    raise BadInput(
        "data.unknown_part",
        "There is no part {part}. Use one of: {known}.",
        part=name,
        known=", ".join(PARTS),
    )


def _bytes_of(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        yield from iter(lambda: stream.read(_PIECE), b"")
