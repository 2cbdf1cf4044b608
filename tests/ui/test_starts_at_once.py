"""Twenty clicks on Start from four windows: each window's clicks make one run, one run works, the others wait."""

import re

import psutil
import pytest
from playwright.sync_api import Page, expect

from ftkit.records import Run
from ftkit.ui.i18n import say
from tests.ui.conftest import Dashboard
from tests.ui.test_journey import SLOW, choose, fill
from tests.ui.test_survival import open_workspace, split, wait_for  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.faults, pytest.mark.timeout(900)]

SESSIONS, CLICKS = 4, 5
CLICK = f"const b = document.querySelector('#train-start'); for (let n = 0; n < {CLICKS}; n++) b.click();"


def ready(page: Page, dashboard: Dashboard, split: str) -> None:  # noqa: F811
    """Fill in the Train page up to the click."""
    page.goto(f"{dashboard.url}/train?split={split}")
    expect(page.locator("#train-card .ft-facts, #train-card .ft-notice").first).to_be_visible(timeout=SLOW)
    choose(page, "spec-model_name_or_path", "Tiny random model")
    page.locator("#train-advanced button").first.click()
    expect(page.locator("#spec-max_steps input")).to_have_value("-1")
    fill(page, "max_steps", "100000")
    expect(page.locator("#train-card")).to_contain_text("100,000", timeout=SLOW)


def train_workers(home: str) -> list[psutil.Process]:
    every = (p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"])
    return [
        p for p in every if "ftkit.workers.train" in p.info["cmdline"] and home in " ".join(p.info["cmdline"])
    ]


def test_twenty_clicks_start_one_run(open_page, dashboard: Dashboard, split: str) -> None:  # noqa: F811
    pages = [open_page() for _ in range(SESSIONS)]
    for page in pages:
        ready(page, dashboard, split)
    for page in pages:
        page.evaluate(CLICK)
    for page in pages:
        page.wait_for_url(re.compile(r"/runs\?run=\w+$"), timeout=SLOW)
    ids = {page.url.partition("run=")[2] for page in pages}
    assert len(ids) == SESSIONS, "different people's clicks are different runs"
    with open_workspace(dashboard) as workspace:
        assert {run.id for run in workspace.artefacts.all(Run)} == ids, "and none of them twice"

        def states() -> list[str]:
            return sorted(workspace.training.get(id_).state for id_ in ids)

        wait_for(lambda: "running" in states(), 60)
        assert states() == ["queued"] * (SESSIONS - 1) + ["running"]
        assert len(train_workers(str(dashboard.home))) == 1
        assert [job.artefact in ids for job in workspace.training.queue()] == [True] * (SESSIONS - 1)
        for page in pages:
            state = (
                "running"
                if workspace.training.get(page.url.partition("run=")[2]).state == "running"
                else "queued"
            )
            expect(page.locator("#run-head .ft-pill")).to_have_text(say(f"views.state.{state}", "en"))
