"""Who may use the database file, and in which journal mode, by the kind of its disk."""

import logging
import random
import subprocess
import sys
from pathlib import Path

import pytest

from ftkit.errors import Refused, StoreFault
from ftkit.records import Upload
from ftkit.store.artefacts import Artefacts, enter
from ftkit.store.backup.lock import FileLock
from ftkit.store.engine import Database, store_file
from tests.dying import act_in_a_child
from tests.unit.store.backup.stocked import Store, uploads

SHARED = ("fuse.rclone", "fuse", "nfs4", "nfs", "cifs", "smb3", "9p")
LOCAL = ("ext4", "xfs", "btrfs", "overlay", "tmpfs", "apfs")
ROOT = Path(__file__).parents[4]


@pytest.fixture
def mounts(tmp_path_factory: pytest.TempPathFactory):
    """A ``/proc/mounts`` that says that everything lies on the kind."""

    def make(kind: str) -> Path:
        path = tmp_path_factory.mktemp("proc") / "mounts"
        path.write_text(f"disk / {kind} rw 0 0\n")
        return path

    return make


def pragma(database: Database, name: str) -> object:
    with database.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.mark.parametrize("kind", LOCAL)
def test_on_a_local_disk_readers_and_writers_share_a_log(store: Store, mounts, kind: str, caplog) -> None:
    database, other = (store.open(mounts=mounts(kind)) for _ in range(2))
    assert (pragma(database, "journal_mode"), pragma(database, "locking_mode")) == ("wal", "normal")
    assert pragma(database, "synchronous") == 2
    Artefacts(database).add(uploads(0, 1)[0])
    assert len(Artefacts(other).all(Upload)) == 1
    database.close()
    other.close()
    assert caplog.text == ""


@pytest.mark.parametrize("kind", SHARED)
def test_on_a_shared_disk_one_process_has_it_alone(store: Store, mounts, kind: str, caplog) -> None:
    store.add(*uploads(0, 1))  # made on a local disk, with a log
    with caplog.at_level(logging.WARNING):
        database = store.open(mounts=mounts(kind))
    assert f"The database lies on {kind}: journal mode DELETE, one process at a time" in caplog.text
    assert (pragma(database, "journal_mode"), pragma(database, "locking_mode")) == ("delete", "exclusive")
    assert pragma(database, "synchronous") == 2
    assert not list(store.home.glob("*-shm"))
    with pytest.raises(StoreFault, match=f"lies on {kind}, where only one process at a time"):
        store.open(mounts=mounts(kind))
    assert database.back_up() is not None
    database.close()
    store.open(mounts=mounts(kind)).close()


def test_on_a_shared_disk_threads_take_turns(store: Store, mounts) -> None:
    from concurrent.futures import ThreadPoolExecutor

    database = store.open(mounts=mounts("nfs"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(Artefacts(database).add, uploads(0, 40)))
    assert len(Artefacts(database).all(Upload)) == 40
    database.close()


def test_on_a_shared_disk_a_worker_leaves_its_record_for_the_one_process(store: Store, mounts) -> None:
    url, nfs = f"sqlite:///{store.file}", mounts("nfs4")
    database = store.open(mounts=nfs)
    enter(uploads(7, 8)[0], url, nfs)
    [waiting] = (store.home / "ftkit.sqlite.entering").iterdir()
    left = waiting.read_bytes()
    artefacts = Artefacts(database)
    assert artefacts.get(Upload, "u7") == uploads(7, 8)[0]
    assert not waiting.exists()
    waiting.write_bytes(left)  # as if the process had died between the two
    assert [record.id for record in artefacts.all(Upload)] == ["u7"]
    assert not waiting.exists()
    database.close()


def test_a_journal_mode_that_does_not_take_ends_the_start(tmp_path: Path) -> None:
    # Without shared memory SQLite cannot keep a log, and says so only by the name of another mode.
    file = tmp_path / "a.sqlite"
    with pytest.raises(
        StoreFault, match=r"needs journal mode wal on this disk .*, and SQLite stayed with delete"
    ):
        Database(f"sqlite:///file:{file}?vfs=unix-none&uri=true")


def test_a_damaged_database_that_another_process_uses_is_left_alone(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("ftkit.store.backup.guard._PATIENCE", 0.5)
    store.add(*uploads(0, 100))
    store.back_up()
    using = store.open()
    store.spoil(random.Random(1))
    spoilt = store.file.read_bytes()
    with pytest.raises(StoreFault, match="and another process of ftkit uses it. End the dashboard"):
        store.open()
    assert store.file.read_bytes() == spoilt
    using.close()
    database = store.open()
    database.close()
    assert database.restored is not None


def test_two_starts_at_once_restore_once(store: Store) -> None:
    store.add(*uploads(0, 100))
    store.back_up()
    store.spoil(random.Random(6))
    code = (
        "import sys; from ftkit.store.engine import Database; d = Database(sys.argv[1]);"
        "print('restored' if d.restored else 'whole'); import time; time.sleep(1); d.close()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, f"sqlite:///{store.file}"],
            env={"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(4)
    ]
    said = sorted(one.communicate(timeout=60)[0].strip() for one in started)
    assert said == ["restored", "whole", "whole", "whole"]
    assert len(list(store.home.glob("ftkit.sqlite.damaged-*Z"))) == 1


def test_no_process_opens_it_while_a_backup_is_put_in_place(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("ftkit.store.backup.guard._PATIENCE", 0.3)
    lock = FileLock(store.file)
    assert lock.own()
    with pytest.raises(StoreFault, match="restores a backup of the database. Wait"):
        store.open()
    lock.release()
    store.open().close()


def test_a_restore_is_refused_while_others_use_the_database(store: Store) -> None:
    store.add(*uploads(0, 3))
    store.back_up()
    file = store_file(f"sqlite:///{store.file}", store.clock)
    using = store.open()
    with pytest.raises(Refused, match="Another process of ftkit uses the database"):
        file.restore(file.choose(None))
    using.close()
    assert file.restore(file.choose(None)).cause == "asked"


def test_a_restore_keeps_what_it_replaces(store: Store) -> None:
    store.add(*uploads(0, 3))
    name = store.back_up()
    store.add(*uploads(3, 5))
    file = store_file(f"sqlite:///{store.file}", store.clock)
    done = file.restore(file.choose(name))
    assert [(row.name, row.before, row.now) for row in done.rows if row.name == "upload"] == [
        ("upload", 5, 3)
    ]
    assert len(store.uploads()) == 3
    assert done.set_aside.startswith("ftkit.sqlite.replaced-")
    (store.home / done.set_aside).replace(store.file)
    assert len(store.uploads()) == 5


def test_what_cannot_be_restored_is_refused(store: Store) -> None:
    file = store_file(f"sqlite:///{store.file}", store.clock)
    with pytest.raises(StoreFault, match="no database in"):
        file.make_backup()
    with pytest.raises(StoreFault, match="no good backup"):
        file.choose(None)
    name = store.back_up()
    (store.home / "backups" / name).write_bytes(b"")
    with pytest.raises(StoreFault, match="cannot be restored .it is empty."):
        file.choose(name)


def test_another_database_than_sqlite_has_no_file() -> None:
    assert store_file("postgresql+psycopg://someone@somewhere/ftkit") is None
    assert store_file("sqlite://") is None


def test_a_folder_that_is_not_there_is_refused_with_words(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match=r"cannot be read .No such file or directory"):
        Database(f"sqlite:///{tmp_path / 'none' / 'a.sqlite'}")


def test_without_room_a_backup_is_refused_with_words(store: Store) -> None:
    store.add(*uploads(0, 3))

    def refuse() -> None:
        with pytest.raises(StoreFault, match=r"backup cannot be written .No space left"):
            store_file(f"sqlite:///{store.file}").make_backup()

    assert act_in_a_child(refuse, "store.backup:raise:ENOSPC") == 0
