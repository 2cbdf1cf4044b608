"""The schema that the migrations make is the schema that the queries expect."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from ftkit.errors import StoreFault
from ftkit.store import tables
from ftkit.store.engine import Database
from ftkit.store.jobs import JobTable

# Tables of serving and monitoring, those that point to others first.
_SERVING = (
    "feedback",
    "api_keys",
    "served_versions",
    "serving_events",
    "traffic",
    "drift_checks",
    "alerts",
    "harvested",
    "choices",
)
# Tables of the ratings, those that point to others first.
_RATINGS = (
    "rating_changes",
    "ratings",
    "assignments",
    "raters",
    "rating_items",
    "studies",
    "saved_examples",
)


def shape(engine: sa.Engine) -> dict[str, object]:
    inspector = sa.inspect(engine)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
            sorted((i["name"], tuple(i["column_names"])) for i in inspector.get_indexes(table)),
            inspector.get_pk_constraint(table)["constrained_columns"],
        )
        for table in sorted(inspector.get_table_names())
        if table != "alembic_version"
    }


def test_migrations_make_the_tables(tmp_path: Path) -> None:
    migrated = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    drawn = sa.create_engine(f"sqlite:///{tmp_path / 'b.sqlite'}")
    tables.metadata.create_all(drawn)
    assert shape(migrated.engine) == shape(drawn)
    migrated.close()
    drawn.dispose()


def test_jobs_of_the_first_schema_keep_their_order(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    database = Database(url)
    with database.write() as connection:
        for column in ("claimed_by", "priority", "place", "tries_left", "needs_mb", "alone"):
            connection.execute(sa.text(f"ALTER TABLE jobs DROP COLUMN {column}"))
        for table in (*_SERVING, *_RATINGS, "looks", "tags"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
        for position, name in enumerate("bca", 1):
            connection.execute(
                sa.text(
                    "INSERT INTO jobs (id, position, kind, lane, artefact, state, nonce, owner, queued_at) "
                    f"VALUES ('{name}', {position}, 'train', 'compute', '{name}', 'queued', 'n', 'owner', '2026-01-01 00:00:00')"
                )
            )
    database.close()
    database = Database(url)
    assert [job.id for job in JobTable(database).waiting()] == list("bca")
    assert JobTable(database).reorder("a", "first")
    assert [job.id for job in JobTable(database).waiting()] == list("abc")
    database.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    database = Database(url)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreFault, match="newer ftkit"):
        Database(url)


def test_a_damaged_file_is_refused_with_words(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreFault, match="is damaged .file is not a database., and there is no good backup"):
        Database(f"sqlite:///{tmp_path / 'a.sqlite'}")


def test_sqlite_runs_in_wal_mode_with_full_synchronisation(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with database.read() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {p}").scalar()
            for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
    database.close()
    assert values == ["wal", 2, 1]
