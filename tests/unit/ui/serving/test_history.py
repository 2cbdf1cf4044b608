from typing import get_args

import pytest

from ftkit.serving.versions.standing import EventName, VersionState
from ftkit.ui.i18n import say
from ftkit.ui.serving import examples, history
from tests.unit.ui.serving.served import HOSTILE, event, version


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_every_event_and_every_state_has_words(lang):
    happened = [event(name, share=0.1) for name in get_args(EventName)]
    shown = history.events(happened, {"v1": f"Model {HOSTILE}"}, lang)
    assert shown.count("<tr>") == len(happened) + 1
    assert ("10%" if lang == "en" else "%10") in shown
    assert say("serve.by.owner", lang) in shown
    assert "<img" not in shown
    states = [version(f"v{place}", state) for place, state in enumerate(get_args(VersionState))]
    listed = history.versions(states, lang)
    for state in get_args(VersionState):
        assert say(f"serve.state.{state}", lang) in listed


def test_a_canary_says_its_share_and_each_version_has_its_test():
    shown = history.versions([version(state="canary", share=0.1), version("v2", report=None)], "en")
    assert "10%" in shown
    assert shown.count("<details") == 1


def test_without_anything_it_says_so():
    assert say("serve.versions.none", "en") in history.versions([], "en")
    assert say("serve.events.none", "en") in history.events([], {}, "en")


def test_somebody_else_is_named():
    assert "<td>ftkit</td>" in history.events([event("refused", by="ftkit")], {}, "en")


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_examples_can_be_copied_and_the_first_is_open(lang):
    shown = examples.shown(
        "http://h/v1",
        {"curl": 'curl -d \'{"a": "<b>"}\'', "python": "import openai", "javascript": "1"},
        lang,
    )
    assert shown.count("data-ft-copy=") == 4
    assert shown.count("<details") == 3
    assert shown.count(" open>") == 1
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert say("serve.use.copy_of", lang, name="Python") in shown
