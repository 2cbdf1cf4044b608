"""A data folder with records in its database, and ways to spoil it."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ftkit.records import Dataset, Upload
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAGE = 4096


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


class Store:
    """``ftkit.sqlite`` in a folder; open it as a start of ftkit does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.file = home / "ftkit.sqlite"
        self.clock = Clock()

    def open(self, **options: object) -> Database:
        return Database(f"sqlite:///{self.file}", self.clock, **options)

    def add(self, *records: Upload | Dataset) -> None:
        database = self.open()
        for record in records:
            Artefacts(database).add(record)
        database.close()

    def back_up(self) -> str:
        """Make a backup now; gives its name."""
        database = self.open()
        made = database.back_up()
        database.close()
        assert made is not None
        return made.name

    def uploads(self) -> set[str]:
        database = self.open()
        found = {record.id for record in Artefacts(database).all(Upload)}
        database.close()
        return found

    def spoil(self, chance: random.Random, places: int = 20) -> None:
        """Overwrite 4 KB at so many random offsets."""
        content = bytearray(self.file.read_bytes())
        for _ in range(places):
            begin = chance.randrange(len(content) - PAGE)
            content[begin : begin + PAGE] = chance.randbytes(PAGE)
        self.file.write_bytes(content)


def uploads(begin: int, end: int) -> list[Upload]:
    """Uploads by number, of very different lengths."""
    return [
        Upload(
            id=f"u{n}", name=f"{n}" * (1 + n % 40), created_at=NOON, filename="a.csv", size=n,
            files=tuple(f"file-{k}" for k in range(n % 50 * 4)), parents=(f"u{n - 1}",) if n else (),
        )
        for n in range(begin, end)
    ]  # fmt: skip
