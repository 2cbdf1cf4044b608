import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ftkit.monitoring.traffic.kept import TrafficSettings
from ftkit.records import Run, Split
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.store.serving import versions
from ftkit.store.serving.versions import VersionLine
from ftkit.workspace import Workspace
from tests.finished_run import NOW, SleepingLauncher
from tests.monitored import NearMasker

BASE = "smollm2-135m"


class Served:
    """A workspace in which a run was trained and is live as the version ``v1``; nothing answers, and no worker starts."""

    def __init__(self, home: Path) -> None:
        self.now = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
        settings = Settings.from_environment({**os.environ, "FTKIT_HOME": str(home)})
        self.workspace = Workspace(settings, clock=lambda: self.now)
        self.workspace.traffic._masker = NearMasker()  # type: ignore[assignment]
        self.split = next(iter(self.workspace.splits.all()), None) or self._make_split(home)

    def _make_split(self, home: Path) -> Split:
        model = {"id": BASE, "name": "Small", "created_at": NOW.isoformat(), "source": "bundled"}
        write_json(self.workspace.folders.model(BASE) / "model.json", model)
        rows = home / "rows.json"
        told = [{"question": f"question {n} of words", "answer": f"answer {n}"} for n in range(40)]
        rows.write_text(json.dumps(told))
        return self.workspace.splits.split(self.workspace.data.import_file(rows).id)

    def add_run(self, id_: str, **spec: Any) -> str:
        run = Run(
            id=id_,
            name=f"Run {id_}",
            created_at=self.now,
            recipe="gone",
            split=self.split.id,
            model=BASE,
            spec={"method": "sft", **spec},
        )
        job = self.workspace.jobs.submit("train", id_, record=run)
        self.workspace.jobs.folder(job).finish(job.nonce, "done")
        self.workspace.jobs.tick()
        write_json(self.workspace.folders.run(id_) / "adapter" / "adapter_config.json", {})
        return id_

    def serve(self, version: str, target: str, state: str = "live") -> str:
        with self.workspace._database.write() as connection:
            versions.add(
                connection,
                VersionLine(
                    version, target, f"Label {version}", "resident", state, 0.0, None, self.now, self.now
                ),
            )
        return version

    def keep_texts(self) -> None:
        self.workspace.traffic.choose(TrafficSettings(keep_texts=True, days=3650))

    def record(self, *exchanges: Any) -> None:
        for one in exchanges:
            self.workspace.traffic.record(one)
        assert self.workspace.traffic.flush(20)

    def wait(self, **span: Any) -> None:
        self.now += timedelta(**span)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a split and a model, made once."""
    home = tmp_path_factory.mktemp("served") / "home"
    Served(home).workspace.close()
    return home


@pytest.fixture
def served(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr("ftkit.workspace.Launcher", lambda *_, **__: SleepingLauncher())
    served = Served(shutil.copytree(home, tmp_path / "home"))
    served.add_run("run-1")
    served.serve("v1", "run:run-1")
    yield served
    served.workspace.close()
