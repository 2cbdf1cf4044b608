"""The backups of an SQLite database: making, checking and keeping them.

    backups/<name>-<UTC time>.sqlite                   hourly while something runs, and when asked for
    backups/<name>-<UTC time>-before-<schema>.sqlite   before a migration to that schema

A copy takes its name only when it lies on the disk and was checked, so that whatever has a name was good when it was made.
It restores nothing.
"""

import errno
import filecmp
import os
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ftkit.errors import NotFound, StoreFault
from ftkit.failpoints import reach
from ftkit.store.backup.reading import damage, opened, schema_of
from ftkit.store.files import flush_folder

KEPT = 24
DUE_AFTER = timedelta(hours=1)
_TIME = "%Y%m%dT%H%M%SZ"
_ABANDONED = 3600  # seconds after which a half-made copy belongs to no living process


class Backup(NamedTuple):
    """One copy of the database."""

    path: Path
    made_at: datetime
    before: str = ""

    @property
    def name(self) -> str:
        """Its file's name, by which it is chosen."""
        return self.path.name


class Backups:
    """The backups beside one database file."""

    def __init__(self, file: Path, clock: Callable[[], datetime]) -> None:
        self.folder = file.parent / "backups"
        self._stem = file.stem
        self._clock = clock
        self._pattern = re.compile(rf"{re.escape(file.stem)}-(\d{{8}}T\d{{6}}Z)(?:-before-(\w+))?\.sqlite")

    def all(self) -> list[Backup]:
        """Newest first."""
        if not self.folder.is_dir():
            return []
        named = ((path, self._pattern.fullmatch(path.name)) for path in self.folder.iterdir())
        found = [
            Backup(path, datetime.strptime(match[1], _TIME).replace(tzinfo=UTC), match[2] or "")
            for path, match in named
            if match
        ]
        return sorted(found, key=lambda backup: (backup.made_at, backup.name), reverse=True)

    def get(self, name: str) -> Backup:
        """The backup with this file name.

        Raises:
            NotFound: there is none.
        """
        for backup in self.all():
            if backup.name == name:
                return backup
        raise NotFound(
            "store.no_such_backup", "There is no backup {name}. Choose one of the list.", name=name
        )

    def newest_good(self, known: str) -> Backup | None:
        """The newest one that is still whole and whose schema is not newer than ``known``."""
        return next((backup for backup in self.all() if problem(backup, known) == ""), None)

    def due(self) -> bool:
        """Whether the newest one is an hour old."""
        newest = next(iter(self.all()), None)
        return newest is None or not timedelta() <= self._clock() - newest.made_at < DUE_AFTER

    def make(self, source: sqlite3.Connection, before: str = "") -> Backup:
        """Copy what ``source`` sees; writers go on meanwhile.

        Args:
            source: a connection outside any transaction.
            before: the schema that a migration is about to make.

        Raises:
            StoreFault: the copy is damaged, so the database is; nothing is kept of it.
            OSError: it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        now = self._clock().astimezone(UTC).replace(microsecond=0)
        name = f"{self._stem}-{now.strftime(_TIME)}{f'-before-{before}' if before else ''}.sqlite"
        partial = self.folder / f".{name}.{os.getpid()}.part"
        try:
            _copy(source, partial)
            if problem := damage_of(partial):
                raise StoreFault(
                    "store.damaged_source",
                    "The database is damaged ({reason}), so no backup was made of it. End ftkit and start it again: "
                    "the newest good backup is then restored.",
                    reason=problem,
                )
            reach("store.backup")
            earlier = next(iter(self.all()), None)
            same = earlier and not earlier.before and filecmp.cmp(earlier.path, partial, shallow=False)
            partial.replace(self.folder / name)
            flush_folder(self.folder)
        finally:
            partial.unlink(missing_ok=True)
        if same and earlier and earlier.name != name:
            earlier.path.unlink(missing_ok=True)  # twenty-four states, not one state twenty-four times
        self._rotate()
        return Backup(self.folder / name, now, before)

    def _rotate(self) -> None:
        kept = self.all()
        spared = next((backup for backup in kept if backup.before), None)
        for backup in kept[KEPT:]:
            if backup != spared:  # the way back to the former ftkit
                backup.path.unlink(missing_ok=True)
        for part in self.folder.glob(".*.part"):
            if self._clock().timestamp() - part.stat().st_mtime > _ABANDONED:
                part.unlink(missing_ok=True)


def problem(backup: Backup, known: str) -> str:
    """Why a backup cannot be restored; empty where it can."""
    if found := damage_of(backup.path):
        return found
    with opened(backup.path, "immutable=1") as connection:
        version = schema_of(connection)
    if version is None:
        return "it is empty"
    return "" if version <= known else f"its schema {version} is newer than {known}"


def damage_of(copy: Path) -> str:
    """What is wrong with a copy that no process writes to; empty when it is whole."""
    try:
        with opened(copy, "immutable=1") as connection:
            return damage(connection)
    except sqlite3.DatabaseError as error:
        return str(error)


def _copy(source: sqlite3.Connection, target: Path) -> None:
    made = sqlite3.connect(target, isolation_level=None)
    try:
        source.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")  # one file, which can be read where nothing can be written
    except sqlite3.OperationalError as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(target)) from error
    finally:
        made.close()
    with target.open("rb") as stream:
        os.fsync(stream.fileno())
