"""A migration that is killed at any of its statements leaves the old schema with its rows, or the new one."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from ftkit.errors import StoreFault
from ftkit.store import engine
from ftkit.store.engine import Database
from tests.dying import act_in_a_child

VERSIONS = sorted(path.stem[:4] for path in (engine._MIGRATIONS / "versions").glob("[0-9]*.py"))
# A table that others point to is made anew: the hardest kind of migration.
_NEXT = '''
"""Artefacts get a note."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "{revision}", "{down}"
def upgrade():
    with op.batch_alter_table("artefacts", recreate="always") as batch:
        batch.add_column(sa.Column("note", sa.Text, nullable=False, server_default=""))
    op.execute("UPDATE artefacts SET note = name")
'''


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(engine._MIGRATIONS))
    return made


def make_at(file: Path, version: str | None) -> None:
    """A database of an older schema with a row in each table; an empty one for None."""
    if version is None:
        return
    made = sa.create_engine(f"sqlite:///{file}")
    with made.begin() as connection:
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, version)
    made.dispose()
    with sqlite3.connect(file) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in names:
            if table != "alembic_version":
                columns = [(row[1], row[2]) for row in raw.execute(f'PRAGMA table_info("{table}")')]
                marks = ", ".join("?" * len(columns))
                raw.execute(
                    f'INSERT INTO "{table}" VALUES ({marks})', [_filler(type_) for _, type_ in columns]
                )
    raw.close()


def _filler(type_: str) -> object:
    fillers = {
        "INTEGER": 1,
        "DATETIME": "2026-01-01 00:00:00.000000",
        "JSON": "{}",
        "BOOLEAN": 0,
        "FLOAT": 0.5,
    }
    return fillers.get(type_, "x")


def content(file: Path) -> list[str]:
    """Schema and rows."""
    with sqlite3.connect(file) as raw:
        found = list(raw.iterdump())
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()
    return sorted(found)


def kill_at_each_statement(folder: Path, version: str | None) -> int:
    """Kill the way from ``version`` to the newest schema at its first statement, its second …; how many there are."""

    def migrate(file: Path) -> Callable[[], None]:
        return lambda: Database(f"sqlite:///{file}").close()

    first, calm = folder / "first.sqlite", folder / "calm.sqlite"
    sqlite3.connect(first).close()
    make_at(first, version)
    shutil.copyfile(first, calm)
    old = content(calm)
    migrate(calm)()
    new = content(calm)
    assert new != old
    statement = 0
    while True:
        statement += 1
        file = folder / f"{statement}.sqlite"
        shutil.copyfile(first, file)
        code = act_in_a_child(migrate(file), f"store.migration@{statement}:kill")
        assert code in (0, -9)
        assert content(file) == (old if code else new), f"killed at statement {statement}"
        migrate(file)()
        assert content(file) == new, f"killed at statement {statement}, then started again"
        if code == 0:
            return statement - 1


@pytest.mark.parametrize(
    "version", [None, *(pytest.param(one, marks=pytest.mark.faults) for one in VERSIONS[:-2]), VERSIONS[-2]]
)
def test_killed_at_each_statement_it_leaves_the_old_schema_or_the_new_one(
    tmp_path: Path, version: str | None
) -> None:
    assert kill_at_each_statement(tmp_path, version) > 5


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One migration more, of this test's own."""
    folder = tmp_path / "migrations"
    shutil.copytree(engine._MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    down, revision = VERSIONS[-1], f"{int(VERSIONS[-1]) + 1:04}"
    (folder / "versions" / f"{revision}_note.py").write_text(_NEXT.format(revision=revision, down=down))
    monkeypatch.setattr(engine, "_MIGRATIONS", folder)
    monkeypatch.setattr(engine, "_HEAD", revision)
    return revision


def test_a_table_made_anew_keeps_the_rows_that_point_to_it(tmp_path: Path, next_version: str) -> None:
    assert kill_at_each_statement(tmp_path, VERSIONS[-1]) > 5
    [parent] = sqlite3.connect(tmp_path / "calm.sqlite").execute("SELECT child FROM artefact_parents")
    assert parent == ("x",)


def test_a_backup_is_made_before_a_migration(tmp_path: Path, next_version: str) -> None:
    file = tmp_path / "ftkit.sqlite"
    make_at(file, VERSIONS[-1])
    old = content(file)
    database = Database(f"sqlite:///{file}")
    [backup] = database.file.backups.all()
    assert database.version() == next_version
    database.close()
    assert backup.before == next_version
    assert content(backup.path) == old


def test_without_room_for_the_backup_nothing_is_migrated(tmp_path: Path, next_version: str) -> None:
    file = tmp_path / "ftkit.sqlite"
    make_at(file, VERSIONS[-1])
    old = content(file)

    def refuse() -> None:
        with pytest.raises(StoreFault, match=r"makes a backup first, which cannot be written .No space left"):
            Database(f"sqlite:///{file}")

    assert act_in_a_child(refuse, "store.backup:raise:ENOSPC") == 0
    assert content(file) == old


def test_a_newer_schema_is_refused_before_anything_is_written(tmp_path: Path, next_version: str) -> None:
    file = tmp_path / "ftkit.sqlite"
    make_at(file, next_version)
    before = file.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_HEAD", VERSIONS[-1])
        with pytest.raises(StoreFault, match="written by a newer ftkit"):
            Database(f"sqlite:///{file}")
    assert file.read_bytes() == before
    assert not (tmp_path / "backups").exists()


def test_the_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(config()).get_current_head() == engine._HEAD == VERSIONS[-1]
