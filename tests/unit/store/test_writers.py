"""Writers: what was acknowledged is stored, whenever its process dies; many at once do not fail."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ftkit.records import Upload
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from tests.unit.store.backup.stocked import uploads

ROOT = Path(__file__).parents[3]
_WRITE = """
import itertools, sys
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from tests.unit.store.backup.stocked import uploads
store = Artefacts(Database(sys.argv[1]))
begin = int(sys.argv[2])
for n in itertools.count(begin):
    store.add(uploads(n, n + 1)[0])
    print(f"u{n}", flush=True)
"""


def kill_again_and_again(file: Path, kills: int) -> None:
    """Kill a writer so many times, each time at another moment; everything that it acknowledged is there."""
    chance = random.Random(11)
    acknowledged: set[str] = set()
    for number in range(kills):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITE, f"sqlite:///{file}", str(number * 1_000_000)],
            env={"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        first = writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.2))
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.communicate()[0]
        # The last line may be torn: whoever reads it was told nothing yet.
        acknowledged |= {line for line in (first + rest).split("\n")[:-1] if line}
    database = Database(f"sqlite:///{file}")
    stored = {record.id for record in Artefacts(database).all(Upload)}
    database.close()
    assert database.restored is None
    assert len(acknowledged) > kills
    assert acknowledged <= stored
    with sqlite3.connect(file) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path / "a.sqlite", 8)


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_what_was_acknowledged_outlives_a_hundred_kills(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path / "a.sqlite", 100)


def test_fifty_writers_at_once_neither_fail_nor_wait_long(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    databases = [Database(url) for _ in range(5)]
    waited: list[float] = []
    begin = threading.Barrier(50)

    def write(writer: int) -> None:
        store = Artefacts(databases[writer % len(databases)])
        begin.wait()
        for record in uploads(writer * 20, writer * 20 + 20):
            began = time.monotonic()
            store.add(record)
            waited.append(time.monotonic() - began)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(write, range(50)))
    assert len(Artefacts(databases[0]).all(Upload)) == 1000
    for database in databases:
        database.close()
    assert sorted(waited)[-10] < 10  # the busy timeout, with which a writer would have failed
