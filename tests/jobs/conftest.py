from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ftkit.jobs.launch import Launcher
from ftkit.jobs.service import Jobs
from ftkit.settings import Settings
from ftkit.store.engine import Database
from ftkit.store.files import Folders, write_json
from ftkit.store.jobs import JobTable


class Yard:
    """A data folder with jobs over fake workers; ``another`` opens it a second time, as a restarted app would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folders = Folders(home)
        self._ids = count()
        self._databases: list[Database] = []
        self.jobs = self.another()

    def another(self) -> Jobs:
        database = Database(f"sqlite:///{self.home / 'ftkit.sqlite'}")
        self._databases.append(database)
        environment = Settings.from_environment().worker_environment()
        launcher = Launcher(
            {**environment, "PYTHONPATH": str(Path(__file__).parents[2])}, package="tests.jobs.fakes"
        )
        return Jobs(
            JobTable(database),
            self.folders,
            launcher,
            lambda: datetime.now(UTC),
            lambda: f"id{id(database)}-{next(self._ids)}",
        )

    def submit(self, kind: str, artefact: str, **inputs: object):
        write_json(self.folders.work(artefact) / "inputs.json", inputs)
        return self.jobs.submit(kind, artefact)

    def close(self) -> None:
        for job in self.jobs.unfinished():
            self.jobs.stop(job.artefact)
            self.jobs.wait(job.artefact, 20)
        for database in self._databases:
            database.close()


@pytest.fixture
def yard(tmp_path: Path):
    made = Yard(tmp_path)
    yield made
    made.close()
