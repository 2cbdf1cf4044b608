"""The way in: a foreign file becomes rows of our own, under a harmless name.

Takes paths, gives files and what was found in them. It enters nothing into the database.
"""

import os
import shutil
from pathlib import Path

from ftkit.data import storage
from ftkit.data.reading import readers
from ftkit.data.reading.readers import Reading

_LABEL_LENGTH = 120
_ENDING_LENGTH = 20


def label(filename: str) -> str:
    """The last part of a file name as a harmless label that keeps its ending."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(character for character in last if character.isprintable()).strip().lstrip(".")
    path = Path(clean or "upload")
    return path.stem[:_LABEL_LENGTH] + path.suffix[:_ENDING_LENGTH]


def read_rows(source: Path, filename: str, target: Path) -> Reading:
    """Read a file into ``target``; which columns there are is known only after the last line, hence the spool."""
    spool = target.with_name(f"{target.name}.spool")
    try:
        reading = readers.scan(source, filename, spool)
        storage.write_rows(target, readers.spooled(spool), reading.columns, reading.json_columns)
    finally:
        spool.unlink(missing_ok=True)
    return reading


def same_file(source: Path, target: Path) -> None:
    """The same content under a second name; rows never change, so that one copy on the disk is enough."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
