import json
import re

import pytest

from ftkit.ui.i18n import catalogue
from ftkit.ui.ratings import rater_page
from ftkit.ui.ratings.rater_page import message_page, page


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_the_page_is_whole_and_fetches_nothing(lang):
    html = page(lang)
    assert html.startswith(f'<!doctype html><html lang="{lang}">')
    # Its own tasks come from /rate/api; anything that loads by itself is inside it.
    assert re.findall(r"<(?:script|img|iframe|link)[^>]*\s(?:src|href)=(?![\"']?data:)", html) == []
    assert re.findall(r"https?://(?!www\.w3\.org)", html) == []
    assert "@import" not in html


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_the_script_finds_all_its_words(lang):
    words = json.loads(re.search(r'id="words">(.*?)</script>', page(lang), re.DOTALL)[1])
    named = set(re.findall(r'\bsay\((?:[^()"]*\? )?"(rater\.[a-z_.]+)"', rater_page._SCRIPT))
    assert len(named) > 20
    assert named <= words.keys()
    for state in ("waiting", "finished", "closed", "not_open", "revoked", "wrong_link", "trouble"):
        assert {f"rater.{state}.title", f"rater.{state}.text"} <= words.keys()
    assert words["rater.title"] == catalogue(lang)["rater.title"]


def test_what_others_wrote_is_never_read_as_html():
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "DOMParser",
        "new Function",
    ):
        assert way not in rater_page._SCRIPT


def test_a_word_cannot_end_the_script_element(monkeypatch):
    monkeypatch.setattr(rater_page, "catalogue", lambda _: {"rater.x": "</script><script>alert(1)</script>"})
    assert "<" not in rater_page._words("en")


@pytest.mark.parametrize("key", ["no_link", "wrong_link", "revoked", "too_many"])
def test_a_message_says_what_to_do_without_a_script(key):
    html = message_page(key, "tr")
    assert catalogue("tr")[f"rater.{key}.text"] in html
    assert "<script" not in html
