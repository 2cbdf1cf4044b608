"""The export page in a browser: one that is done, one that broke, the form, and the way there without a run."""

import re

import pytest
from playwright.sync_api import Page, expect

from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.finished_run import RUN, SleepingLauncher, add_curves, add_run, open_room
from tests.pushed import FILES, make_export

pytestmark = pytest.mark.browser
SIGHTS = [{}, pytest.param({"locale": "tr-TR", "width": 390, "scheme": "dark"}, marks=pytest.mark.faults)]


@pytest.mark.parametrize("page", SIGHTS, indirect=True, ids=["en", "tr"])
def test_exports_are_followed_and_put_together(page: Page, dashboard) -> None:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)})) as workspace:
        if not workspace.exports.all():
            page.goto(f"{dashboard.url}/export")
            expect(page.locator("#export-first .ft-empty a")).to_have_attribute("href", "/train")
            expect(page.locator("#export-new")).to_be_hidden()
            with open_room(dashboard.home, SleepingLauncher()) as room:
                add_run(room)
                add_curves(room)
            make_export(workspace, RUN)
            make_export(workspace, RUN, "export2", failed=True)

    page.goto(f"{dashboard.url}/export?export=export1")
    expect(page.locator("#export-result table").first.locator("tbody tr")).to_have_count(2)
    expect(page.locator("#export-result")).to_contain_text("<img src=x")
    assert page.locator("#export-result a[href^='javascript']").count() == 0
    with page.expect_download() as download:
        page.get_by_role("link", name="README.md").click()
    assert download.value.path().read_bytes() == FILES["README.md"]

    page.goto(f"{dashboard.url}/export?export=export2")
    expect(page.locator("#export-head .ft-notice")).to_contain_text("me/model")
    expect(page.locator("#export-retry")).to_be_visible()
    expect(page.locator("#exports tbody tr")).to_have_count(2)

    page.locator("#export-target input[value='hub']").check()
    expect(page.locator("#export-repo textarea, #export-repo input").first).to_be_visible()
    expect(page.locator("#export-precision")).to_be_hidden()
    page.locator("#export-target input[value='gguf']").check()
    expect(page.locator("#export-quantization")).to_be_visible()
    expect(page.locator("#export-about")).to_contain_text(re.compile("llama.cpp"))
    assert page.evaluate("window.__x") is None
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
