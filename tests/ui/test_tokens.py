"""From a dataset to its tokens and to a split that keeps groups together, in a real browser, in both languages."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ftkit.ui.i18n import say
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROWS = [
    {
        "question": f"Where does {name} keep the {thing}?",
        "answer": f"Behind <b>{thing}</b> number {n}.",
        "person": name,
    }
    for n, (name, thing) in enumerate(
        (name, thing)
        for name in (
            "Ada",
            "Boran",
            "Ceyda",
            "Deniz",
            "Ezgi",
            "Ferit",
            "Gönül",
            "Hakan",
            "Irmak",
            "Jale",
            "Kaan",
            "Lale",
        )
        for thing in ("kettle", "ladder", "violin")
    )
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return path


def save(page: Page, url: str, file: Path) -> None:
    page.goto(f"{url}/data")
    page.set_input_files("#data-upload input[type=file]", file)
    page.wait_for_url(re.compile(r"/data\?upload=\w+$"))
    expect(page.locator("#row-chat")).to_contain_text("Ada")
    page.click("#data-save")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+$"))


def split_by_person(page: Page, lang: str) -> None:
    page.locator("#split-more button").first.click()
    page.click("#split-group input")
    page.get_by_role("option", name="person", exact=True).click()
    page.get_by_label(say("data.split.near.no", lang)).check()
    page.click("#split-do")
    page.wait_for_url(re.compile(r"&split=\w+$"))
    page.get_by_text(say("data.split.leak.title", lang)).click()
    expect(page.get_by_text(say("data.split.leak.group", lang))).to_be_visible()


def look_at_tokens(page: Page, lang: str) -> None:
    page.get_by_role("link", name=say("data.tokens", lang)).click()
    page.wait_for_url(re.compile(r"/tokens\?dataset=\w+&split=\w+$"))
    seen = page.locator("#tokens-seen")
    expect(seen.locator(".ft-tokens")).to_contain_text("<b>kettle</b>")
    expect(seen.locator(".ft-legend")).to_contain_text(say("tokens.kind.masked", lang))
    page.click("#tokens-on")
    expect(page.locator("#tokens-place")).to_have_text(say("data.row.place", lang, n=2, count=36))
    expect(seen.locator(".ft-tokens")).to_contain_text("ladder")
    page.get_by_label(say("tokens.answer_only", lang)).uncheck()
    expect(seen.locator(".ft-legend")).not_to_contain_text(say("tokens.kind.masked", lang))
    page.fill("#tokens-longest input", "20")
    page.press("#tokens-longest input", "Tab")
    expect(seen.locator(".ft-legend")).to_contain_text(say("tokens.kind.beyond", lang))


def give_another_form(page: Page, lang: str) -> None:
    page.click("#tokens-template input")
    page.get_by_role("option", name=say("tokens.template.own", lang), exact=True).click()
    own = page.locator("#tokens-own textarea")
    own.fill("{{ instruction }}\n{{ nobody }}")
    page.click("#tokens-make")
    expect(page.get_by_text(re.compile("nobody"))).to_be_visible()
    own.fill("Q: {{ instruction }}\nA: {{ answer }}")
    before = page.url
    page.click("#tokens-make")
    page.wait_for_url(lambda address: address != before)
    expect(page.locator("#tokens-seen .ft-tokens")).to_contain_text(
        re.compile(r"Q:.Where.does.Ada.keep.the.kettle\?⏎")
    )


@pytest.mark.parametrize(
    ("lang", "locale"), [("en", "en-US"), pytest.param("tr", "tr-TR", marks=pytest.mark.faults)]
)
def test_a_row_token_by_token(lang: str, locale: str, open_page, dashboard, tiny: Path, file: Path) -> None:
    dashboard.seed_model(tiny)
    page = open_page(locale=locale, width=390 if lang == "tr" else 1280)
    save(page, dashboard.url, file)
    split_by_person(page, lang)
    look_at_tokens(page, lang)
    give_another_form(page, lang)
    # Nothing is wider than the window.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
