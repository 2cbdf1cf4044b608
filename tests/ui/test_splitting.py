"""A large dataset is split beside the page: how far it is, its end, and a cancelled one."""

import random
import re

import pytest
from playwright.sync_api import Page, expect

from ftkit.settings import Settings
from ftkit.ui.i18n import say
from ftkit.workspace import Workspace

pytestmark = pytest.mark.browser

ROWS = 30_000


@pytest.fixture(scope="module")
def dataset(dashboard, tmp_path_factory) -> str:
    file = tmp_path_factory.mktemp("rows") / "large.csv"
    draw = random.Random(1)
    words = [f"word{number}" for number in range(3000)]
    lines = [
        f"{' '.join(draw.choices(words, k=20))},{' '.join(draw.choices(words, k=20))}" for _ in range(ROWS)
    ]
    file.write_text("question,answer\n" + "\n".join(lines))
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)})) as workspace:
        return workspace.data.import_file(file).id


def begin(page: Page, url: str, dataset: str, seed: int) -> str:
    page.goto(f"{url}/data?dataset={dataset}")
    page.fill("#split-seed input", str(seed))
    page.click("#split-do")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+&splitting=\w+$"))
    return page.url.rpartition("=")[2]


@pytest.mark.parametrize(
    "page",
    [{}, pytest.param({"locale": "tr-TR", "width": 390, "scheme": "dark"}, marks=pytest.mark.faults)],
    indirect=True,
    ids=["en", "tr"],
)
def test_a_large_dataset_is_split_beside_the_page(page, dashboard, dataset):
    lang = page.evaluate("navigator.language")[:2]
    split = begin(page, dashboard.url, dataset, len(lang) + (lang == "tr"))
    card = page.locator("#split-progress")
    expect(card).to_contain_text(say("data.splitting.title", lang))
    expect(card).to_contain_text(re.compile(r"30[.,]000"))
    page.goto(f"{dashboard.url}/data?dataset={dataset}")
    expect(card.get_by_role("progressbar")).to_be_visible()
    page.wait_for_url(re.compile(rf"/data\?dataset={dataset}&split={split}$"), timeout=120_000)
    expect(page.get_by_role("link", name=say("data.split.go", lang))).to_be_visible()
    expect(card).to_be_hidden()


def test_a_long_split_can_be_cancelled(page, dashboard, dataset):
    split = begin(page, dashboard.url, dataset, 9)
    page.click("#split-cancel")
    page.wait_for_url(re.compile(rf"/data\?dataset={dataset}$"))
    assert not (dashboard.home / "splits" / split).exists()
