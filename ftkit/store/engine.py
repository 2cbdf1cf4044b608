"""The database: engine, transactions, schema version.

Takes a SQLAlchemy URL, gives read and write transactions. SQLite runs with full synchronisation, in the journal mode that
fits its disk, and a write transaction takes the write lock at its beginning, so that it never fails half-way; damage is mended
before it is opened (``backup``). It holds no queries.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError

from ftkit.errors import StoreFault
from ftkit.failpoints import reach
from ftkit.records import Restoration
from ftkit.storage import MOUNTS
from ftkit.store.backup.copies import Backup
from ftkit.store.backup.guard import StoreFile, unreadable

_MIGRATIONS = Path(__file__).parent / "migrations"
_HEAD = "0005"
_LOOK_EVERY = 60.0  # seconds between two looks at whether a backup is due
# One connection for all threads, where a second one could not open the file.
_ONE_CONNECTION = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 60}


def _now() -> datetime:
    return datetime.now(UTC)


class Database:
    """One database with its transactions; safe to share between threads."""

    def __init__(
        self, url: str, clock: Callable[[], datetime] = _now, mounts: Path = MOUNTS, check: bool = True
    ) -> None:
        """Open ``url``, mend it where it is damaged, and bring its schema up to date.

        Args:
            url: SQLAlchemy's address.
            clock: gives the time, for the names of backups.
            mounts: ``/proc/mounts``, which says on what kind of disk an SQLite file lies.
            check: look for damage first.

        Raises:
            StoreFault: the database is damaged and has no backup, may not be used now, or was written by a newer ftkit.
        """
        self.url = url
        self.file = store_file(url, clock, mounts)
        self.restored: Restoration | None = self.file.enter(check) if self.file else None
        self._next_look = 0.0
        pool = _ONE_CONNECTION if self.file and self.file.alone else {}
        self.engine: Engine = create_engine(url, pool_pre_ping=self.file is None, **pool)
        # SQLite has a single writer and lets the others sleep and try again: the threads of one process rather wait in a row.
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if self.engine.dialect.name == "sqlite" else nullcontext()
        )
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", self._prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        try:
            self._migrate()
        except DatabaseError as error:
            self.close()
            raise unreadable(self.file.path if self.file else Path(), error.orig) from error
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one consistent state and changes nothing."""
        with self.engine.connect() as connection:
            if self.file is None and connection.dialect.name != "sqlite":
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock; committed at the end, rolled back on any exception."""
        with (
            self._turn,
            self.engine.connect().execution_options(ftkit_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        if self.file is not None:
            self.file.leave()

    def back_up(self, before: str = "") -> Backup | None:
        """Make a backup now; None where the database is no SQLite file: its server backs it up.

        Raises:
            StoreFault: the database is damaged.
            OSError: the backup cannot be written.
        """
        if self.file is None:
            return None
        connection = self.engine.raw_connection()
        try:
            driver: Any = connection.driver_connection
            return self.file.backups.make(driver, before)
        finally:
            connection.close()

    def back_up_if_due(self) -> Backup | None:
        """Make a backup if the newest one is an hour old; cheap to call often.

        Raises:
            StoreFault: the database is damaged.
            OSError: the backup cannot be written.
        """
        if self.file is None or time.monotonic() < self._next_look:
            return None
        self._next_look = time.monotonic() + _LOOK_EVERY
        return self.back_up() if self.file.backups.due() else None

    def version(self) -> str | None:
        """Schema version in the database, or None for a new one."""
        with self.engine.connect() as connection:
            if not self.engine.dialect.has_table(connection, "alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def _migrate(self) -> None:
        found = self.version()
        if found == _HEAD:
            return
        if found is not None and found > _HEAD:
            raise StoreFault(
                "store.newer",
                "The data folder was written by a newer ftkit (schema {found}, this one knows {known}). Update ftkit.",
                found=found,
                known=_HEAD,
            )
        if found is not None:
            self._back_up_before_migration()
        # Alembic costs 0.3 s of import; a database that is up to date never needs it.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self._migrating() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, _HEAD)
            reach("store.migration")

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        """One write transaction around all statements of a migration."""
        with self.engine.connect().execution_options(ftkit_write=True) as connection:
            sqlite = self.engine.dialect.name == "sqlite"
            if sqlite:
                # A table is changed by a copy that takes its name; dropping the old one must not drop the rows that point to it.
                # The switch is not heard inside a transaction.
                driver: Any = connection.connection.driver_connection
                driver.execute("PRAGMA foreign_keys=OFF")
            event.listen(connection, "before_cursor_execute", _reach_statement)
            try:
                with connection.begin():
                    yield connection
                    if sqlite and (orphans := connection.execute(text("PRAGMA foreign_key_check")).all()):
                        raise AssertionError(
                            f"the migration leaves rows that point to nothing: {orphans[:3]}"
                        )
            finally:
                if sqlite:
                    driver.execute("PRAGMA foreign_keys=ON")

    def _back_up_before_migration(self) -> None:
        try:
            self.back_up(before=_HEAD)
        except OSError as error:
            raise StoreFault(
                "store.no_backup_before",
                "This ftkit changes the database's tables and makes a backup first, which cannot be written ({reason}). Make room in "
                "the data folder, then start again.",
                reason=error.strerror or error,
            ) from error

    def _prepare_sqlite(self, connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        connection.execute("PRAGMA busy_timeout=10000")
        if self.file is not None:
            self.file.apply_journal_mode(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


def store_file(url: str, clock: Callable[[], datetime] = _now, mounts: Path = MOUNTS) -> StoreFile | None:
    """The file of an SQLite database; None for a database of another kind."""
    path = _path_of(make_url(url))
    return None if path is None else StoreFile(path, _HEAD, clock, mounts)


def _path_of(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    if not url.database.startswith("file:"):
        return Path(url.database)
    return Path(unquote(url.database.removeprefix("file:").partition("?")[0]))


def _reach_statement(*_: object) -> None:
    reach("store.migration")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("ftkit_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
