"""Putting a backup in the place of the database, and saying what that changed.

Takes the database file and its backups, gives a ``Restoration``. The former file is set aside with its journals under
``<file>.<word>-<time>``, never deleted. It must hold the file alone: its callers see to that.
"""

import logging
import shutil
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ftkit.failpoints import reach
from ftkit.records import Restoration, RowCount
from ftkit.store.backup.copies import Backup
from ftkit.store.backup.reading import count, opened, tables
from ftkit.store.files import flush_file, flush_folder, read_json, write_json

JOURNALS = ("-wal", "-shm", "-journal")
# Folders whose artefacts have a record in the database.
_ROOMS = ("uploads", "datasets", "splits", "runs", "sweeps", "evaluations", "judgements", "benchmarks")
_NOTE = "restored.json"
_SHOWN = 10

Cause = Literal["damaged", "missing", "asked"]

_log = logging.getLogger(__name__)


def restore(file: Path, backup: Backup, cause: Cause, reason: str, now: datetime) -> Restoration:
    """Put ``backup`` in the place of ``file``; dying anywhere in between, it is repeated at the next start.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    fresh = file.with_name(f".{file.name}.restoring")
    shutil.copyfile(backup.path, fresh)
    flush_file(fresh)
    reach("store.restore")
    former = _set_aside(file, "replaced" if cause == "asked" else "damaged", now)
    fresh.replace(file)
    flush_folder(file.parent)
    done = Restoration(
        cause=cause,
        reason=reason,
        at=now.astimezone(UTC),
        backup=backup.name,
        backup_made_at=backup.made_at,
        set_aside=former.name if former else "",
        rows=_differences(former, file),
        folders=_without_record(file),
    )
    note(backup.path.parent, done)
    _log.warning(in_words(done))
    return done


def note(folder: Path, restoration: Restoration) -> None:
    """Keep it for the page, until a person has read it."""
    write_json(folder / _NOTE, restoration.model_dump(mode="json"))


def unread(folder: Path) -> Restoration | None:
    """The newest one, unless a person has read it."""
    value = read_json(folder / _NOTE)
    return None if value is None else Restoration.model_validate(value)


def mark_read(folder: Path) -> None:
    """Show it no more."""
    (folder / _NOTE).unlink(missing_ok=True)


def in_words(done: Restoration) -> str:
    """What happened, for the log and the command line."""
    begin = {
        "damaged": f"The database was damaged ({done.reason}).",
        "missing": "The database was gone.",
        "asked": "The database was replaced, as asked.",
    }[done.cause]
    lines = [
        f"{begin} The backup of {done.backup_made_at:%Y-%m-%d %H:%M:%S} UTC was restored: {done.backup}."
    ]
    if done.set_aside:
        lines.append(f"The former file was kept as {done.set_aside}.")
    lines += [
        f"  {row.name}: {_before(row)} before, {row.now} now"
        for row in done.rows
        if done.set_aside and row.differs
    ]
    if done.set_aside and not any(row.differs for row in done.rows):
        lines.append("Both have the same number of rows of every kind.")
    if done.folders:
        named = ", ".join(done.folders[:_SHOWN])
        more = f" and {len(done.folders) - _SHOWN} more" if len(done.folders) > _SHOWN else ""
        lines.append(f"Folders without a record any more, left as they are: {named}{more}.")
    return "\n".join(lines)


def _before(row: RowCount) -> str:
    if row.before is None:
        return "unreadable"
    return str(row.before) if row.exact else f"{row.before} readable"


def _set_aside(file: Path, word: str, now: datetime) -> Path | None:
    """Rename the database first and its journals after it: what is left half-way has no database any more."""
    former = file.with_name(f"{file.name}.{word}-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}")
    there = file.exists()
    for ending in ("", *JOURNALS):
        one = file.with_name(file.name + ending)
        if one.exists():
            one.rename(former.with_name(former.name + ending))
            reach("store.set_aside")
    flush_folder(file.parent)
    return former if there else None


def _differences(former: Path | None, file: Path) -> tuple[RowCount, ...]:
    new, old = _counted(file), _counted(former) if former else {}
    rows = []
    for table in sorted(new.keys() | old.keys()):
        now, _ = new.get(table, (Counter(), True))
        before, whole = old.get(table, (Counter(), False))
        rows += [
            RowCount(
                name=name, before=before[name] if whole or before[name] else None, exact=whole, now=now[name]
            )
            for name in sorted(now.keys() | before.keys())
        ]
    return tuple(rows)


def _counted(file: Path) -> dict[str, tuple[Counter[str], bool]]:
    """Table → its rows by name, as far as they can be read, and whether that is all."""
    try:
        with opened(file, "mode=ro") as connection:
            return {table: count(connection, table) for table in tables(connection)}
    except sqlite3.DatabaseError:
        return {}


def _without_record(file: Path) -> tuple[str, ...]:
    with opened(file, "mode=ro") as connection:
        known = (
            {id_ for (id_,) in connection.execute("SELECT id FROM artefacts")}
            if "artefacts" in tables(connection)
            else set[str]()
        )
    rooms = [file.parent / room for room in _ROOMS]
    found = (path for room in rooms if room.is_dir() for path in sorted(room.iterdir()))
    return tuple(
        f"{path.parent.name}/{path.name}"
        for path in found
        if path.name not in known and not path.name.startswith(".")
    )
