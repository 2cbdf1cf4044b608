"""The whole way in a real browser, in both languages: file → roles → split → training → curve → answers."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ftkit.ui.i18n import say
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

STEPS = 20
# A busy machine imports torch for half a minute before the first step.
SLOW = 240_000
PATIENT = 30_000
PLACES = ["kitchen", "garden", "cellar", "attic", "harbour", "bakery", "library"]
THINGS = ["kettle", "ladder", "lantern", "compass", "violin"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def alpaca(tmp_path: Path) -> Path:
    """35 different rows as Alpaca has them, every third one with an input, and one that is no object."""
    rows = [
        {
            "instruction": f"Where is the {thing} of the {place}?",
            "input": f"Mind <b>{place}</b>." if (n + m) % 3 == 0 else "",
            "output": f"The {thing} is in the {place}, on shelf {n * 7 + m}.",
        }
        for n, thing in enumerate(THINGS)
        for m, place in enumerate(PLACES)
    ]
    path = tmp_path / "alpaca.json"
    path.write_text(json.dumps([*rows[:3], "not a row", *rows[3:]]), encoding="utf-8")
    return path


def choose(page: Page, field: str, option: str) -> None:
    page.click(f"#{field} input")
    page.get_by_role("option", name=option, exact=True).click()


def fill(page: Page, option: str, value: str) -> None:
    page.fill(f"#spec-{option} input", value)
    page.press(f"#spec-{option} input", "Tab")


def upload_and_save(page: Page, url: str, file: Path, lang: str) -> None:
    page.goto(f"{url}/data")
    page.set_input_files("#data-upload input[type=file]", file)
    page.wait_for_url(re.compile(r"/data\?upload=\w+$"))
    skipped = page.get_by_text(say("data.skipped.some", lang, n=1))
    expect(skipped).to_be_visible()
    chat = page.locator("#row-chat")
    expect(chat).to_contain_text("Mind <b>kitchen</b>.")
    choose(page, "role-user", say("data.role.none", lang))
    expect(chat).not_to_contain_text("Mind")
    choose(page, "role-user", "input")
    expect(chat).to_contain_text("Mind <b>kitchen</b>.")
    page.click("#row-on")
    expect(page.locator("#row-place")).to_have_text(say("data.row.place_first", lang, n=2, count=20))
    expect(chat).to_contain_text("The kettle is in the garden, on shelf 1.")
    page.fill("#data-name input", "Things")
    page.click("#data-save")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+$"))
    expect(page.get_by_role("heading", name="Things")).to_be_visible()


def split(page: Page, lang: str) -> None:
    page.click("#split-do")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+&split=\w+$"))
    pattern = re.escape(say("data.split.ready", lang, train="@", validation="@", test="@", leaks=0))
    ready = page.get_by_text(re.compile(pattern.replace("@", r"(\d+)")))
    expect(ready).to_be_visible()
    sizes = [int(size) for size in re.fullmatch(pattern.replace("@", r"(\d+)"), ready.inner_text()).groups()]
    assert sum(sizes) == 35
    assert sizes[0] > 20
    assert min(sizes) > 0
    page.get_by_role("link", name=say("data.split.go", lang)).click()
    page.wait_for_url(re.compile(r"/train\?split=\w+$"))


def start(page: Page, lang: str) -> None:
    expect(page.locator("#train-card .ft-facts, #train-card .ft-notice").first).to_be_visible(timeout=SLOW)
    choose(page, "spec-model_name_or_path", "Tiny random model")
    advanced = page.locator("#train-advanced button").first
    advanced.click()
    expect(page.locator("#spec-max_steps input")).to_have_value("-1")
    fill(page, "max_steps", str(STEPS))
    fill(page, "eval_steps", "5")
    fill(page, "lora_alpha", "0")
    expect(page.locator("#train-mistakes")).to_contain_text(
        say("train.mistake.greater_than_equal", lang, ge=1)
    )
    page.click("#train-start")
    at_field = page.locator("#spec-lora_alpha").get_by_text(
        say("train.mistake.greater_than_equal", lang, ge=1)
    )
    expect(at_field).to_be_visible()
    fill(page, "lora_alpha", "16")
    advanced.click()  # closed again, it keeps its values
    ready = page.locator("#train-card").get_by_text(say("train.card.ready", lang))
    expect(ready).to_be_visible(timeout=SLOW)
    steps = f"{say('train.card.steps', lang)}{STEPS}{say('train.card.batch', lang)}"
    expect(page.locator("#train-card")).to_contain_text(steps)
    # The browser notes that the server refused the mistake.
    page.problems[:] = [problem for problem in page.problems if "status of 422" not in problem]
    page.dblclick("#train-start")
    page.wait_for_url(re.compile(r"/runs\?run=\w+$"), timeout=SLOW)


def points(page: Page, series: str) -> int:
    return page.locator(
        f'#plot-loss path[aria-roledescription=point][aria-label$="series: {series}"]'
    ).count()


def watch(page: Page, lang: str) -> None:
    """The curve, empty at first, grows by itself, survives a reload, and reaches the last step."""
    series = say("runs.series.train", lang)
    page.wait_for_function(
        'name => document.querySelectorAll(`#plot-loss path[aria-label$="series: ${name}"]`).length > 3',
        arg=series,
        timeout=SLOW,
    )
    page.reload()
    done = page.locator("#run-head .ft-pill", has_text=say("views.state.done", lang))
    expect(done).to_be_visible(timeout=SLOW)
    expect(page.locator("#run-head")).to_contain_text(say("runs.result.eval_loss", lang))
    page.wait_for_function(
        "name => document.querySelectorAll("
        '`#plot-loss path[aria-roledescription=point][aria-label$="series: ${name}"]`).length === 20',
        arg=series,
        timeout=PATIENT,
    )
    assert points(page, say("runs.series.validation", lang)) == STEPS / 5
    # The double click made one run.
    expect(page.locator("#runs-list tbody tr[aria-current]")).to_have_count(1)


def compare(page: Page, lang: str) -> None:
    page.get_by_role("link", name=say("runs.compare", lang)).click()
    page.wait_for_url(re.compile(r"/compare\?run=\w+$"))
    page.click("#compare-row input")
    page.get_by_role("option").nth(1).click()
    expect(page.locator("#compare-prompt textarea")).to_have_value(re.compile("^Where is the "))
    expect(page.locator("#answer-reference")).to_contain_text("on shelf")
    page.get_by_role("button", name=say("compare.sampling.title", lang)).click()
    longest = page.locator("#compare-longest input[type=number]")
    expect(longest).to_have_value("200")
    longest.fill("24")
    longest.press("Tab")
    page.click("#compare-ask")
    expect(page.locator("#compare-status")).to_have_text(say("compare.status.done", lang), timeout=SLOW)
    for number, name in ((1, "Tiny random model"), (2, "")):
        pane = page.locator(f"#answer-{number}")
        expect(pane).to_contain_text(name)
        # "24 tokens in 3.1 s" in the language of the page; a random model may also end before its limit.
        expect(pane.locator(".ft-foot")).to_have_text(re.compile(r"\d"))


@pytest.mark.parametrize(
    ("lang", "locale"), [("en", "en-US"), pytest.param("tr", "tr-TR", marks=pytest.mark.faults)]
)
def test_from_a_file_to_answers(
    lang: str, locale: str, open_page, dashboard, tiny: Path, alpaca: Path
) -> None:
    dashboard.seed_model(tiny)
    page = open_page(locale=locale)
    upload_and_save(page, dashboard.url, alpaca, lang)
    split(page, lang)
    start(page, lang)
    watch(page, lang)
    compare(page, lang)
