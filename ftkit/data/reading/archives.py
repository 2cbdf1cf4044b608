"""Archives: gzip and zip files of the kinds that can be read, unpacked beside the rows and removed afterwards.

Takes files and a folder to work in, gives files that are no archives. What would unpack to far more than it is, is
refused before or while it grows; archives inside archives are left out.
"""

import gzip
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, NamedTuple

from ftkit.data.reading.detect import ENDINGS, UNPACKED_RATIO, UNPACKED_SAFE, damaged_archive, kind_of
from ftkit.data.reading.report import FILES_LIMIT, Report
from ftkit.errors import BadInput

_UNPACKED_LIMIT = 2 * 1024**3
_PIECE = 1024 * 1024
_ARCHIVES = (".gz", ".zip")


class Source(NamedTuple):
    """A file and the name that it came with."""

    path: Path
    name: str


@contextmanager
def unpacked(sources: Sequence[Source], beside: Path, report: Report) -> Iterator[list[Source]]:
    """The files with each archive replaced by what is in it, while the block lasts.

    Raises:
        BadInput: an archive is damaged, encrypted, holds nothing that can be read, or unpacks to too much.
    """
    folder = Path(mkdtemp(prefix=".unpacked.", dir=beside))
    try:
        files: list[Source] = []
        for source in sources:
            try:
                files += _opened(source, folder, report)
            except BadInput as error:
                if len(sources) > 1:
                    raise in_file(source.name, error) from error
                raise
        if len(files) > FILES_LIMIT:
            raise too_many_files(len(files))
        yield files
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_file(name: str, error: BadInput) -> BadInput:
    """A refusal that says which of several files is meant."""
    return BadInput("data.in_file", "{file}: {problem}", file=name, problem=error)


def too_many_files(found: int) -> BadInput:
    """The refusal of uploads and archives alike."""
    return BadInput(
        "data.too_many_files",
        "There are {found} files; at most {limit} can be read together. Join them first.",
        found=found,
        limit=FILES_LIMIT,
    )


def _opened(source: Source, folder: Path, report: Report) -> list[Source]:
    kind = kind_of(source.path, source.name)
    if kind == "gzip":
        return [_gunzipped(source, folder)]
    if kind == "zip":
        return _unzipped(source, folder, report)
    return [source]


def _gunzipped(source: Source, folder: Path) -> Source:
    path = Path(source.name)
    name = path.stem if path.suffix.lower() == ".gz" else path.name
    target = folder / str(len(list(folder.iterdir())))
    try:
        with gzip.open(source.path) as stream:
            _copy(stream, target, source.path.stat().st_size)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged_archive() from error
    if kind_of(target, name) in ("gzip", "zip"):
        raise _nothing_inside()
    return Source(target, name)


def _unzipped(source: Source, folder: Path, report: Report) -> list[Source]:
    made, left_out = [], []
    try:
        with zipfile.ZipFile(source.path) as archive:
            entries = [
                entry for entry in archive.infolist() if not entry.is_dir() and not _is_litter(entry.filename)
            ]
            _check_entries(entries, source.path.stat().st_size)
            for entry in entries:
                name = Path(entry.filename.replace("\\", "/")).name
                ending = Path(name).suffix.lower()
                if ending not in ENDINGS or ending in _ARCHIVES:
                    left_out.append(name)
                    continue
                target = folder / str(len(list(folder.iterdir())))
                with archive.open(entry) as stream:
                    _copy(stream, target, entry.compress_size)
                made.append(Source(target, name))
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError, zlib.error) as error:
        raise damaged_archive() from error
    if not made:
        raise _nothing_inside()
    if left_out:
        report.note("archive_left_out", names=", ".join(left_out))
    return made


def _check_entries(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    if any(entry.flag_bits & 1 for entry in entries):
        raise BadInput("data.encrypted_zip", "The archive has a password. Pack it without one.")
    if len(entries) > FILES_LIMIT:
        raise too_many_files(len(entries))
    _check_size(sum(entry.file_size for entry in entries), size)


def _copy(stream: IO[bytes] | gzip.GzipFile, target: Path, size: int) -> None:
    done = 0
    with target.open("wb") as out:
        while piece := stream.read(_PIECE):
            done += len(piece)
            _check_size(done, size)  # while it grows: what an archive says of its size need not be true
            out.write(piece)


def _check_size(unpacked: int, packed: int) -> None:
    if unpacked > _UNPACKED_LIMIT or (unpacked > UNPACKED_SAFE and unpacked > UNPACKED_RATIO * packed):
        raise BadInput(
            "data.archive_bomb",
            "The archive unpacks to {size} MB or more, which cannot be opened safely. Unpack it first.",
            size=round(unpacked / 1024**2),
        )


def _is_litter(name: str) -> bool:
    """What macOS puts beside each file."""
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or parts[-1] == ".DS_Store" or parts[-1].startswith("._")


def _nothing_inside() -> BadInput:
    return BadInput(
        "data.nothing_inside",
        "The archive holds no file that can be read. It can hold: {known}.",
        known=", ".join(ending for ending in ENDINGS if ending not in _ARCHIVES),
    )
