"""What happens to an SQLite file before it is opened: who may use it, is it whole, which backup takes its place if not.

Takes the file, gives its lock, its journal mode and what was restored. It knows no tables beyond the schema's version.
"""

import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.errors import Refused, StoreFault
from ftkit.records import ACTIVE_STATES, Restoration
from ftkit.storage import MOUNTS, is_shared, storage_kind
from ftkit.store.backup import restoring
from ftkit.store.backup.copies import Backup, Backups, problem
from ftkit.store.backup.lock import FileLock
from ftkit.store.backup.reading import damage, opened, schema_of

# Below this size the check costs a command less than a tenth of a second; above it, it is made once an hour.
_ALWAYS_CHECKED = 20_000_000
_CHECKED_FOR = 3600.0
# Seconds: to wait for a turn at most, and to wait at once without holding the file.
_PATIENCE, _OTHERS_FINISH = 10.0, 1.0

_log = logging.getLogger(__name__)


class StoreFile:
    """One SQLite file with its lock and its backups."""

    def __init__(self, path: Path, known: str, clock: Callable[[], datetime], mounts: Path = MOUNTS) -> None:
        """Look where the file lies; nothing is opened yet.

        Args:
            path: the database file.
            known: the newest schema that this ftkit knows.
            clock: gives the time.
            mounts: ``/proc/mounts``.
        """
        self.path = path
        self.kind = storage_kind(path.parent.resolve(), mounts)
        self.alone = is_shared(self.kind)
        self.backups = Backups(path, clock)
        self._known = known
        self._clock = clock
        self._lock = FileLock(path)

    @property
    def journal_mode(self) -> str:
        """``wal`` on a local disk; ``delete`` where memory cannot be shared between processes."""
        return "delete" if self.alone else "wal"

    def enter(self, check: bool) -> Restoration | None:
        """Begin to use the file; a damaged or missing one is replaced by the newest good backup.

        Args:
            check: look at every page; without it only a missing file is seen.

        Raises:
            StoreFault: it may not be used now, or is damaged and there is no good backup.
        """
        try:
            self._take()
            cause, _ = self._ailment(check)
            return self._mend() if cause else None
        except OSError as error:
            self._lock.release()
            raise unreadable(self.path, error.strerror or error) from error
        except BaseException:
            self._lock.release()
            raise

    def leave(self) -> None:
        """Use it no more."""
        self._lock.release()

    def apply_journal_mode(self, connection: Any) -> None:
        """Put a new connection into the journal mode of the place.

        Raises:
            StoreFault: SQLite stayed in another one.
        """
        if self.alone:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        (found,) = connection.execute(f"PRAGMA journal_mode={self.journal_mode}").fetchone()
        if found.lower() != self.journal_mode:
            raise StoreFault(
                "store.journal_mode",
                "The database needs journal mode {wanted} on this disk ({kind}), and SQLite stayed with {found}. Set FTKIT_HOME "
                "to another disk, or FTKIT_DATABASE_URL to a PostgreSQL server.",
                wanted=self.journal_mode,
                kind=self.kind or "unknown kind",
                found=found,
            )

    def ailment(self) -> str:
        """What is wrong with the file, without mending it; empty when it is whole, new, or used by one process alone."""
        if not (self._lock.own() if self.alone else self._lock.share(0.0)):
            return ""
        try:
            return self._ailment(check=True, again=True)[1]
        finally:
            self._lock.release()

    def newest_good(self) -> Backup | None:
        """The backup that a restore without a name would take."""
        return self.backups.newest_good(self._known)

    def problem(self, backup: Backup) -> str:
        """Why a backup cannot be restored; empty where it can."""
        return problem(backup, self._known)

    def make_backup(self) -> Backup:
        """Make a backup now, beside whoever uses the database.

        Raises:
            StoreFault: there is no database yet, or it is damaged, or one process has it alone.
        """
        if not self.path.exists():
            raise StoreFault(
                "store.none_yet",
                "There is no database in {home} yet. Import data first.",
                home=self.path.parent,
            )
        self._take()
        try:
            with opened(self.path, alone=self.alone) as connection:
                return self.backups.make(connection)
        except OSError as error:
            raise StoreFault(
                "store.backup_not_written",
                "The backup cannot be written ({reason}). Make room in {folder}, then try again.",
                reason=error.strerror or error,
                folder=self.backups.folder,
            ) from error
        finally:
            self._lock.release()

    def choose(self, name: str | None) -> Backup:
        """The backup of this name, or the newest good one.

        Raises:
            NotFound: there is no backup of that name.
            StoreFault: it is damaged or too new, or there is none.
        """
        if name is None:
            newest = self.newest_good()
            if newest is None:
                raise StoreFault(
                    "store.no_good_backup",
                    "There is no good backup in {folder}. Make one with: ftkit backup make",
                    folder=self.backups.folder,
                )
            return newest
        backup = self.backups.get(name)
        if found := self.problem(backup):
            raise StoreFault(
                "store.bad_backup",
                "The backup {name} cannot be restored ({reason}). Choose another one.",
                name=name,
                reason=found,
            )
        return backup

    def restore(self, backup: Backup) -> Restoration:
        """Put a backup in the place of the database.

        Raises:
            Refused: another process uses the database, or jobs run.
        """
        if not self._lock.own(1.0):
            raise Refused(
                "store.used_by_others",
                "Another process of ftkit uses the database. End the dashboard, every other command and every running job first.",
            )
        try:
            self._refuse_while_jobs_run()
            return self._put_in_place(backup, "asked", "")
        finally:
            self._lock.release()

    def _refuse_while_jobs_run(self) -> None:
        states = sorted(ACTIVE_STATES)
        query = f"SELECT count(*) FROM jobs WHERE state IN ({', '.join('?' * len(states))})"  # noqa: S608 - our own names
        try:
            with opened(self.path, alone=self.alone) as connection:
                (running,) = connection.execute(query, states).fetchone()
        except sqlite3.DatabaseError:
            return  # not a database, or one without jobs
        if running:
            raise Refused(
                "store.jobs_running",
                "{n} jobs run. Wait for them or stop them, then restore the backup.",
                n=running,
            )

    def _take(self) -> None:
        if self.alone:
            _log.warning(
                "The database lies on %s: journal mode DELETE, one process at a time. A local disk is faster and safer.",
                self.kind,
            )
            if not self._lock.own(1.0):
                raise StoreFault(
                    "store.in_use",
                    "The data folder lies on {kind}, where only one process at a time may use the database, and another one does. "
                    "End the other ftkit, or set FTKIT_HOME to a folder on a local disk.",
                    kind=self.kind,
                )
        elif not self._lock.share(_PATIENCE):
            raise StoreFault(
                "store.being_restored",
                "Another process of ftkit restores a backup of the database. Wait until it has ended, then start again.",
            )

    def _ailment(self, check: bool, again: bool = False) -> tuple[restoring.Cause | None, str]:
        if not self.path.exists() or self.path.stat().st_size == 0:
            return ("missing", "it is gone") if self.backups.all() else (None, "")
        if not check or (self._checked_lately() and not again):
            return None, ""
        try:
            with opened(self.path, alone=self.alone) as connection:
                found = damage(connection)
                # SQLite takes the first bytes of a database for an empty one.
                if not found and schema_of(connection) is None and self.backups.all():
                    found = "it holds no tables"
        except sqlite3.DatabaseError as error:
            raise unreadable(self.path, error) from error
        if found:
            return "damaged", found
        self._note_check()
        return None, ""

    def _mend(self) -> Restoration | None:
        deadline = time.monotonic() + _PATIENCE
        while not self._lock.own(_OTHERS_FINISH):
            # Others use it; perhaps one of them mends it at this moment.
            self._take()
            cause, reason = self._ailment(check=True, again=True)
            if cause is None:
                return None
            if time.monotonic() > deadline:
                raise StoreFault(
                    "store.damaged_in_use",
                    "The database is damaged ({reason}) and another process of ftkit uses it. End the dashboard and every other "
                    "command, then start again: the newest good backup is restored then.",
                    reason=reason,
                )
        cause, reason = self._ailment(check=True, again=True)
        done = self._replace(cause, reason) if cause else None
        if not self.alone:
            self._lock.share(_PATIENCE)
        return done

    def _replace(self, cause: restoring.Cause, reason: str) -> Restoration:
        newest = self.newest_good()
        if newest is None:
            raise StoreFault(
                "store.damaged",
                "The database is damaged ({reason}), and there is no good backup in {folder}. Put a copy of your own in the place of "
                "{path}, or move that file away to begin with an empty database.",
                reason=reason,
                folder=self.backups.folder,
                path=self.path,
            )
        return self._put_in_place(newest, cause, reason)

    def _put_in_place(self, backup: Backup, cause: restoring.Cause, reason: str) -> Restoration:
        try:
            return restoring.restore(self.path, backup, cause, reason, self._clock())
        except OSError as error:
            raise StoreFault(
                "store.not_restored",
                "The backup {name} could not be put in the place of the database ({reason}). Make room in {folder} and see that it "
                "can be written, then start again.",
                name=backup.name,
                reason=error.strerror or error,
                folder=self.path.parent,
            ) from error

    @property
    def _stamp(self) -> Path:
        return self.path.with_name(f".{self.path.name}.checked")

    def _checked_lately(self) -> bool:
        if self.path.stat().st_size <= _ALWAYS_CHECKED or not self._stamp.exists():
            return False
        return 0 <= time.time() - self._stamp.stat().st_mtime < _CHECKED_FOR

    def _note_check(self) -> None:
        if self.path.stat().st_size > _ALWAYS_CHECKED:
            self._stamp.touch()


def unreadable(path: Path, reason: object) -> StoreFault:
    """The error for a file that SQLite cannot read for another reason than damage."""
    return StoreFault(
        "store.unreadable",
        "The database cannot be read ({reason}). See that {path} can be read and written and that no other program holds it, "
        "then start again.",
        reason=reason,
        path=path,
    )
