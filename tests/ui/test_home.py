"""Home: from nothing to training in one click."""

import re

import pytest
from playwright.sync_api import expect

from ftkit.ui.i18n import say

pytestmark = pytest.mark.browser


def test_sample_data_is_one_click_away(page, dashboard):
    step = page.locator("#home-way li").first
    expect(step).to_contain_text(say("home.standing.next", "en"))
    page.locator("#home-sample-ticket-triage").click()
    expect(page).to_have_url(re.compile(re.escape(dashboard.url) + r"/train\?split=\w+"))
    page.goto(dashboard.url)
    expect(step).to_contain_text(say("home.standing.done", "en"))
    expect(step).to_contain_text(say("home.count.data", "en", datasets=1, splits=1))
    page.locator("#home-sample-ticket-triage").click()
    page.wait_for_url("**/train?split=*")
    page.goto(dashboard.url)
    expect(step).to_contain_text(say("home.count.data", "en", datasets=1, splits=1))


def test_a_step_leads_to_its_page(page, dashboard):
    page.locator("#home-way").get_by_role("link", name=say("home.step.evaluate.title", "en")).click()
    expect(page).to_have_url(f"{dashboard.url}/evaluate")
