"""The page of a run: why it ended, one click to go on, its log, and a word of the browser at the end."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ftkit.ui.i18n import say
from tests.ui.conftest import ROOT, Dashboard
from tests.ui.test_journey import SLOW
from tests.ui.test_survival import open_workspace, split, wait_for, workers  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

# Keeps what would be shown instead of showing it.
NOTIFICATIONS = """
window.told = JSON.parse(sessionStorage.told || "[]");
window.Notification = class {
  static permission = %s;
  static async requestPermission() { return Notification.permission; }
  constructor(title, { body }) { window.told.push(body); sessionStorage.told = JSON.stringify(window.told); }
};
"""


def train(dashboard: Dashboard, split: str, steps: int, name: str) -> str:  # noqa: F811
    """Start a run by the command line; gives its id."""
    options = {"model_name_or_path": "tiny", "max_steps": steps, "eval_steps": 10}
    settings = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    command = [sys.executable, "-m", "ftkit", "train", "smollm2-135m/sft-lora", "--split", split, *settings]
    made = subprocess.run(
        [*command, "--name", name, "--detach", "--json"],
        cwd=ROOT, env={**os.environ, "FTKIT_HOME": str(dashboard.home)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(made.stdout)["run"]


def open_run(open_page, dashboard: Dashboard, run: str, permission: str) -> Page:
    """The page of a run in a browser that has answered whether it may notify."""
    page: Page = open_page()
    if permission == "granted":
        page.context.grant_permissions(["notifications"], origin=dashboard.url)
    page.add_init_script(NOTIFICATIONS % json.dumps(permission))
    page.goto(f"{dashboard.url}/runs?run={run}")
    return page


def search_the_log(page: Page, log: Path) -> None:
    """Lines are found by the server and shown as text."""
    log.write_text("".join(f"line {n}\n" for n in range(1, 301)) + "<img src=x onerror=alert(1)> Needle\n")
    page.reload()
    page.locator("#run-log-part button").first.click()
    search, found = (
        page.locator("#run-log-search textarea, #run-log-search input").first,
        page.locator("#run-log-found"),
    )
    expect(page.locator("#run-log textarea")).to_have_value(re.compile("line 300"))
    search.fill("needle")
    expect(found.locator("li")).to_have_text(["301<img src=x onerror=alert(1)> Needle"])
    search.fill("line")
    expect(found).to_contain_text(say("runs.log.found_newest", "en", n=300, shown=200))
    expect(found.locator("li")).to_have_count(200)
    search.fill("")
    expect(page.locator("#run-log textarea")).to_be_visible()
    expect(found.locator("li")).to_have_count(0)


def test_a_killed_run_says_why_and_goes_on_with_one_click(
    open_page,
    dashboard: Dashboard,
    split: str,  # noqa: F811
) -> None:
    run = train(dashboard, split, 60, "<b>Bold</b>")
    page = open_run(open_page, dashboard, run, "granted")
    checkpoints = dashboard.home / "runs" / run / "checkpoints"
    wait_for(lambda: any(checkpoints.glob("checkpoint-*/manifest.json")), 120)
    workers(run)[0].kill()

    head, resume = page.locator("#run-head"), page.locator("#run-resume")
    expect(head.locator(".ft-pill")).to_have_text(say("views.state.lost", "en"))
    expect(head).to_contain_text("the cause is unknown")
    with open_workspace(dashboard) as workspace:
        step = workspace.training.history.resume_step(run)
    expect(resume).to_have_text(say("runs.resume.from", "en", step=step))
    expect(head).to_contain_text(f"checkpoint of step {step}")
    resume.click()
    page.get_by_label(say("runs.tell", "en")).check()
    expect(page.get_by_text(say("runs.tell.allowed", "en"))).to_be_visible()
    expect(head.locator(".ft-pill")).to_have_text(say("views.state.done", "en"), timeout=SLOW)
    expect(resume).to_be_hidden()
    page.wait_for_function("window.told.length > 0")
    page.reload()
    expect(head.locator(".ft-pill")).to_have_text(say("views.state.done", "en"))
    told = say("runs.tell.said", "en", name="<b>Bold</b>", state=say("views.state.done", "en"))
    assert page.evaluate("window.told") == [told], "once, and not again after a reload"

    page.locator("#run-history button").first.click()
    rows = page.locator("#run-timeline tbody tr")
    expect(rows.first).to_contain_text(say("runs.event.done", "en"))
    expect(rows.last).to_contain_text(say("runs.event.queued", "en"))
    expect(rows.filter(has_text=say("runs.event.resumed", "en"))).to_have_count(1)
    search_the_log(page, dashboard.home / "runs" / run / "worker.log")


def test_a_stop_at_once_asks_first_and_a_refused_notification_becomes_the_title(
    open_page,
    dashboard: Dashboard,
    split: str,  # noqa: F811
) -> None:
    run = train(dashboard, split, 100_000, "Endless")
    page = open_run(open_page, dashboard, run, "denied")
    page.get_by_label(say("runs.tell", "en")).check()
    expect(page.get_by_text(say("runs.tell.refused", "en"))).to_be_visible()
    for name in ("run-pause", "run-stop", "run-stop-now"):
        expect(page.locator(f"#{name}")).to_be_visible()
    page.click("#run-stop-now")
    page.click("#run-stop-now-yes")
    expect(page.locator("#run-stop-now-yes")).to_be_hidden()
    pill = page.locator("#run-head .ft-pill")
    expect(pill).to_have_text(say("views.state.stopped", "en"))
    expect(page.locator("#run-head")).to_contain_text(say("runs.event.owner", "en"))
    expect(page).to_have_title(
        say("runs.tell.said", "en", name="Endless", state=say("views.state.stopped", "en"))
    )
    assert page.evaluate("window.told") == []
    expect(page.locator("#run-resume")).to_be_visible()
