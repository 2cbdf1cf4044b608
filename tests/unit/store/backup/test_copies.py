"""Backups: when they are made, that only good ones get a name, how many stay."""

import sqlite3
from datetime import timedelta

import pytest

from ftkit.errors import NotFound, StoreFault
from ftkit.records import Upload
from ftkit.store.artefacts import Artefacts
from ftkit.store.backup.copies import KEPT, Backups, problem
from tests.dying import act_in_a_child
from tests.unit.store.backup.stocked import NOON, Store, uploads


def test_a_backup_holds_what_was_committed_and_is_one_plain_file(store: Store) -> None:
    database = store.open()
    Artefacts(database).add(uploads(0, 1)[0])  # still in the write-ahead log
    made = database.back_up()
    assert made is not None
    with sqlite3.connect(f"{made.path.as_uri()}?immutable=1", uri=True) as copy:
        assert copy.execute("SELECT id FROM artefacts").fetchall() == [("u0",)]
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    copy.close()
    database.close()
    assert made.name == "ftkit-20260101T120000Z.sqlite"
    assert [path.name for path in made.path.parent.iterdir()] == [made.name]


def test_a_backup_is_made_while_others_write(store: Store) -> None:
    writer, other = store.open(), store.open()
    with writer.write() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")
        assert other.back_up() is not None
    writer.close()
    other.close()


def test_one_is_due_after_an_hour(store: Store) -> None:
    database = store.open()

    def made() -> bool:
        database._next_look = 0.0  # the minute between two looks is over
        return database.back_up_if_due() is not None

    assert made()
    store.clock.pass_(minutes=59)
    assert not made()
    store.clock.pass_(minutes=1)
    assert made()
    store.clock.pass_(hours=-5)  # the clock was put back: the newest is in the future
    assert made()
    database._next_look = 1e12
    store.clock.pass_(hours=50)
    assert database.back_up_if_due() is None  # cheap to call often
    database.close()


def test_twenty_four_states_stay_and_the_way_back_before_a_migration(store: Store) -> None:
    database = store.open()
    before = database.back_up(before="0001")
    for n in range(KEPT + 6):
        store.clock.pass_(hours=1)
        Artefacts(database).add(uploads(n, n + 1)[0])
        database.back_up()
    kept = database.file.backups.all()
    database.close()
    assert kept[0].made_at == NOON + timedelta(hours=KEPT + 6)
    assert len([backup for backup in kept if not backup.before]) == KEPT
    assert kept[-1] == before


def test_the_same_state_is_kept_once_under_its_newest_time(store: Store) -> None:
    store.add(*uploads(0, 3))
    first = store.back_up()
    store.clock.pass_(hours=1)
    second = store.back_up()
    assert [path.name for path in (store.home / "backups").iterdir()] == [second]
    assert first < second


def test_a_damaged_database_never_becomes_a_backup(store: Store) -> None:
    store.add(*uploads(0, 200))
    good = store.back_up()
    content = bytearray(store.file.read_bytes())
    content[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    store.file.write_bytes(content)
    store.clock.pass_(hours=1)
    damaged = sqlite3.connect(store.file)
    with pytest.raises(StoreFault, match="so no backup was made of it"):
        Backups(store.file, store.clock).make(damaged)
    damaged.close()
    assert [path.name for path in (store.home / "backups").iterdir()] == [good]


@pytest.mark.parametrize("action", ["kill", "raise:ENOSPC"])
def test_a_backup_that_was_cut_off_has_no_name(store: Store, action: str) -> None:
    store.add(*uploads(0, 5))
    assert act_in_a_child(store.back_up, f"store.backup:{action}") != 0
    assert Backups(store.file, store.clock).all() == []
    assert store.uploads() == {f"u{n}" for n in range(5)}
    assert store.back_up()
    assert [backup.name for backup in Backups(store.file, store.clock).all()] == [
        "ftkit-20260101T120000Z.sqlite"
    ]


def test_what_a_dead_process_left_half_made_goes_after_a_while(store: Store) -> None:
    store.add(*uploads(0, 5))
    act_in_a_child(store.back_up, "store.backup:kill")
    [part] = (store.home / "backups").iterdir()
    store.clock.now = NOON.fromtimestamp(part.stat().st_mtime + 4000, NOON.tzinfo)
    store.back_up()
    assert not part.exists()


def test_files_of_other_names_are_no_backups(store: Store) -> None:
    name = store.back_up()
    for other in ("ftkit-2026.sqlite", "other-20260101T120000Z.sqlite", "ftkit-20260101T120000Z.sqlite.old"):
        (store.home / "backups" / other).touch()
    backups = Backups(store.file, store.clock)
    assert [backup.name for backup in backups.all()] == [name]
    with pytest.raises(NotFound, match="no backup ../ftkit.sqlite"):
        backups.get("../ftkit.sqlite")


def test_a_spoilt_backup_is_passed_over(store: Store) -> None:
    store.add(*uploads(0, 100))
    older = store.back_up()
    store.add(Upload(id="late", name="late", created_at=NOON, filename="a", size=1))
    store.clock.pass_(hours=1)
    newer = store.home / "backups" / store.back_up()
    content = newer.read_bytes()
    backups = Backups(store.file, store.clock)
    holed = content[:8192] + b"\xff" * 4096 + content[12288:]
    for spoilt in (content[: len(content) // 2], b"", b"nothing" * 999, holed):
        newer.write_bytes(spoilt)
        assert problem(backups.get(newer.name), "9999")
        found = backups.newest_good("9999")
        assert found is not None
        assert found.name == older


def test_a_backup_of_a_newer_schema_is_passed_over(store: Store) -> None:
    older = store.back_up()
    store.clock.pass_(hours=1)
    database = store.open()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    newer = database.back_up()
    found = database.file.newest_good()
    database.close()
    assert newer is not None
    assert found is not None
    assert found.name == older
