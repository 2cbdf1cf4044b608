"""The language can be chosen, and stays chosen."""

import re

import pytest
from playwright.sync_api import expect

from ftkit.ui.i18n import say
from ftkit.ui.shell import PAGES

pytestmark = pytest.mark.browser


def heading(page):
    return page.locator("main h1").first


def test_the_browser_s_language_is_the_first_choice(open_page):
    page = open_page(locale="tr-TR")
    expect(heading(page)).to_have_text(say("home.title", "tr"))
    expect(page).to_have_title(f"{say('shell.nav.home', 'tr')} · ftkit")
    expect(page.locator("html")).to_have_attribute("lang", re.compile("^tr"))


def test_a_language_is_chosen_and_stays_chosen(page, dashboard):
    expect(heading(page)).to_have_text(say("home.title", "en"))
    page.get_by_role("link", name=say("shell.nav.settings", "en"), exact=True).click()
    page.locator("header").get_by_role("button", name="Türkçe").click()
    expect(page).to_have_url(f"{dashboard.url}/settings")
    expect(heading(page)).to_have_text(say("settings.title", "tr"))
    page.reload()
    expect(heading(page)).to_have_text(say("settings.title", "tr"))
    expect(page.locator("header").get_by_role("button", name="Türkçe")).to_have_attribute(
        "aria-pressed", "true"
    )
    for name in PAGES:
        page.goto(f"{dashboard.url}/{'' if name == 'home' else name}")
        expect(heading(page)).to_have_text(say(f"{name}.title", "tr"))
        expect(page).to_have_title(f"{say(f'shell.nav.{name}', 'tr')} · ftkit")
    again = page.context.new_page()
    again.goto(dashboard.url)
    expect(heading(again)).to_have_text(say("home.title", "tr"))


def test_gradio_s_own_words_follow_the_choice(page, dashboard):
    page.locator("header").get_by_role("button", name="Türkçe").click()
    page.goto(f"{dashboard.url}/data")
    expect(page.locator("#data-upload")).to_contain_text("sürükle", ignore_case=True)


def test_the_language_can_be_chosen_on_the_settings_page(page, dashboard):
    page.goto(f"{dashboard.url}/settings")
    page.locator("#settings-language").get_by_role("button", name="Türkçe").click()
    expect(heading(page)).to_have_text(say("settings.title", "tr"))
    expect(page.locator("#settings-language")).to_contain_text("Türkçe")
    expect(page.locator("#settings-machine")).to_contain_text(say("settings.machine.cores", "tr"))


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_no_page_shows_a_key_or_a_marker(open_page, dashboard, lang):
    page = open_page(locale={"en": "en-US", "tr": "tr-TR"}[lang])
    for name in PAGES:
        page.goto(f"{dashboard.url}/{'' if name == 'home' else name}")
        expect(heading(page)).to_have_text(say(f"{name}.title", lang))
        page.wait_for_timeout(500)  # what the first events bring
        text = page.locator("body").inner_text()
        assert "__i18n__" not in text
        assert "translation_metadata" not in text
        assert re.findall(rf"\b(?:{'|'.join(PAGES)}|views|spec)\.[a-z_]+\.[a-z_.]+\b", text) == []
