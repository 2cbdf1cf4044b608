import contextlib
import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ftkit.errors import Refused
from ftkit.jobs.launch import Launcher
from ftkit.jobs.service import Conditions, Jobs, Wish
from ftkit.settings import Settings
from ftkit.store.engine import Database
from ftkit.store.files import Folders, write_json
from ftkit.store.jobs import JobTable


class Yard:
    """A data folder with jobs over fake workers; ``another`` opens it a second time, as a restarted app would."""

    def __init__(self, home: Path, conditions: Conditions | None = None) -> None:
        self.home = home
        self.conditions = conditions
        self.folders = Folders(home)
        self._ids = count()
        self._databases: list[Database] = []
        self._every: list[Jobs] = []
        self.jobs = self.another()

    def another(self, **environment: str) -> Jobs:
        database = Database(f"sqlite:///{self.home / 'ftkit.sqlite'}")
        self._databases.append(database)
        inherited = Settings.from_environment().worker_environment()
        launcher = Launcher(
            {**inherited, **environment, "PYTHONPATH": str(Path(__file__).parents[2])},
            package="tests.jobs.fakes",
        )
        jobs = Jobs(
            JobTable(database),
            self.folders,
            launcher,
            lambda: datetime.now(UTC),
            lambda: f"id{os.getpid()}-{id(database)}-{next(self._ids)}",
            self.conditions,
        )
        self._every.append(jobs)
        return jobs

    def submit(
        self, kind: str, artefact: str, wish: Wish | None = None, owner: str = "owner", **inputs: object
    ):
        write_json(self.folders.work(artefact) / "inputs.json", inputs)
        return self.jobs.submit(kind, artefact, owner=owner, wish=wish or Wish())

    def events(self, artefact: str) -> list[str]:
        return [event.event for event in self.jobs.events(artefact)]

    def close(self) -> None:
        for job in self.jobs.unfinished():
            with contextlib.suppress(Refused):  # it has just ended
                self.jobs.stop(job.artefact, now=True)
            self.jobs.wait(job.artefact, 20)
        for jobs in self._every:
            jobs.tick()  # reaps what it has started
        for database in self._databases:
            database.close()


@pytest.fixture
def yard(tmp_path: Path):
    made = Yard(tmp_path)
    yield made
    made.close()
