"""A run outlives the page and the web process, and a stop leaves nothing behind; seen in a real browser."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from ftkit.jobs.folder import append_lines
from ftkit.records import Run
from ftkit.settings import Settings
from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.tiny import make_tiny_model
from tests.ui.conftest import Dashboard
from tests.ui.test_journey import SLOW, choose, fill

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

OUTLIVING = 150  # steps: enough that the run still goes on when the web process has been killed


@pytest.fixture(scope="module")
def split(dashboard: Dashboard, tmp_path_factory) -> str:
    """Id of a split in the dashboard's data folder, with a tiny model beside it."""
    dashboard.seed_model(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))
    with open_workspace(dashboard) as workspace:
        return workspace.splits.split(workspace.data.import_sample("house-voice-en").id).id


def open_workspace(dashboard: Dashboard) -> Workspace:
    return Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)}))


def start(page: Page, dashboard: Dashboard, split: str, steps: int) -> str:
    """Start a run of so many steps on the Train page; gives its id."""
    page.goto(f"{dashboard.url}/train?split={split}")
    expect(page.locator("#train-card .ft-facts, #train-card .ft-notice").first).to_be_visible(timeout=SLOW)
    choose(page, "spec-model_name_or_path", "Tiny random model")
    page.locator("#train-advanced button").first.click()
    expect(page.locator("#spec-max_steps input")).to_have_value("-1")
    fill(page, "max_steps", str(steps))
    expect(page.locator("#train-card")).to_contain_text(f"{steps:,}", timeout=SLOW)
    page.click("#train-start")
    page.wait_for_url(re.compile(r"/runs\?run=\w+$"), timeout=SLOW)
    return page.url.partition("run=")[2]


def steps_of(dashboard: Dashboard, run: str) -> int:
    """Training steps that the worker has written down so far."""
    file: Path = dashboard.home / "runs" / run / "metrics.jsonl"
    return file.read_text().count('"loss"') if file.exists() else 0


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def workers(run: str) -> list[psutil.Process]:
    """The worker of a run and everything below it."""
    found = [
        p for p in psutil.process_iter(["cmdline"]) if any(run in part for part in p.info["cmdline"] or [])
    ]
    return [*found, *(child for p in found for child in p.children(recursive=True))]


def test_a_run_outlives_the_web_process(open_page, dashboard: Dashboard, split: str) -> None:
    page = open_page()
    run = start(page, dashboard, split, OUTLIVING)
    wait_for(lambda: steps_of(dashboard, run) > 5, 120)
    page.context.close()
    dashboard.end(signal.SIGKILL)
    seen = steps_of(dashboard, run)
    assert seen < OUTLIVING, "the run ended before the web process was killed"
    wait_for(lambda: steps_of(dashboard, run) > seen + 5, 60)
    dashboard.start()
    again = open_page()
    again.goto(f"{dashboard.url}/runs?run={run}")
    state = again.locator("#run-head .ft-pill")
    expect(state).to_have_text(
        re.compile(f"{say('views.state.running', 'en')}|{say('views.state.done', 'en')}")
    )
    expect(state).to_have_text(say("views.state.done", "en"), timeout=SLOW)
    with open_workspace(dashboard) as workspace:
        assert workspace.training.get(run).metrics["steps"] == OUTLIVING
        assert [one.id for one in workspace.artefacts.all(Run)] == [run]
        measured = [m["step"] for m in workspace.training.curves(run) if "loss" in m]
    assert measured == list(range(1, OUTLIVING + 1))


def test_points_written_while_the_web_process_is_down_are_all_shown_once(
    open_page, dashboard: Dashboard, split: str
) -> None:
    page = open_page()
    run = start(page, dashboard, split, 2)
    state = page.locator("#run-head .ft-pill")
    expect(state).to_have_text(say("views.state.done", "en"), timeout=SLOW)
    page.context.close()
    dashboard.end(signal.SIGKILL)
    metrics = dashboard.home / "runs" / run / "metrics.jsonl"
    first = metrics.read_text().count("\n")
    for step in range(3, 2003):
        append_lines(metrics, [{"step": step, "loss": 2 + 1 / step}])
    dashboard.start()
    again = open_page()
    again.goto(f"{dashboard.url}/runs?run={run}")
    again.get_by_role("button", name=say("runs.numbers", "en")).click()
    rows = again.locator("#run-detail table, .ft-table").filter(has_text="2.001").first.locator("tbody tr")
    expect(rows.first).to_contain_text("2002")
    shown = [int(row.split()[0]) for row in rows.all_inner_texts()]
    assert shown == list(range(2002, 2002 - len(shown), -1))
    with open_workspace(dashboard) as workspace:
        losses = [m["step"] for m in workspace.training.curves(run) if "loss" in m]
    assert losses == list(range(1, 2003))
    assert metrics.read_text().count("\n") == first + 2000


def test_a_stop_leaves_no_process(open_page, dashboard: Dashboard, split: str) -> None:
    page = open_page()
    run = start(page, dashboard, split, 100_000)
    wait_for(lambda: steps_of(dashboard, run) > 5, 120)
    processes = workers(run)
    assert processes
    page.get_by_role("button", name=say("runs.stop", "en"), exact=True).click()
    began = time.monotonic()
    gone, alive = psutil.wait_procs(processes, timeout=15)
    assert alive == [], f"still alive after {time.monotonic() - began:.0f} s"
    expect(page.locator("#run-head .ft-pill")).to_have_text(say("views.state.stopped", "en"))
