"""A rater's visit in Chromium: a window of their own, by the link of their invitation."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from ftkit.ratings.results.rated import Rated
from ftkit.ratings.studies.options import Prompt
from ftkit.settings import Settings
from ftkit.store.tables import assignments
from ftkit.workspace import Workspace, utc_now
from tests.studied import open_study
from tests.ui.conftest import PATIENCE, Dashboard, watch

SIDES = ("base:left-model", "run:right-run", "run:third-run")
ANSWERS = (
    "I am sorry that your parcel is late.\n\n1. It left our house on Monday.\n2. It should be with you by Thursday.",
    "Late parcels happen. Please wait.",
    "We have looked it up: it comes on Thursday. If not, we send a new one at once.",
)
COUNTS = {"pairs": 2, "scales": 2, "ranking": 3, "pass_fail": 1}
# Of a request that a test makes fail on purpose.
LOST = re.compile("Failed to load resource: (net::ERR_|the server responded)")


def opened(home: Path) -> Workspace:
    return Workspace(Settings.from_environment({"FTKIT_HOME": str(home)}))


def make(home: Path, protocol: str = "pairs", prompts: int = 2, **study: Any) -> tuple[str, list[str]]:
    """Id of an open study, and the tokens of its raters; the dashboard may be running."""
    told = {
        "name": "Answers of a help desk",
        "guidelines": "Read both answers to the end.\nA shorter answer is not worse.",
        "overlap": 1,
        "show_reference": True,
        "sides": SIDES[: COUNTS[protocol]],
        "criteria": ("helpful", "correct"),
        "said": lambda _, side: ANSWERS[SIDES.index(side)],
    }
    questions = [asked(f"Where is my parcel, number {n}?", "It comes on Thursday.") for n in range(prompts)]
    with opened(home) as workspace:
        return open_study(workspace, protocol=protocol, **(told | {"told": questions} | study))


def asked(question: str, reference: str) -> Prompt:
    return Prompt(messages=({"role": "user", "content": question},), reference=reference)


def let_leases_end(home: Path, study: str) -> None:
    """As if ten minutes had gone by."""
    gone = utc_now() - timedelta(minutes=1)
    with opened(home) as workspace, workspace._database.write() as connection:
        connection.execute(update(assignments).where(assignments.c.study == study).values(kept_until=gone))


def rated(home: Path, study: str) -> list[Rated]:
    with opened(home) as workspace:
        assert workspace.studies.verify(study).first_broken is None
        return workspace.studies.rated(study)


def stored_texts(page: Page) -> list[str]:
    """Everything that the page keeps in the browser."""
    return page.evaluate("[localStorage, sessionStorage].flatMap((s) => Object.entries(s).flat())")


class Visits:
    """Opens windows; what goes wrong in one is noted with it."""

    def __init__(self, browser: Browser, dashboard: Dashboard) -> None:
        self.browser, self.dashboard = browser, dashboard
        self.pages: list[Page] = []
        self.at_fault = False  # requests are made to fail

    def open(self, token: str, width: int = 1280, scheme: str = "light", lang: str = "en") -> Page:
        context = self.browser.new_context(
            locale={"en": "en-US", "tr": "tr-TR"}[lang],
            viewport={"width": width, "height": 850},
            color_scheme=scheme,
        )
        context.set_default_timeout(PATIENCE)
        page = self.window(context.new_page())
        page.goto(f"{self.dashboard.url}/invite/{token}")
        return page

    def window(self, page: Page) -> Page:
        watch(page, self.dashboard.url)
        self.pages.append(page)
        return page

    def problems(self) -> list[str]:
        found = [problem for page in self.pages for problem in page.problems]
        return [one for one in found if not (self.at_fault and LOST.match(one))]


@pytest.fixture
def visits(browser, dashboard) -> Iterator[Visits]:
    made = Visits(browser, dashboard)
    yield made
    for context in {page.context for page in made.pages}:
        context.close()
    assert made.problems() == []


def bodies_to(page: Page, part: str) -> list[dict[str, Any]]:
    """What is sent from now on to an address that ends so."""
    bodies: list[dict[str, Any]] = []

    def note(request: Any) -> None:
        if request.url.endswith(part):
            bodies.append(json.loads(request.post_data))

    page.on("request", note)
    return bodies


def at(page: Page, number: int) -> None:
    """The task with this number stands there."""
    expect(page.locator("#heading")).to_have_text(re.compile(rf"\b{number}$"))


def state(page: Page, name: str) -> None:
    """No task, but this in words."""
    expect(page.locator(f".message[data-state={name}]")).to_be_visible()


def choose_all(page: Page, protocol: str, rows: int | None = None) -> None:
    """By keys: something in each line."""
    for _ in range(rows or page.locator(".row").count()):
        page.keyboard.press("b" if protocol == "pairs" else "1")


def tab_to(page: Page, selector: str) -> None:
    """On with the tab key until the focus is there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} is not reached by the tab key")
