import pytest

from ftkit.ui.i18n import say
from ftkit.ui.serving import smoke, standing
from tests.unit.ui.serving.served import FAILED, HOSTILE, PASSED, state, version

ADDRESS = "http://127.0.0.1:7860/v1"


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_where_nothing_is_served_it_says_what_to_do(lang):
    assert say("serve.now.none.text", lang) in standing.shown(state(), ADDRESS, lang)
    stopped = standing.shown(state(standby=(version(state="standby"),)), ADDRESS, lang)
    assert say("serve.now.none.back", lang) in stopped


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_a_live_version_alone_answers_everything(lang):
    shown = standing.shown(state(live=version(label=HOSTILE)), ADDRESS, lang)
    assert say("serve.now.gets", lang, share="100%" if lang == "en" else "%100") in shown
    assert ADDRESS in shown
    assert say("serve.now.standby.none", lang) in shown
    assert "ft-split" not in shown
    assert "<img" not in shown


def test_a_canary_stands_beside_it_with_both_shares():
    found = state(
        live=version(), canary=version("v2", "canary", share=0.25), share=0.25, standby=(version("v0"),)
    )
    shown = standing.shown(found, ADDRESS, "en")
    assert "answers 75% of the requests" in shown
    assert "answers 25% of the requests" in shown
    assert "width:75%" in shown
    assert "<dd>Model v0</dd>" in shown


def test_what_is_tested_is_told_while_the_live_one_answers():
    found = state(live=version(), trying=(version("v2", "trying", None, label=HOSTILE),))
    shown = standing.shown(found, ADDRESS, "en")
    assert "three fixed prompts" in shown
    assert "Model v1" in shown
    assert "What is live goes on answering." in shown
    assert "<img" not in shown


def test_while_the_first_one_is_tested_nothing_is_said_to_answer():
    shown = standing.shown(state(trying=(version("v1", "trying", None),)), ADDRESS, "en")
    assert "goes on answering" not in shown
    assert "as soon as it has passed" in shown


def test_what_is_live_leads_to_what_it_is_asked():
    assert 'href="/monitor"' in standing.shown(state(live=version()), ADDRESS, "en")
    assert 'href="/monitor"' not in standing.shown(state(), ADDRESS, "en")


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_a_refusal_says_why_and_what_stays(lang):
    told = standing.refused(version("v2", "refused", FAILED), version(), lang)
    assert "Old is live already." in told or lang == "tr"
    assert say("serve.now.refused.kept", lang, label="Model v1") in told
    assert say("serve.now.refused.next", lang) in told
    alone = standing.refused(version("v2", "refused", None), None, lang)
    assert say("serve.smoke.failed", lang) in alone


def test_a_test_in_half_a_sentence():
    assert smoke.short(version(), "en") == "passed: 1 of 1 answers in 0.3 s"
    assert smoke.short(version(state="trying", report=None), "en") == say("serve.smoke.running", "en")
    assert smoke.short(version(state="refused", report=FAILED), "en") == say("serve.smoke.failed", "en")
    assert smoke.short(version(report=None), "en") == say("serve.smoke.none", "en")


def test_all_answers_of_a_test_are_shown_as_text():
    shown = smoke.shown(version(report=PASSED), "en")
    assert "Hi &lt;img" in shown
    assert "0.3 s" in shown or "0.2 s" in shown
    failed = smoke.shown(version(state="refused", report=FAILED), "tr")
    assert say("serve.smoke.no_answer", "tr") in failed
    assert say("serve.smoke.slow", "tr") in failed
    assert "Late" in failed
    assert smoke.shown(version(report=None), "en") == ""
