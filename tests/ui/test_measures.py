"""The evaluate page: measures and checks are chosen, and the result says in a sentence how sure it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ftkit.evaluation.report.words import words
from ftkit.ui.i18n import say
from tests.finished_run import RUN, SleepingLauncher, add_curves, add_model, add_run, open_room
from tests.ui.conftest import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.training, pytest.mark.timeout(600)]

SLOW = 240_000
CHECK = "- name: letters\n  kind: regex\n  pattern: '[a-z]'"


def asked(count: int) -> list[dict[str, str]]:
    return [
        {"system": "Sort it.", "question": f"message {n}", "answer": ("billing", "delivery")[n % 2]}
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Over a folder with a finished run of a tiny model."""
    home: Path = tmp_path_factory.mktemp("home").resolve()
    with open_room(home, SleepingLauncher()) as room:
        add_run(room, {"test": asked(6)})
        add_curves(room)
        add_model(room)
    made = Dashboard(home, OMP_NUM_THREADS="1")
    made.start()
    yield made
    made.end()
    made.stop_workers()


@pytest.mark.parametrize(
    "page",
    [pytest.param({"locale": "en-US"}, marks=pytest.mark.faults), {"locale": "tr-TR", "width": 390}],
    indirect=True,
)
def test_measures_are_chosen_and_the_result_is_said_in_a_sentence(page: Page, dashboard: Dashboard) -> None:
    lang = page.evaluate("navigator.language")[:2]
    page.goto(f"{dashboard.url}/evaluate?run={RUN}")
    page.locator("#evaluate-measured > button").click()
    page.locator("#evaluate-checks textarea").fill("- kind: python")
    page.click("#evaluate-start")
    expect(page.locator(".toast-body")).to_contain_text("regex, json_schema, contains")
    page.problems.clear()  # the browser notes what the server refused
    page.locator("#evaluate-checks textarea").fill(CHECK)
    page.locator("#evaluate-metrics input").click()
    for key in ("accuracy", "macro_f1", "length"):
        page.get_by_role("option", name=say(f"evaluate.metric.{key}", lang), exact=True).click()
    page.keyboard.press("Escape")
    page.click("#evaluate-start")
    page.wait_for_url(re.compile(r"evaluation=\w+"))
    result = page.locator("#evaluate-result")
    expect(result.locator("table").first).to_be_visible(timeout=SLOW)
    rows = result.locator("table").first.locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.last).to_contain_text("letters")
    sentence = {"en": "6 rows", "tr": "6 satır"}[lang]
    expect(rows.first).to_contain_text(re.compile(rf"{sentence}|No difference|fark yok"))
    result.get_by_text(say("evaluate.how", lang)).click()
    expect(result).to_contain_text("ftkit|check|regex|")
    whole = {"en": "The whole answer", "tr": "Yanıtın tamamı"}[lang]
    result.get_by_text(say("evaluate.labels", lang, name=whole)).click()
    expect(result.locator("table").filter(has_text="billing").first).to_be_visible()
    expect(result.locator("table").last).to_contain_text(words(lang).say("skill.overall"))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
