"""A data folder with a finished run in it: records, split, curves and, where asked for, a tiny model with its adapter."""

import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from ftkit.jobs.folder import JobFolder
from ftkit.jobs.identity import Identity
from ftkit.jobs.launch import Launcher
from ftkit.jobs.service import Jobs
from ftkit.records import Dataset, Export, Run, Split
from ftkit.settings import Settings
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from ftkit.store.files import Folders, write_json
from ftkit.store.jobs import JobTable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAPPING = {"system": "system", "user": "question", "assistant": "answer"}
MODEL, RUN, SPLIT = "tiny", "run1", "split1"


class SleepingLauncher(Launcher):
    """Starts nothing: for tests that play the worker themselves."""

    def __init__(self) -> None:
        super().__init__({})
        self.started: list[Path] = []

    def start(self, kind: str, folder: JobFolder, lock: int) -> Identity | None:
        self.started.append(folder.path)
        return None


class Room:
    """The parts that a service needs, over one folder."""

    def __init__(self, home: Path, launcher: Launcher | None = None) -> None:
        self.home = home
        self.folders = Folders(home)
        home.mkdir(parents=True, exist_ok=True)
        self.database = Database(f"sqlite:///{home / 'ftkit.sqlite'}")
        self.artefacts = Artefacts(self.database)
        # Tiny models are slower on several threads than on one.
        settings = Settings.from_environment({**os.environ, "FTKIT_HOME": str(home), "OMP_NUM_THREADS": "1"})
        seconds, numbers = itertools.count(), itertools.count()
        self.clock = lambda: NOW + timedelta(seconds=next(seconds))
        # A stop ends every process that carries the id of the start: those of tests that run beside this one must not have it.
        room = uuid4().hex[:8]
        self.new_id = lambda: f"{room}-{next(numbers)}"
        self.launcher = launcher or Launcher(settings.worker_environment())
        # The supervisor measures how long a worker takes to register: its clock is the real one.
        self.jobs = Jobs(
            JobTable(self.database), self.folders, self.launcher, lambda: datetime.now(UTC), self.new_id
        )

    def end(self, artefact: str, outcome: str = "done", **result: Any) -> None:
        """Play the worker's last act for the job of an artefact."""
        job = self.jobs.of(artefact)
        self.jobs.folder(job).finish(job.nonce, outcome, **result)
        self.jobs.tick()


def tickets(count: int) -> list[dict[str, str]]:
    kinds = ("billing", "delivery")
    return [
        {
            "system": "Sort it.",
            "question": f"message number {n}",
            "answer": json.dumps(
                {"category": kinds[n % 2], "summary": f"a summary that is not short, number {n}"}
            ),
        }
        for n in range(count)
    ]


def add_run(room: Room, rows: dict[str, list[dict[str, Any]]] | None = None, adapter: bool = True) -> Run:
    """Records and files of a run over ``rows`` by part."""
    parts = {"train": tickets(8), "validation": tickets(2), "test": tickets(4), **(rows or {})}
    folder = room.folders.split(SPLIT)
    folder.mkdir(parents=True)
    for part, values in parts.items():
        table = pa.Table.from_pylist(values or tickets(1)).slice(0, len(values))
        pq.write_table(table, folder / f"{part}.parquet")
    room.artefacts.add(
        Dataset(id="data1", name="Tickets", created_at=NOW, rows=14, columns=("question",), mapping=MAPPING)
    )
    room.artefacts.add(
        Split(
            id=SPLIT,
            name="80/10/10",
            created_at=NOW,
            parents=("data1",),
            content_hash="sha256:5517",
            dataset="data1",
            ratios=(0.8, 0.1, 0.1),
            sizes={part: len(values) for part, values in parts.items()},
            mapping=MAPPING,
        )
    )
    run = Run(
        id=RUN,
        name="First <try>",
        created_at=NOW,
        parents=(SPLIT, MODEL),
        recipe="tiny/sft-lora",
        split=SPLIT,
        model=MODEL,
        spec={"learning_rate": 0.0005},
        seed=42,
    )
    room.artefacts.add(run)
    if adapter:
        write_json(room.folders.run(RUN) / "adapter" / "adapter_config.json", {})
    return run


def add_curves(room: Room) -> None:
    """A training job that has ended, with its metrics and curves."""
    room.jobs.submit("train", RUN)
    folder = JobFolder(room.folders.run(RUN))
    lines = [{"step": n, "loss": 3 / n} for n in range(1, 9)] + [{"step": 8, "eval_loss": 0.4}]
    folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    room.end(RUN, metrics={"rows": 8, "rows_left_out": 0, "train_seconds": 61.0, "steps": 8})


def add_model(room: Room) -> None:
    """A tiny model and an adapter of the run that changes it."""
    from tests.tiny import make_tiny_adapter, make_tiny_model

    model = make_tiny_model(room.folders.model(MODEL))
    make_tiny_adapter(model, room.folders.run(RUN) / "adapter")


@contextmanager
def open_room(home: Path, launcher: Launcher | None = None) -> Iterator[Room]:
    """A room whose database is closed at the end."""
    room = Room(home, launcher)
    try:
        yield room
    finally:
        deadline = time.monotonic() + 20
        while room.launcher._children and time.monotonic() < deadline:
            room.launcher.reap()  # a worker ends a moment after its last word
            time.sleep(0.05)
        room.database.close()


def add_export(room: Room, target: str, *files: str) -> Path:
    """A record and files of an export; without files one that is not done."""
    room.artefacts.add(
        Export(
            id=target,
            name=f"First · {target}",
            created_at=NOW,
            parents=(RUN,),
            run=RUN,
            target=target,
            options={},
        )
    )
    folder = room.folders.export(target) / "files"
    for file in files:
        write_json(folder / file, {})
    return folder
