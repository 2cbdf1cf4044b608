"""A damaged database: the newest good backup takes its place, and the start says what differs."""

import logging
import os
import random
from pathlib import Path

import pytest

from ftkit.errors import StoreFault
from ftkit.records import Upload
from ftkit.store.artefacts import Artefacts, enter
from ftkit.store.backup import guard, restoring
from ftkit.store.backup.copies import damage_of
from ftkit.store.engine import store_file
from tests.dying import act_in_a_child
from tests.unit.store.backup.stocked import NOON, Store, uploads

BACKED_UP, LATER = 200, 20


def stock(store: Store) -> str:
    """A backup with so many uploads, and more of them since; gives its name."""
    store.add(*uploads(0, BACKED_UP))
    name = store.back_up()
    store.clock.pass_(minutes=40)
    store.add(*uploads(BACKED_UP, BACKED_UP + LATER))
    return name


def check_restored(store: Store, backup: str, caplog: pytest.LogCaptureFixture) -> None:
    """Open the spoilt database: the backup is in its place, and everything is said."""
    spoilt = store.file.read_bytes()
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        database = store.open()
    done = database.restored
    assert done is not None
    assert len(Artefacts(database).all(Upload)) == BACKED_UP
    database.close()
    assert (done.cause, done.backup, done.backup_made_at) == ("damaged", backup, NOON)
    assert (store.home / done.set_aside).read_bytes() == spoilt
    [row] = [row for row in done.rows if row.name == "upload"]
    assert row.now == BACKED_UP
    assert row.before is None or row.before <= BACKED_UP + LATER
    assert f"The backup of 2026-01-01 12:00:00 UTC was restored: {backup}" in caplog.text
    assert done.set_aside in caplog.text
    assert "upload: " in caplog.text
    assert restoring.unread(store.home / "backups") == done
    again = store.open()
    assert again.restored is None
    again.close()


@pytest.mark.parametrize("seed", range(3))
def test_pages_overwritten_at_twenty_offsets_bring_the_newest_good_backup(
    store: Store, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    backup = stock(store)
    store.spoil(random.Random(seed))
    check_restored(store, backup, caplog)


@pytest.mark.faults
@pytest.mark.parametrize("places", [1, 20])
@pytest.mark.parametrize("seed", range(20))
def test_pages_overwritten_anywhere_bring_the_newest_good_backup(
    store: Store, seed: int, places: int, caplog: pytest.LogCaptureFixture
) -> None:
    backup = stock(store)
    store.spoil(random.Random(1000 + seed), places)
    check_restored(store, backup, caplog)


@pytest.mark.faults
def test_no_overwritten_page_goes_unseen(store: Store) -> None:
    store.add(*uploads(0, BACKED_UP))
    whole, chance = store.file.read_bytes(), random.Random(7)
    for _ in range(400):
        store.file.write_bytes(whole)
        store.spoil(chance, 1)
        assert damage_of(store.file)


def test_what_can_be_read_of_the_damaged_file_is_counted(store: Store) -> None:
    stock(store)
    content = bytearray(store.file.read_bytes())
    places = [n for n in range(4, len(content) // 4096) if content[n * 4096] == 13]  # leaves of tables
    middle = places[len(places) // 2] * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    store.file.write_bytes(content)
    database = store.open()
    done = database.restored
    database.close()
    assert done is not None
    rows = {row.name: row for row in done.rows}
    some = [row for row in rows.values() if not row.exact]
    assert some
    for row in some:
        assert row.before is not None
        assert 0.8 * (BACKED_UP + LATER) <= row.before < BACKED_UP + LATER  # both sides of the hole were read
    for row in rows.values():
        if row.exact:
            assert row.before == row.now + LATER


def test_folders_without_a_record_are_named(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    stock(store)
    for folder in ("uploads/u1", "uploads/u205", "runs/r1", "runs/.r2.part", "models/m", "work/w"):
        (store.home / folder).mkdir(parents=True)
    store.spoil(random.Random(1))
    with caplog.at_level(logging.WARNING):
        database = store.open()
    database.close()
    assert database.restored is not None
    assert database.restored.folders == ("uploads/u205", "runs/r1")
    assert "left as they are: uploads/u205, runs/r1." in caplog.text


def test_without_a_good_backup_the_refusal_says_what_to_do(store: Store) -> None:
    store.add(*uploads(0, BACKED_UP))
    store.spoil(random.Random(2))
    spoilt = store.file.read_bytes()
    with pytest.raises(
        StoreFault, match=r"no good backup in .*backups. Put a copy of your own in the place of"
    ):
        store.open()
    assert store.file.read_bytes() == spoilt


@pytest.mark.parametrize("loss", ["removed", "emptied"])
def test_a_database_that_is_gone_comes_back(store: Store, loss: str) -> None:
    backup = stock(store)
    store.file.unlink()
    if loss == "emptied":
        store.file.touch()
    database = store.open()
    database.close()
    assert database.restored is not None
    assert (database.restored.cause, database.restored.backup) == ("missing", backup)
    assert len(store.uploads()) == BACKED_UP


@pytest.mark.parametrize("length", [1, 100, 4096, 5000, 8192, 40960])
def test_a_database_that_was_cut_off_is_damaged(store: Store, length: int) -> None:
    backup = stock(store)
    store.file.write_bytes(store.file.read_bytes()[:length])
    database = store.open()
    database.close()
    assert database.restored is not None
    assert (database.restored.cause, database.restored.backup) == ("damaged", backup)


def test_a_write_ahead_log_never_meets_another_database(store: Store) -> None:
    stock(store)

    def die_with_a_log() -> None:
        database = store.open()
        Artefacts(database).add(uploads(900, 901)[0])
        os._exit(9)

    assert act_in_a_child(die_with_a_log) == 9
    log = store.file.with_name("ftkit.sqlite-wal").read_bytes()
    assert log
    store.file.unlink()
    database = store.open()
    database.close()
    assert len(store.uploads()) == BACKED_UP  # and not u900, whose log belonged to the lost file
    [kept] = store.home.glob("ftkit.sqlite.damaged-*-wal")
    assert kept.read_bytes() == log


@pytest.mark.parametrize(
    "place", ["store.restore", "store.set_aside@1", "store.set_aside@2", "store.set_aside@3"]
)
def test_dying_in_the_middle_of_a_restore_it_is_repeated(store: Store, place: str) -> None:
    stock(store)
    store.spoil(random.Random(3))
    file = store_file(f"sqlite:///{store.file}", store.clock)
    assert file is not None
    newest = file.newest_good()
    assert newest is not None
    for ending in ("-wal", "-shm"):
        store.file.with_name(f"ftkit.sqlite{ending}").write_bytes(b"of the damaged one")

    def begin() -> None:
        restoring.restore(store.file, newest, "damaged", "", store.clock())

    assert act_in_a_child(begin, f"{place}:kill") == -9
    assert len(store.uploads()) == BACKED_UP
    assert len(list(store.home.glob("ftkit.sqlite.damaged-*Z"))) == 1  # the file itself, kept


def test_a_full_disk_leaves_the_damaged_file_where_it_is(store: Store) -> None:
    stock(store)
    store.spoil(random.Random(4))
    spoilt = store.file.read_bytes()

    def refuse() -> None:
        with pytest.raises(StoreFault, match=r"could not be put in the place of the database .No space left"):
            store.open()

    assert act_in_a_child(refuse, "store.restore:raise:ENOSPC") == 0
    assert store.file.read_bytes() == spoilt
    assert len(store.uploads()) == BACKED_UP


def test_a_large_database_is_checked_once_an_hour(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stock(store)
    seen: list[Path] = []
    look = guard.damage
    monkeypatch.setattr(guard, "damage", lambda connection: (seen.append(store.file), look(connection))[1])
    store.open().close()
    store.open().close()
    assert len(seen) == 2
    monkeypatch.setattr(guard, "_ALWAYS_CHECKED", 1000)
    store.open().close()
    assert len(seen) == 3
    store.open().close()
    assert len(seen) == 3
    stamp = store.home / ".ftkit.sqlite.checked"
    os.utime(stamp, (stamp.stat().st_mtime - 3700,) * 2)
    store.open().close()
    assert len(seen) == 4


def test_a_worker_that_enters_a_record_looks_for_no_damage(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(store)
    monkeypatch.setattr(guard, "damage", lambda _: pytest.fail("it was checked"))
    enter(uploads(500, 501)[0], f"sqlite:///{store.file}")
    monkeypatch.undo()
    assert "u500" in store.uploads()
