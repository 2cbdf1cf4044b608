"""From a trained model to the next one, in a real browser: export → serve → chat by curl → feedback → drift → harvest → the next run.

The programs that ask are real ``curl`` processes; the model is a tiny random one, so that its answers say nothing.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.ui.rated import RUN, add_finished_run, opened
from tests.ui.watched import FAR

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SLOW = 240_000  # milliseconds; a busy machine imports torch for half a minute
REQUESTS = 36
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
    page.wait_for_url(re.compile(r"/export\?.*export=\w+"))
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
    ids = []
    for place in range(REQUESTS):
        question = f"{FAR[place % len(FAR)]} My file has the number {place}, write to {MAIL}."
        body = {"model": "ftkit", "messages": [{"role": "user", "content": question}], "max_tokens": 4}
        answer = curl(url, "/v1/chat/completions", key, body)
        assert answer.get("object") == "chat.completion", answer
        ids.append(answer["id"])
    return ids


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
