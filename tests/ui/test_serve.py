"""Serving as its owner does it: deploy, a key, a program's request, a canary, its promotion, the way back, and the end."""

import re
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.ui.rated import RUN, add_finished_run, opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
SLOW = 150_000  # milliseconds; a busy machine imports torch for half a minute
HOSTILE = "<img src=x onerror=alert(1)>"
NAME = f"First {HOSTILE}"
SIGHTS = [{}, pytest.param({"locale": "tr-TR", "width": 390, "scheme": "dark"}, marks=pytest.mark.faults)]
LIVE, CANARY = ".ft-version.ft-live", ".ft-version.ft-canary"


@pytest.fixture(scope="module")
def workspace(dashboard) -> Iterator[Workspace]:
    """The dashboard's data folder, with a finished run in it."""
    with opened(dashboard.home) as workspace:
        add_finished_run(workspace, name=NAME)
        yield workspace


def text(page: Page, field: str, value: str) -> None:
    page.locator(f"#{field} textarea, #{field} input").first.fill(value)
    page.keyboard.press("Tab")


def choose(page: Page, field: str, option: str) -> None:
    page.click(f"#{field} input")
    page.get_by_role("option", name=option, exact=True).click()


def noted(page: Page) -> list[str]:
    """Names that became tags."""
    return page.locator("img[onerror]").evaluate_all("found => found.map((one) => one.outerHTML)")


def ask(url: str, key: str, **body) -> httpx.Response:
    """What a program sends; a machine that is busy takes its time."""
    asked = {
        "model": "ftkit",
        "messages": [{"role": "user", "content": "Where is the kettle?"}],
        "max_tokens": 8,
    }
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.post(f"{url}/v1/chat/completions", json={**asked, **body}, headers=headers, timeout=120)


def serious(page: Page, width: int, scheme: str) -> list[str]:
    """What axe finds serious, and what goes out sideways."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    # A toast is Gradio's own, and gone in a moment.
    looked_at = {"exclude": [[".toast-wrap"]]}
    found = Axe().run(page, context=looked_at, options={"resultTypes": ["violations"]}).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [
        f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in {"serious", "critical"}
    ] + ([f"{wide} px wide"] if wide > width else [])


@pytest.mark.parametrize("page", SIGHTS, indirect=True, ids=["en", "tr"])
def test_without_a_model_the_page_says_what_is_needed(page: Page, dashboard, request) -> None:
    lang = request.node.callspec.id
    page.goto(f"{dashboard.url}/serve")
    expect(page.locator("#serve-nothing")).to_contain_text(say("serve.nothing.title", lang))
    expect(page.locator("#deploy")).to_be_hidden()
    expect(page.locator("#serve-now")).to_contain_text(say("serve.now.none.title", lang))
    width = page.viewport_size["width"]
    assert serious(page, width, "dark" if lang == "tr" else "light") == []
    page.get_by_role("link", name=say("serve.nothing.model", lang)).click()
    page.wait_for_url(re.compile(r"/model"))


def test_from_a_run_to_an_answered_request_and_back(page: Page, dashboard, workspace: Workspace) -> None:
    page.emulate_media(reduced_motion="reduce")  # what moves while it waits costs a core
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{dashboard.url}/serve?run={RUN}")
    expect(page.locator("#deploy-target input")).to_have_value(NAME)
    expect(page.locator("#deploy-canary")).to_be_hidden()
    page.click("#deploy-start")
    expect(page.get_by_test_id("toast-body").filter(has_text=NAME)).to_be_visible()
    assert noted(page) == []
    expect(page.locator("#serve-now")).to_contain_text("three fixed prompts")
    now = page.locator("#serve-now")
    expect(now.locator(LIVE)).to_contain_text(NAME, timeout=SLOW)  # without a reload
    expect(now.locator(LIVE)).to_contain_text("passed: 5 of 5")
    expect(page.locator("#serve-result summary")).to_contain_text("Smoke test of First")
    page.click("#serve-result summary")
    expect(page.locator("#serve-result tbody tr")).to_have_count(5)

    key = make_key(page)
    assert ask(dashboard.url, "").status_code == 401
    answered = ask(dashboard.url, key)
    assert answered.status_code == 200, answered.text
    assert answered.json()["choices"][0]["message"]["content"]
    try_it(page)

    canary_and_back(page, workspace)
    page.click("#serve-stop")
    page.click("#serve-stop-yes")
    expect(page.locator("#serve-now")).to_contain_text(say("serve.now.none.title", "en"))
    expect(page.locator("#serve-now")).to_contain_text("serving was stopped")
    refused = ask(dashboard.url, key)
    assert refused.status_code == 503, refused.text
    revoke(page)
    assert ask(dashboard.url, key).status_code == 401
    assert noted(page) == []


def make_key(page: Page) -> str:
    """First without a name, which is refused; then one that is shown once and copied."""
    expect(page.locator("#keys-table")).to_contain_text(say("serve.keys.none", "en"))
    page.click("#key-make")
    expect(page.get_by_test_id("toast-body").filter(has_text="A key needs a name")).to_be_visible()
    text(page, "key-name", HOSTILE)
    page.click("#key-make")
    shown = page.locator("#key-fresh code")
    expect(shown).to_have_text(re.compile(r"^ftk_\w"))
    secret = shown.inner_text()
    page.locator("#key-fresh button").click()
    expect(page.locator("#key-fresh button")).to_have_text(say("serve.key.copied", "en"))
    assert page.evaluate("navigator.clipboard.readText()") == secret
    expect(page.locator("#keys-table tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("#keys-table tbody tr")).to_have_count(1)
    expect(page.locator("#key-fresh code")).to_have_count(0)
    assert secret not in page.content()
    return secret


def try_it(page: Page) -> None:
    """The box asks the live version, and the examples name the address."""
    expect(page.locator("#serve-use")).to_contain_text("/v1/chat/completions")
    expect(page.locator("#serve-use pre")).to_have_count(4)
    text(page, "try-question", f"What is {HOSTILE}?")
    page.click("#try-ask")
    expect(page.locator("#try-answer .ft-foot")).to_contain_text("tokens in", timeout=SLOW)


def canary_and_back(page: Page, workspace: Workspace) -> None:
    """The base model gets a share, takes over, and the former version comes back."""
    now = page.locator("#serve-now")
    choose(page, "deploy-target", say("serve.target.base", "en", name="Tiny random model"))
    page.click("#deploy-canary")
    expect(now.locator(CANARY)).to_contain_text("Tiny random model", timeout=SLOW)
    expect(now.locator(CANARY)).to_contain_text("answers 10% of the requests")
    expect(now.locator(LIVE)).to_contain_text("answers 90% of the requests")
    assert serious(page, 390, "dark") == []
    page.set_viewport_size({"width": 1280, "height": 900})
    page.click("#serve-promote")
    expect(now.locator(CANARY)).to_have_count(0)
    expect(now.locator(LIVE)).to_contain_text("Tiny random model")
    expect(now).to_contain_text(f"Ready to come back{NAME}")
    page.click("#serve-rollback")
    expect(now.locator(LIVE)).to_contain_text(NAME)
    expect(page.locator("#serve-events")).to_contain_text(f"Back to {NAME}")
    assert [one.label for one in workspace.serving.versions()][1:] == [NAME]


def revoke(page: Page) -> None:
    page.locator("#key-manage button").first.click()
    page.click("#key input")
    page.get_by_role("option", name=re.compile("ftk_")).click()
    page.click("#key-revoke")
    page.click("#key-revoke-yes")
    expect(page.locator("#keys-table")).to_contain_text(say("serve.keys.revoked", "en"))


@pytest.mark.faults  # in the other language; the refusal itself is tested without a browser
def test_an_address_that_does_not_answer_is_refused_and_what_is_live_stays(
    open_page, dashboard, workspace: Workspace
) -> None:
    page = open_page(locale="tr-TR", width=390, scheme="dark")
    page.goto(f"{dashboard.url}/serve")
    page.locator("#deploy-engine").get_by_label(say("serve.engine.upstream", "tr")).check()
    page.click("#deploy-start")
    expect(page.get_by_test_id("toast-body")).to_contain_text(say("serve.deploy.no_address", "tr"))
    page.get_by_test_id("toast-close").first.click()
    text(page, "deploy-address", "http://127.0.0.1:9/v1")
    text(page, "deploy-model", "any")
    page.click("#deploy-start")
    expect(page.locator("#serve-result")).to_contain_text(say("serve.now.refused.next", "tr"), timeout=SLOW)
    assert workspace.serving.state().live is None
    assert serious(page, 390, "dark") == []
