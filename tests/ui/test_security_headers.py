"""The frame and the policy as a real browser sees them: nothing breaks under it, nothing leaves the machine."""

import pytest
from playwright.sync_api import expect

from ftkit.ui.i18n import say
from ftkit.ui.shell import PAGES
from tests.ui.conftest import TOKEN, watch

pytestmark = pytest.mark.browser

POLICY = "img-src 'self' data: blob:"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_works_under_the_policy(open_page, dashboard, scheme, width):
    page = open_page(width=width, scheme=scheme)
    for name in PAGES:
        answer = page.goto(f"{dashboard.url}/{'' if name == 'home' else name}")
        assert POLICY in answer.headers["content-security-policy"]
        expect(page.locator("main h1").first).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} is {wide} px wider than the window"
    assert page.evaluate("document.body.classList.contains('dark')") is (scheme == "dark")


def test_the_policy_stops_pictures_and_calls_of_other_hosts(page):
    expect(page.locator("main h1").first).to_be_visible()
    loaded = page.evaluate(
        """() => new Promise(done => {
            const image = new Image()
            image.onload = () => done('picture')
            image.onerror = () => fetch('http://192.0.2.1/').then(() => done('call'), () => done('nothing'))
            image.src = 'http://192.0.2.1/x.png'
        })"""
    )
    assert loaded == "nothing"
    refused = [problem for problem in page.problems if "Content Security Policy" in problem]
    assert len(refused) >= 2
    page.problems.clear()


def test_a_visitor_signs_in_by_the_form(browser, dashboard):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{dashboard.url}/settings")
    problems = watch(page, dashboard.url)
    page.get_by_label(say("shell.login.label", "en")).fill(TOKEN)
    page.get_by_role("button", name=say("shell.login.button", "en")).click()
    expect(page.locator("main h1").first).to_have_text(say("settings.title", "en"))
    assert page.url == f"{dashboard.url}/settings"
    assert problems == []
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    session = next(cookie for name, cookie in cookies.items() if name.startswith("ftkit_session"))
    assert session["httpOnly"]
    assert session["sameSite"] == "Lax"
    assert page.evaluate("document.cookie") == ""
    context.close()


def test_the_keyboard_reaches_the_content_past_the_navigation(page):
    expect(page.locator("main h1").first).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name=say("shell.skip", "en"))
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_the_menu_opens_on_a_narrow_screen(open_page):
    page = open_page(width=390)
    link = page.get_by_role("link", name=say("shell.nav.compare", "en"), exact=True)
    expect(link.first).to_be_hidden()
    page.get_by_role("button", name=say("shell.menu", "en")).click()
    page.get_by_role("navigation", name=say("shell.pages", "en")).get_by_role(
        "link", name=say("shell.nav.compare", "en"), exact=True
    ).click()
    expect(page.locator("main h1").first).to_have_text(say("compare.title", "en"))


def test_the_settings_page_names_the_machine_s_libraries(page, dashboard):
    page.goto(f"{dashboard.url}/settings")
    expect(page.locator("#settings-versions")).to_contain_text("transformers")
    expect(page.locator("#settings-folder")).to_contain_text(str(dashboard.home))
