"""The way in: a foreign file becomes rows of our own, under a harmless name.

Takes paths, gives files and what was found in them. It enters nothing into the database.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ftkit.data import storage
from ftkit.data.reading import readers
from ftkit.data.reading.archives import Source
from ftkit.data.reading.readers import Reading
from ftkit.data.reading.report import Options, Row
from ftkit.records import Record

# Called with a phase, how much is done of how much; it may raise to end the reading.
Progress = Callable[[str, int, int], None]

READING = "reading.json"  # of an upload, beside its rows
_PROGRESS_ROWS = 2_000
_LABEL_LENGTH = 120
_ENDING_LENGTH = 20


def label(filename: str) -> str:
    """The last part of a file name as a harmless label that keeps its ending."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(character for character in last if character.isprintable()).strip().lstrip(".")
    path = Path(clean or "upload")
    return path.stem[:_LABEL_LENGTH] + path.suffix[:_ENDING_LENGTH]


class Question(Record):
    """What shall be read: files with the names that they came with, into a folder."""

    files: tuple[tuple[Path, str], ...]
    folder: Path
    options: Options = Options()


def answer(question: Question, progress: Progress = lambda *_: None) -> Reading:
    """Read an upload: its rows and what was found lie in its folder afterwards, or nothing new does.

    Raises:
        BadInput: it cannot be read.
    """
    folder = question.folder
    partial = folder / f".{storage.ROWS}.{os.getpid()}.{threading.get_ident()}.part"
    try:
        reading = read_rows(question.files, partial, question.options, progress)
        partial.replace(folder / storage.ROWS)
    finally:
        partial.unlink(missing_ok=True)
    (folder / READING).write_text(reading.model_dump_json(), encoding="utf-8")
    return reading


def read_rows(
    files: Sequence[tuple[Path, str]],
    target: Path,
    options: Options | None = None,
    progress: Progress = lambda *_: None,
) -> Reading:
    """Read files into ``target``; which columns there are is known only after the last line, hence the spool."""
    spool = target.with_name(f"{target.name}.spool")
    size = sum(path.stat().st_size for path, _ in files)
    sources = [Source(path, name) for path, name in files]
    try:
        reading = readers.scan(
            sources, spool, options, lambda done: progress("reading", done, max(done, size))
        )
        rows = _told(readers.spooled(spool), reading.rows, progress)
        storage.write_rows(target, rows, reading.columns, reading.json_columns)
    finally:
        spool.unlink(missing_ok=True)
    return reading.model_copy(update={"file_hash": storage.file_hash(target)})


def _told(rows: Iterator[Row], count: int, progress: Progress) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number % _PROGRESS_ROWS == 0:
            progress("saving", number, count)
        yield row


def join_hashes(hashes: Sequence[str]) -> str:
    """One hash for one or several files."""
    if len(hashes) == 1:
        return hashes[0]
    return "sha256:" + hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def same_file(source: Path, target: Path) -> None:
    """The same content under a second name; rows never change, so that one copy on the disk is enough."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
