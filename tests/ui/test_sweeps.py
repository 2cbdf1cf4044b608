"""The sweeps page in a browser: what varies is put together, a mistake stands at its field, and a sweep is drawn."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from ftkit.records import Job, Sweep
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.store.jobs import JobTable
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.trials import Found, Trial
from ftkit.workspace import Workspace
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.browser
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture(scope="module")
def sweep(dashboard) -> str:
    """A sweep as its worker left it, over a split of the samples."""
    make_tiny_model(dashboard.home / "models" / "tiny")
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)})) as workspace:
        split = workspace.splits.split(workspace.data.import_sample("ticket-triage").id)
        made = Sweep(
            id="sweep1", name="<b>Search</b>", created_at=NOW, parents=(split.id,), recipe="smollm2-135m/sft-lora",
            split=split.id, model="tiny", spec=RunSpec().model_dump(mode="json"), trials=3, metric="eval_loss",
            space={"learning_rate": "0.0001..0.01:log", "r": "4,8"}, direction="minimize", sampler="tpe", prune=True, seed=1,
        )  # fmt: skip
        workspace.artefacts.add(made)
        job = Job(
            id="j1", kind="sweep", lane="sweep", artefact=made.id, state="done", nonce="n", queued_at=NOW
        )
        JobTable(workspace._database).add(job)
        trials = (
            Trial(number=1, values={"learning_rate": 1e-3, "r": 4}, state="done", value=2.0, seconds=9),
            Trial(number=2, values={"learning_rate": 5e-3, "r": 8}, state="done", value=1.5, seconds=9),
            Trial(number=3, values={"learning_rate": 1e-4, "r": 8}, state="pruned", step=2, seconds=5),
        )
        found = Found(trials=trials, importance={"learning_rate": 0.8, "r": 0.2})
        write_json(workspace.folders.sweep(made.id) / "found.json", found.model_dump(mode="json"))
    return made.id


@pytest.mark.parametrize(
    "page", [{}, {"locale": "tr-TR", "width": 390, "scheme": "dark"}], indirect=True, ids=["en", "tr"]
)
def test_a_sweep_is_put_together_and_one_is_read(page: Page, dashboard, sweep: str) -> None:
    page.goto(f"{dashboard.url}/sweeps?sweep={sweep}")
    expect(page.locator("#sweep-plot svg .trial")).to_have_count(3)
    expect(page.locator("#sweep-plot svg .best title")).to_contain_text("LoRA")
    expect(page.locator("#sweep-trials-table tbody tr")).to_have_count(3)
    expect(page.locator("#sweep-trials-table tr[aria-current] td").first).to_have_text("2")
    expect(page.locator("#sweep-head h2")).to_contain_text("<b>Search</b>")

    page.goto(f"{dashboard.url}/sweeps")
    expect(page.locator("#varied-0-low input")).to_have_value("0.0001")
    page.click("#sweep-choice input")
    page.get_by_role("option").filter(has_text="use_dora").click()
    page.click("#sweep-add")
    expect(page.locator("#varied-1-values")).to_be_visible()
    page.click("#varied-1-remove")
    expect(page.locator("#varied-1")).to_be_hidden()
    page.fill("#sweep-trials input", "0")
    page.fill("#varied-0-low input", "5")
    page.keyboard.press("Tab")
    expect(page.locator("#sweep-cost .ft-notice p")).to_have_count(2)
    expect(page.locator("#sweep-cost")).to_contain_text("500")
    page.click("#sweep-start")
    expect(page.locator("#sweep-trials div.validation-error")).to_contain_text("500")
    expect(page.locator("#varied-0-low div.validation-error")).to_contain_text("0.01")
    page.problems[:] = [problem for problem in page.problems if "status of 422" not in problem]
