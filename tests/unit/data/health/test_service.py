"""A check from its start to its report, by a real worker; found again, stopped, and refused where it cannot be."""

import os
import time

import psutil
import pytest

from ftkit.data.health.service import CheckOptions, HealthService
from ftkit.errors import BadInput, NotFound
from ftkit.jobs.launch import Launcher
from ftkit.jobs.service import Jobs
from ftkit.settings import Settings
from ftkit.store.jobs import JobTable
from ftkit.workspace import random_id, utc_now
from tests.finished_run import SleepingLauncher
from tests.planted import plant, sample_rows

PLAIN = CheckOptions()


@pytest.fixture
def health(shared, home):
    def make(launcher: Launcher | None = None) -> HealthService:
        artefacts, folders, *_ = shared
        settings = Settings.from_environment({**os.environ, "FTKIT_HOME": str(home)})
        launcher = launcher or Launcher(settings.worker_environment())
        table = JobTable(artefacts._database)
        return HealthService(artefacts, folders, Jobs(table, folders, launcher, utc_now, random_id))

    return make


@pytest.fixture
def dataset(service, write):
    return service.import_file(write("rows.jsonl", plant(sample_rows(120), ("question", "answer")).rows))


def test_a_check_reports_and_is_found_again(health, service, splits, dataset):
    checks = health()
    split = splits.split(dataset.id)
    options = CheckOptions(split=split.id)
    view = checks.wait(checks.start(dataset.id, options).id)
    assert (view.job.state, view.job.error) == ("done", None)
    found = {one.kind: one.count for one in view.report.findings}
    assert (found["exact_copy"], found["personal.email"], found["personal.card"]) == (50, 30, 10)
    assert view.report.rows == dataset.rows
    assert view.report.lengths is None
    assert view.report.leaks.exact == 0
    launcher = SleepingLauncher()
    again = health(launcher).start(dataset.id, options)
    assert (again.report, launcher.started) == (view.report, [])
    assert checks.newest(dataset.id).id == view.id
    assert checks.progress(view.id) is None
    assert "<!doctype html>" in checks.page(view.id, "tr")
    other = health(launcher).start(dataset.id, PLAIN)
    assert other.id != view.id
    assert len(launcher.started) == 1


def test_a_check_is_stopped_with_all_its_processes(health, dataset):
    checks = health()
    view = checks.start(dataset.id, PLAIN)
    deadline = time.monotonic() + 60
    while not (family := _family(view.job.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    checks.stop(view.id)
    assert checks.wait(view.id).job.state == "stopped"
    _, alive = psutil.wait_procs(family, timeout=20)
    assert (len(family) > 0, alive) == (True, [])


def _family(pid: int | None) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True) if pid else []
    except psutil.NoSuchProcess:
        return []


def test_a_check_that_runs_is_joined_and_has_no_report_yet(health, dataset):
    launcher = SleepingLauncher()
    checks = health(launcher)
    view = checks.start(dataset.id, PLAIN)
    assert checks.start(dataset.id, PLAIN).id == view.id
    assert len(launcher.started) == 1
    checks.stop(view.id)
    with pytest.raises(BadInput, match="not done"):
        checks.report(view.id)


def test_what_cannot_be_checked_is_refused(health, service, splits, dataset, write):
    checks = health(SleepingLauncher())
    with pytest.raises(NotFound, match="nowhere"):
        checks.start("nowhere", PLAIN)
    with pytest.raises(NotFound, match="not on this machine"):
        checks.start(dataset.id, CheckOptions(model="nowhere"))
    other = service.import_file(write("other.jsonl", sample_rows(30)))
    with pytest.raises(BadInput, match="another dataset"):
        checks.start(dataset.id, CheckOptions(split=splits.split(other.id).id))
    with pytest.raises(NotFound, match="no check"):
        checks.get("check-nothing")
    assert checks.newest(dataset.id) is None
