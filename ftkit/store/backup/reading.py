"""Looking at an SQLite file without the engine: is it whole, which schema has it, how many rows can be read.

Takes files that may be damaged anywhere, gives values. It writes nothing; a damaged page costs the rows on it, and no more.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_PATIENCE = 10.0  # seconds that a writer may hold its lock
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FIRST_BYTE = 0xFF  # the primary part of SQLite's extended codes
_PASSED_OVER = ("alembic_version", "sqlite_")


@contextlib.contextmanager
def opened(file: Path, options: str = "mode=rw", alone: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there.

    Args:
        file: the database.
        options: of SQLite's file addresses: ``mode=ro`` changes nothing, ``immutable=1`` leaves out locks and journals.
        alone: lock it for this connection, so that no shared memory is needed.
    """
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?{options}", uri=True, timeout=_PATIENCE, isolation_level=None
    )
    try:
        if alone:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        yield connection
    finally:
        connection.close()


def damage(connection: sqlite3.Connection) -> str:
    """What SQLite's quick check says against a database; empty when it is whole.

    Raises:
        sqlite3.DatabaseError: it cannot be checked, for another reason than damage.
    """
    try:
        verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        raise
    return "" if verdict == "ok" else " ".join(verdict.split())


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error means that the file itself is damaged, and not that it is busy or out of reach."""
    return getattr(error, "sqlite_errorcode", 0) & _FIRST_BYTE in _DAMAGE


def schema_of(connection: sqlite3.Connection) -> str | None:
    """Version of the schema; None for a database without one."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else None


def tables(connection: sqlite3.Connection) -> list[str]:
    """Names of the tables that hold what a person made."""
    named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in named if not name.startswith(_PASSED_OVER)]


def count(connection: sqlite3.Connection, table: str) -> tuple[Counter[str], bool]:
    """Rows of a table as far as they can be read, artefacts by their kind; and whether that was all of it."""
    column = "kind" if table == "artefacts" else f"'{table}'"
    found: dict[int, str] = {}
    # A damaged page stops a scan: the next one begins behind it, twice as far each time.
    begin, stride, whole = 0, 1, True
    try:
        (last,) = connection.execute(f'SELECT coalesce(max(rowid), 0) FROM "{table}"').fetchone()  # noqa: S608
    except sqlite3.DatabaseError:
        last, whole = 2**31, False
    query = f'SELECT rowid, {column} FROM "{table}" NOT INDEXED WHERE rowid >= ? ORDER BY rowid'  # noqa: S608
    while begin <= last:
        try:
            for rowid, name in connection.execute(query, (begin,)):
                found[rowid] = str(name)
                begin, stride = rowid + 1, 1
            break
        except sqlite3.DatabaseError:
            begin, stride, whole = begin + stride, stride * 2, False
    return Counter(found.values()), whole
