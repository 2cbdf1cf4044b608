"""Settings from somewhere else, in a real browser: a recipe with mistakes, one of one's own, an earlier run."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ftkit.settings import Settings
from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.tiny import make_tiny_model
from tests.ui.conftest import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SLOW = 120_000
RECIPE = """# three mistakes, and a name that is no option
learning_rate: -1
lora_alpha: 0
max_length: many
learning_rat: 1
r: 7
"""


@pytest.fixture
def train(page: Page, dashboard: Dashboard, tmp_path: Path) -> Page:
    """The Train page over a split and a tiny model."""
    dashboard.seed_model(make_tiny_model(tmp_path / "tiny"))
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)})) as workspace:
        split = workspace.splits.split(workspace.data.import_sample("house-voice-en").id).id
    page.goto(f"{dashboard.url}/train?split={split}")
    expect(page.locator("#train-card .ft-facts, #train-card .ft-notice").first).to_be_visible(timeout=SLOW)
    return page


@pytest.mark.parametrize("page", [{"locale": "en-US"}, {"locale": "tr-TR"}], indirect=True)
def test_three_mistakes_of_a_recipe_are_three_messages_at_once(train: Page, page: Page, request) -> None:
    lang = request.node.callspec.params["page"]["locale"][:2]
    page.locator("#train-advanced button").first.click()
    page.locator("#train-from button").first.click()
    page.set_input_files(
        "#train-from input[type=file]",
        [{"name": "a.yaml", "mimeType": "text/yaml", "buffer": RECIPE.encode()}],
    )
    wanted = {
        "learning_rate": say("train.mistake.greater_than", lang, gt=0),
        "lora_alpha": say("train.mistake.greater_than_equal", lang, ge=1),
        "max_length": say("train.mistake.missing", lang),
    }
    for option, sentence in wanted.items():
        expect(page.locator(f"#spec-{option}").get_by_text(sentence)).to_be_visible(timeout=SLOW)
    note = page.locator("#train-from-note")
    expect(note).to_contain_text(say("train.from.mistakes", lang, n=4))
    expect(note).to_contain_text("learning_rate?")
    expect(page.locator("#spec-r input")).to_have_value("7")
    # The browser notes that the server refused the mistakes.
    page.problems[:] = [problem for problem in page.problems if "status of 422" not in problem]


def test_a_recipe_is_saved_chosen_and_deleted(train: Page, page: Page, dashboard: Dashboard) -> None:
    page.locator("#train-from button").first.click()
    page.fill("#train-from-text textarea", "model_name_or_path: tiny\nr: 5\nmax_steps: 3")
    page.click("#train-from-take")
    expect(page.locator("#spec-r input")).to_have_value("5")
    ready = page.locator("#train-card").get_by_text(say("train.card.ready", "en"))
    expect(ready).to_be_visible(timeout=SLOW)
    page.get_by_text(say("train.same.title", "en")).click()
    page.fill("#train-own-name input", "Five")
    page.click("#train-own-save")
    expect(page.locator("#train-own-note")).to_contain_text("ftkit train own/five")
    assert (dashboard.home / "recipes" / "own" / "five.yaml").exists()
    page.reload()
    page.click("#train-recipe input")
    page.get_by_role("option", name=say("train.own.choice", "en", name="own/five")).click()
    expect(page.locator("#spec-r input")).to_have_value("5")
    expect(ready).to_be_visible(timeout=SLOW)
    page.click("#train-own-delete")
    page.click("#train-own-delete-yes")
    expect(page.locator("#train-own-delete")).to_be_hidden()
    assert not (dashboard.home / "recipes" / "own" / "five.yaml").exists()


def test_settings_of_an_earlier_run_fill_the_form(train: Page, page: Page, dashboard: Dashboard) -> None:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)})) as workspace:
        split = workspace.splits.all()[0].id
        spec = workspace.training.recipe("smollm2-135m/sft-lora").spec
        tiny = spec.model_copy(update={"model_name_or_path": "tiny", "r": 3, "max_steps": 1})
        run = workspace.training.start(tiny, split, "smollm2-135m/sft-lora", "Small")
        workspace.training.stop(run.id)
        workspace.training.wait(run.id)
    page.reload()
    page.locator("#train-from button").first.click()
    page.click("#train-from-run input")
    page.get_by_role("option", name=re.compile("^Small")).click()
    expect(page.locator("#spec-r input")).to_have_value("3")
    expect(page.get_by_text(say("train.copied", "en", run="Small"))).to_be_visible()
