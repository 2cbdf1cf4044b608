"""The compare page in a real browser: four models, a chat, what differs, a link, an example, a list."""

import os
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from ftkit.ratings.comparing.answers import Kept, Row, SideAnswer
from ftkit.ratings.sides.names import Side
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.ui import i18n
from ftkit.workspace import Workspace
from tests.finished_run import MODEL, RUN, SPLIT, Room, SleepingLauncher, add_model, add_run, open_room
from tests.tiny import make_tiny_adapter
from tests.ui.conftest import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.training, pytest.mark.timeout(600)]

HOSTILE = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1><b>bold</b>"
SLOW = 90_000
SIDES = f"base:{MODEL},run:{RUN},run:{RUN}@0.5,checkpoint:{RUN}/8"


def say(key: str) -> str:
    return i18n.say(key, "en")


@pytest.fixture(scope="module")
def home(dashboard: Dashboard) -> Path:
    """A finished run with a checkpoint."""
    with open_room(dashboard.home, SleepingLauncher()) as room:
        _fill(room)
    return dashboard.home


def _fill(room: Room) -> None:
    add_run(room, adapter=False)
    places = {"rows": {"train": list(range(8)), "validation": [8, 9], "test": list(range(10, 14))}}
    write_json(room.folders.split(SPLIT) / "manifest.json", places)
    add_model(room)
    checkpoint = room.folders.run(RUN) / "checkpoints" / "checkpoint-8"
    make_tiny_adapter(room.folders.model(MODEL), checkpoint, seed=7)
    room.jobs.submit("train", RUN)
    room.end(RUN)


def shorter(page: Page) -> None:
    page.get_by_role("button", name=say("compare.sampling.title")).click()
    longest = page.locator("#compare-longest input[type=number]")
    longest.fill("8")
    longest.press("Tab")


def ask(page: Page, question: str) -> None:
    page.fill("#compare-prompt textarea", question)
    page.click("#compare-ask")
    expect(page.locator("#compare-status")).to_contain_text(say("compare.status.done"), timeout=SLOW)
    expect(page.locator("#compare-prompt textarea")).to_have_value("")


def a_chat_of_two_turns(page: Page) -> None:
    ask(page, "my parcel is late")
    for number, strength in ((1, ""), (2, ""), (3, "0.5×"), (4, "8")):
        pane = page.locator(f"#answer-{number}")
        expect(pane.locator(".ft-foot")).to_have_count(1)
        expect(pane.locator("h3")).to_contain_text(strength)
    expect(page.locator("#answer-2 h3")).to_contain_text("First <try>")
    ask(page, f"and {HOSTILE}")
    for number in range(1, 5):
        pane = page.locator(f"#answer-{number}")
        expect(pane.locator(".ft-foot")).to_have_count(2)
        expect(pane.locator(".ft-bubble")).to_have_text([re.compile("my parcel"), re.compile("<b>bold</b>")])
        expect(pane.locator(".ft-foot").last).to_have_text(re.compile(r"\d"))


def what_differs(page: Page) -> None:
    page.get_by_role("button", name=say("compare.diff.title")).click()
    expect(page.locator("#compare-difference")).not_to_be_empty()
    page.click("#compare-diff-second input")
    page.get_by_role("option").nth(0).click()
    expect(page.locator("#compare-difference .ft-answer")).to_be_visible()
    expect(page.locator("#compare-difference .ft-answer ins")).to_have_count(0)


def an_example(page: Page) -> None:
    page.get_by_role("button", name=say("compare.keep.title")).click()
    page.click("#compare-keep-whose input")
    page.get_by_role("option").nth(1).click()
    expect(page.locator("#compare-keep-text textarea")).not_to_have_value("")
    page.fill("#compare-keep-text textarea", f"Sorry! {HOSTILE}")
    page.click("#compare-keep-do")
    expect(page.locator("#examples-list")).to_contain_text(say("compare.examples.edited"))


def a_link(page: Page) -> str:
    page.click("#compare-save")
    page.locator("#compare-saved a").click()
    page.wait_for_url(re.compile(r"/compare\?comparison="))
    shown = page.locator("#compare-note")
    expect(shown).to_contain_text(say("compare.saved.note"))
    expect(shown.locator(".ft-pane")).to_have_count(4)
    expect(shown).to_contain_text("<b>bold</b>")
    expect(page.locator("#compare-ask")).to_have_count(0)
    return page.url


def a_chat_that_is_stopped_and_cleared(page: Page) -> None:
    page.fill("#compare-prompt textarea", "tell me all")
    page.click("#compare-ask")
    expect(page.locator("#answer-1 .ft-foot")).to_have_text(re.compile(r"\d"), timeout=SLOW)
    page.click("#compare-stop")
    expect(page.locator("#compare-status")).to_have_text(re.compile(re.escape(say("compare.status.stopped"))))
    expect(page.locator("#compare-save")).to_be_visible()
    page.click("#compare-clear")
    expect(page.locator("#answer-1")).to_be_hidden()
    expect(page.locator("#compare-save")).to_be_hidden()


def a_list(page: Page) -> None:
    page.get_by_role("tab", name=say("compare.tab.list")).click()
    page.get_by_role("radio", name=say("compare.list.own")).check()
    page.fill("#list-lines textarea", f"one\n\n{'zq ' * 600}\nthree {HOSTILE}")
    page.click("#list-ask")
    expect(page.locator("#list-status")).to_contain_text(re.compile("2 .*1 "), timeout=SLOW)
    expect(page.locator("#list-table tbody tr")).to_have_count(3)
    expect(page.locator("#list-table .ft-notice")).to_have_count(1)
    page.get_by_role("radio", name=say("compare.list.test")).check()
    page.click("#list-ask")
    expect(page.locator("#list-status")).to_contain_text(re.compile("4 answered"), timeout=SLOW)
    expect(page.locator("#list-table")).to_contain_text("message number 0")


def a_list_that_is_stopped(page: Page) -> None:
    page.get_by_role("radio", name=say("compare.list.own")).check()
    page.fill("#list-lines textarea", "\n".join(f"number {n}" for n in range(200)))
    page.click("#list-ask")
    expect(page.locator("#list-status .ft-progress")).to_contain_text("left", timeout=SLOW)
    page.click("#list-stop")
    expect(page.locator("#list-status")).to_contain_text("Stopped")
    expect(page.locator("#list-table")).to_contain_text("number 0")
    assert page.locator("#list-table tbody tr").count() < 200
    page.click("#list-save")
    expect(page.locator("#list-saved a")).to_be_visible()


def test_from_four_models_to_a_dataset(open_page, dashboard, home: Path) -> None:
    page = open_page()
    page.goto(f"{dashboard.url}/compare?sides={SIDES}")
    expect(page.locator("#compare-strength-3 input[type=number]")).to_have_value("0.5")
    expect(page.locator("#compare-strength-1")).to_have_count(0)
    rated = page.get_by_role("link", name=say("compare.side.rate")).get_attribute("href")
    assert parse_qs(urlsplit(rated).query) == {"sides": [SIDES], "split": [SPLIT]}
    shorter(page)
    a_chat_of_two_turns(page)
    what_differs(page)
    an_example(page)
    link = a_link(page)

    page.goto(f"{dashboard.url}/compare?run={RUN}")
    expect(page.locator(f'#saved-list a[href$="{link.rpartition("=")[2]}"]')).to_be_visible()
    a_chat_that_is_stopped_and_cleared(page)
    shorter(page)
    a_list(page)
    a_list_that_is_stopped(page)
    page.fill("#examples-name textarea, #examples-name input", "Mine")
    page.click("#examples-make")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+$"))
    expect(page.get_by_role("heading", name="Mine").first).to_be_visible()
    assert page.evaluate("window.pwned") is None


def test_a_saved_comparison_stays_text_and_can_be_deleted(open_page, dashboard, home: Path) -> None:
    with Workspace(Settings.from_environment({**os.environ, "FTKIT_HOME": str(home)})) as workspace:
        rows = [
            Row(
                messages=({"role": "user", "content": HOSTILE},),
                answers=(SideAnswer(text=HOSTILE, tokens=3, done=True),),
                reference=HOSTILE,
            )
        ]
        for kind in ("chat", "list"):
            kept = Kept(kind=kind, labels=(), sampling={}, rows=tuple(rows))
            record = workspace.comparisons.save([Side(kind="run", id=RUN)], kept, f"{kind} {HOSTILE}")
    page = open_page(locale="tr-TR", width=390)
    page.goto(f"{dashboard.url}/compare?comparison={record.id}")
    expect(page.locator("#compare-note")).to_contain_text(i18n.say("compare.saved.note", "tr"))
    expect(page.locator("#compare-note .ft-answer").first).to_contain_text("<b>bold</b>")
    page.goto(f"{dashboard.url}/compare?run={RUN}")
    rows = page.locator("#saved-list tbody tr")
    expect(rows.first).to_contain_text("<script>window.pwned=1</script>")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    count = rows.count()
    page.click("#saved-which input")
    page.get_by_role("option").first.click()
    page.click("#saved-delete")
    expect(rows).to_have_count(count - 1)
    assert page.evaluate("window.pwned") is None
