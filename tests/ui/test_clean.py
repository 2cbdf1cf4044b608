"""A file to a split, walked: its report, steps with their differences, the clean dataset and its audit, undone, and a split."""

import json
import re

import pytest
from playwright.sync_api import expect

from ftkit.ui.i18n import say

pytestmark = pytest.mark.browser

PLACES = ["kitchen", "garden", "cellar", "attic", "harbour", "bakery", "library", "station"]
THINGS = ["kettle", "ladder", "lantern", "compass", "violin"]
ROWS = [
    {
        "question": f"Who left\u200b a {thing} in the {place}?",
        "answer": f"Number {n * 11 + m} of the {place} staff.",
    }
    for n, thing in enumerate(THINGS)
    for m, place in enumerate(PLACES)
]


@pytest.mark.parametrize(
    "page", [pytest.param({"locale": "en-US"}, marks=pytest.mark.faults), {"locale": "tr-TR"}], indirect=True
)
def test_a_file_is_checked_cleaned_brought_back_and_split(page, dashboard, tmp_path):
    lang = page.evaluate("navigator.language")[:2]
    file = tmp_path / "rows.json"
    file.write_text(json.dumps([*ROWS, *ROWS[:3]]))
    page.goto(f"{dashboard.url}/data")
    page.set_input_files("#data-upload input[type=file]", file)
    page.wait_for_url("**/data?upload=*", timeout=90_000)
    page.click("#data-save")
    page.wait_for_url("**/data?dataset=*")
    parent = page.url.partition("dataset=")[2]
    page.get_by_role("link", name=say("data.check", lang), exact=True).click()
    page.click("#check-start")
    expect(page.locator(".ft-finding").first).to_be_visible(timeout=90_000)
    page.get_by_role("link", name=say("check.clean_all", lang)).click()
    page.wait_for_url(re.compile(rf"/clean\?dataset={parent}&steps=\w+"))
    expect(page.locator("#clean-preset input")).to_have_value(say("clean.preset.own", lang))
    page.click("#clean-preview")
    expect(page.locator("#clean-preview-rows del").first).to_be_visible()
    page.click("#clean-start")
    page.wait_for_url(re.compile(r"/clean\?.*made=\w+"))
    undo = page.locator("#clean-undo")
    expect(undo).to_be_visible()
    expect(page.locator("#clean-made")).to_contain_text("40")
    with page.expect_download() as download:
        page.click("#clean-audit")
    assert download.value.path().stat().st_size > 0
    undo.click()
    page.wait_for_url(re.compile(rf"/data\?dataset={parent}$"))
    page.click("#split-do")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+&split=\w+$"))
    expect(page.get_by_role("link", name=say("data.split.go", lang))).to_be_visible()


@pytest.mark.parametrize("name", ["check", "clean", "tokens"])
def test_without_a_dataset_there_is_a_choice_of_them(page, dashboard, name):
    page.goto(f"{dashboard.url}/{name}")
    page.locator(f"#{name}-head a").first.click()
    page.wait_for_url(f"**/{name}?dataset=*")
    expect(page.locator("main .ft-card:visible").nth(1)).to_be_visible()
