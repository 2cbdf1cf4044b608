"""From a trained model to the next one, in a real browser: export → serve → chat by curl → feedback → drift → harvest → the next run.

The programs that ask are real ``curl`` processes; the model is a tiny random one, so that its answers say nothing.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.ui import watched
from tests.ui.rated import RUN, add_finished_run, opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SLOW = 240_000  # milliseconds; a busy machine imports torch for half a minute
REQUESTS = 30  # the fewest different ones that a drift check compares
AT_ONCE = 6  # programs that ask at the same time
RIGHT = "Ask the embassy: it takes two weeks."
MAIL = "ada.lovelace@example.org"


@pytest.fixture(scope="module")
def workspace(dashboard) -> Iterator[Workspace]:
    """The dashboard's data folder, with a finished run in it."""
    with opened(dashboard.home) as workspace:
        add_finished_run(workspace, name="First try")
        yield workspace


def curl(url: str, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a program would do; gives the answer, which must be JSON."""
    command = [
        "curl", "--silent", "--show-error", "--max-time", "120", f"{url}{path}", "-H", f"Authorization: Bearer {key}",
        "-H", "Content-Type: application/json", "--data-binary", json.dumps(body),
    ]  # fmt: skip
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def export(page: Page, url: str, lang: str) -> str:
    """Home says that exporting is next; the adapter is exported and verified. Gives the export's id."""
    page.goto(url)
    step = page.locator("#home-way").get_by_role("link", name=say("home.step.export.title", lang))
    step.click()
    page.wait_for_url(re.compile(r"/export"))
    page.locator("#export-target").get_by_label(say("export.target.adapter", lang)).check()
    page.click("#export-start")
    page.wait_for_url(re.compile(r"/export\?.*export=\w+"), timeout=SLOW)
    done = page.locator("#export-head .ft-pill", has_text=say("views.state.done", lang))
    expect(done).to_be_visible(timeout=SLOW)
    expect(page.locator("#export-result")).to_contain_text(say("export.parity.title", lang))
    return re.search(r"export=(\w+)", page.url)[1]


def serve(page: Page, url: str, lang: str, exported: str) -> str:
    """The export is deployed and passes its test; gives a new key, which is shown once."""
    page.goto(f"{url}/serve?export={exported}&run={RUN}")
    page.locator("#deploy-anyway").get_by_role("checkbox").check()  # a random model may have nothing to say
    page.click("#deploy-start")
    live = page.locator("#serve-now").get_by_text(say("serve.now.live", lang), exact=True)
    expect(live.first).to_be_visible(timeout=SLOW)
    page.locator("#key-name input, #key-name textarea").first.fill("Shop")
    page.click("#key-make")
    secret = page.locator("#key-fresh code")
    expect(secret).to_have_text(re.compile("^ftk_"))
    return secret.inner_text()


def keep_texts(page: Page, url: str, lang: str) -> None:
    """Before anything was asked the page says what it is for; texts are kept from now on."""
    page.goto(f"{url}/monitor")
    expect(page.locator("#monitor-numbers")).to_contain_text(say("monitor.none_in_period", lang))
    expect(page.locator("#monitor-drift-standing")).to_contain_text(say("monitor.drift.no_texts", lang))
    page.locator("#monitor-keep-texts").get_by_role("checkbox").check()
    page.click("#monitor-keep")
    expect(page.get_by_text(say("monitor.settings.saved", lang))).to_be_visible()
    expect(page.locator("#monitor-drift-standing")).to_contain_text(say("monitor.drift.never", lang))


def ask(url: str, key: str) -> list[str]:
    """Programs ask for what the model has never learned; gives the ids of the requests."""

    def one(place: int) -> str:
        question = f"{watched.FAR[place % len(watched.FAR)]} My file has the number {place}, write to {MAIL}."
        body = {"model": "ftkit", "messages": [{"role": "user", "content": question}], "max_tokens": 4}
        answer = curl(url, "/v1/chat/completions", key, body)
        assert answer.get("object") == "chat.completion", answer
        return answer["id"]

    with ThreadPoolExecutor(AT_ONCE) as programs:
        return list(programs.map(one, range(REQUESTS)))


def judge(url: str, key: str, ids: list[str]) -> None:
    """Users say of three answers that they are bad, and of one what would be right."""
    for place, id_ in enumerate(ids[:3]):
        said = {"request_id": id_, "thumb": -1, **({"correction": RIGHT} if place == 0 else {})}
        told = curl(url, "/v1/feedback", key, said)
        assert "error" not in told, told


def drift(page: Page, lang: str) -> None:
    """The numbers come by themselves; a check finds that something else is asked, names it, and Home tells of it."""
    expect(page.locator("#monitor-numbers")).to_contain_text(str(REQUESTS), timeout=SLOW)
    page.locator("#monitor-recent summary").click()
    recent = page.locator("#monitor-recent")
    expect(recent).to_contain_text("My file has the number", timeout=SLOW)
    expect(recent).not_to_contain_text(MAIL)
    page.click("#monitor-drift-check")
    found = page.locator("#monitor-drift")
    expect(found).to_contain_text(say("drift.name.vocabulary", lang), timeout=SLOW)
    expect(found.locator(".ft-notice.ft-warn").first).to_be_visible()
    expect(page.locator("#monitor-alerts")).to_contain_text("First try")
    expect(page.locator("#monitor-alerts-seen")).to_be_visible()


def heed(page: Page, url: str, lang: str) -> None:
    """Home tells of the alert until it was seen."""
    page.goto(url)
    told = page.locator("#home-now").get_by_role("link", name=say("home.alerts.link", lang))
    told.click()
    page.wait_for_url(re.compile(r"/monitor"))
    page.click("#monitor-alerts-seen")
    expect(page.locator("#monitor-alerts")).to_contain_text(say("monitor.alerts.none", lang))


def harvest(page: Page, lang: str) -> None:
    """Requests are looked at, become a dataset, and the train page opens filled in for the next run."""
    page.click("#monitor-harvest-look")
    found = page.locator("#monitor-harvest")
    expect(found).to_contain_text(RIGHT)
    expect(found).to_contain_text(say("monitor.why.corrected", lang))
    page.locator("#monitor-harvest-name input, #monitor-harvest-name textarea").first.fill("Visas")
    page.click("#monitor-harvest-make")
    expect(page.locator("#monitor-harvests")).to_contain_text("Visas", timeout=SLOW)
    expect(found.get_by_role("link", name=say("monitor.harvest.correct", lang))).to_be_visible()
    page.click("#monitor-harvest-train")
    page.wait_for_url(re.compile(r"/train\?.*split=\w+"), timeout=SLOW)
    assert f"start_from_run={RUN}" in page.url


@pytest.mark.parametrize(("lang", "locale"), [("en", "en-US")])
def test_from_a_trained_model_to_the_next_run(
    lang: str, locale: str, open_page, dashboard, workspace: Workspace
) -> None:
    page = open_page(locale=locale)
    page.emulate_media(reduced_motion="reduce")  # what moves while it waits costs a core
    exported = export(page, dashboard.url, lang)
    key = serve(page, dashboard.url, lang, exported)
    keep_texts(page, dashboard.url, lang)
    ids = ask(dashboard.url, key)
    judge(dashboard.url, key, ids)
    drift(page, lang)
    heed(page, dashboard.url, lang)
    harvest(page, lang)
    made = workspace.data.all()[0]
    assert made.name == "Visas"
    assert RUN in made.parents


def fill(page: Page, field: str, value: str) -> None:
    page.locator(f"#{field} input, #{field} textarea").first.fill(value)
    page.keyboard.press("Tab")


def unfold(page: Page) -> None:
    for part in ("rules", "drift-settings", "again", "webhook-part"):
        page.locator(f"#monitor-{part} button").first.click()


def click(page: Page, button: str, told: str) -> None:
    """Click, and wait for the one toast that says what came of it."""
    page.click(f"#{button}")
    expect(page.get_by_test_id("toast-body")).to_contain_text(told)
    page.get_by_test_id("toast-close").click()
    expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_what_is_worth_an_alert_and_when_it_is_looked_at_is_chosen(
    open_page, dashboard, workspace: Workspace
) -> None:
    if not workspace.serving.versions():
        watched.serve(workspace, f"run:{RUN}", "First try")
    workspace.serving.stop()  # the live one would be measured again at once
    lang, saved = "tr", say("monitor.settings.saved", "tr")
    page = open_page(locale="tr-TR", width=390, scheme="dark")
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{dashboard.url}/monitor")
    unfold(page)
    expect(page.locator("#monitor-rules-errors input")).to_have_value("5")

    fill(page, "monitor-rules-errors", "10")
    fill(page, "monitor-rules-least", "1")
    click(page, "monitor-rules-save", say("monitor.rules.least.label", lang))
    assert workspace.alerts.rules().error_share == 0.05
    fill(page, "monitor-rules-least", "30")
    click(page, "monitor-rules-save", saved)
    assert (workspace.alerts.rules().error_share, workspace.alerts.rules().at_least) == (0.1, 30)

    fill(page, "monitor-drift-window", "29")
    click(page, "monitor-drift-save", say("monitor.drift.window.label", lang))
    fill(page, "monitor-drift-window", "60")
    fill(page, "monitor-drift-alpha", "5")
    click(page, "monitor-drift-save", saved)
    assert (workspace.drift.settings().window, workspace.drift.settings().alpha) == (60, 0.05)

    fill(page, "monitor-webhook", "http://127.0.0.1:9/hook")
    click(page, "monitor-webhook-save", "127.0.0.1 bu makineye ya da onun ağına çıkıyor")
    assert workspace.alerts.webhook() is None
    fill(page, "monitor-again-days", "7")
    click(page, "monitor-again-save", saved)
    expect(page.locator("#monitor-again-next")).to_contain_text(say("monitor.reevaluation.nothing", lang))
    assert workspace.reevaluation.state().every_days == 7

    page.reload()
    unfold(page)
    kept = {"rules-errors": "10", "drift-window": "60", "drift-alpha": "5", "again-days": "7"}
    for field, value in kept.items():
        expect(page.locator(f"#monitor-{field} input")).to_have_value(value)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
