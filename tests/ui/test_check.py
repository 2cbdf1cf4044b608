"""The check page, walked: from the data page to a report, its downloads, and on to cleaning."""

import json
import re

import pytest
from playwright.sync_api import expect

from ftkit.data.health.words import words
from ftkit.ui.i18n import say
from tests.planted import plant, sample_rows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    "page", [{"locale": "en-US"}, pytest.param({"locale": "tr-TR"}, marks=pytest.mark.faults)], indirect=True
)
def test_a_dataset_is_checked_and_led_on_to_cleaning(page, dashboard, tmp_path):
    lang = page.evaluate("navigator.language")[:2]
    told = words(lang)
    file = tmp_path / f"planted-{lang}.json"
    # Other rows in each language: the same ones would be found checked already.
    file.write_text(
        json.dumps(plant(sample_rows(120), ("question", "answer"), seed=len(lang) + (lang == "tr")).rows)
    )
    page.goto(f"{dashboard.url}/data")
    page.set_input_files("#data-upload input[type=file]", file)
    page.wait_for_url("**/data?upload=*")
    page.click("#data-save")
    page.wait_for_url("**/data?dataset=*")
    page.get_by_role("link", name=say("data.check", lang), exact=True).click()
    page.click("#check-start")
    page.wait_for_url("**/check?dataset=*&check=*", timeout=90_000)
    # Personal data is looked for by a library that takes seconds to load, on a busy machine many.
    expect(page.locator(".ft-finding").first).to_be_visible(timeout=90_000)
    finding = page.locator(".ft-finding").filter(has_text=told.text("title.exact_copy"))
    expect(finding).to_contain_text(told.rows(50))
    expect(page.locator(".ft-finding").filter(has_text=told.text("title.personal.email"))).to_contain_text(
        "[EMAIL]"
    )
    for button, ending in (("#check-json", ".json"), ("#check-html", ".html")):
        with page.expect_download() as download:
            page.click(button)
        text = download.value.path().read_text("utf-8")
        assert download.value.suggested_filename.endswith(ending)
        assert "exact_copy" in text if ending == ".json" else told.text("title.exact_copy") in text
    finding.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/clean\?dataset=\w+&steps=drop_exact_duplicates"))
