"""The database: engine, transactions, schema version.

Takes a SQLAlchemy URL, gives read and write transactions. SQLite runs in WAL mode with full synchronisation, and a
write transaction takes the write lock at its beginning, so that it never fails half-way. It holds no queries.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError

from ftkit.errors import StoreFault

_MIGRATIONS = Path(__file__).parent / "migrations"
_HEAD = "0002"


class Database:
    """One database with its transactions; safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Open ``url`` and bring its schema up to date.

        Raises:
            StoreFault: the database is damaged, or was written by a newer ftkit.
        """
        self.url = url
        self.engine: Engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        try:
            self._migrate()
        except DatabaseError as error:
            raise StoreFault(
                "store.damaged",
                "The database cannot be read ({reason}). Restore a backup, or set FTKIT_HOME to an empty folder.",
                reason=error.orig,
            ) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one consistent state and changes nothing."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock; committed at the end, rolled back on any exception."""
        with self.engine.connect().execution_options(ftkit_write=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

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
        # Alembic costs 0.3 s of import; a database that is up to date never needs it.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, _HEAD)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=10000",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("ftkit_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
