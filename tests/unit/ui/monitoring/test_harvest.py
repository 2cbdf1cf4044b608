"""Requests that are worth learning from, what they became, and the generations of the model."""

from datetime import UTC, datetime

import pytest

from ftkit.loop.generations import Generation, Measured
from ftkit.loop.reevaluating import Reevaluation
from ftkit.monitoring.drift.schedule import DriftCheck, Standing
from ftkit.monitoring.harvest.service import Harvested
from ftkit.monitoring.harvest.wishes import REASONS, Candidate
from ftkit.monitoring.traffic.summary import Share
from ftkit.ui.i18n import LANGUAGES, say
from ftkit.ui.monitoring import checks, generations, harvest

AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def candidate(**changes) -> Candidate:
    messages = ({"role": "user", "content": "Do I need a <b>visa</b>?"},)
    told = {
        "request": "r1",
        "at": AT,
        "version": "v1",
        "messages": messages,
        "answer": "No.",
        "why": ("down", "drift"),
    }
    return Candidate(**{**told, **changes})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_candidates_are_counted_by_reason_and_shown(lang):
    found = [
        candidate(),
        candidate(request="r2", correction="Yes, you do.", why=("corrected",), confidence=0.4),
    ]
    shown = str(harvest.told(found, lang))
    assert "&lt;b&gt;visa" in shown
    assert "<b>visa" not in shown
    assert "Yes, you do." in shown
    assert say("monitor.harvest.by_user", lang) in shown
    for reason in ("down", "drift", "corrected"):
        assert say(f"monitor.why.{reason}", lang) in shown
    assert {"en": "confidence 40%", "tr": "güven %40"}[lang] in shown


def test_only_the_first_of_many_are_shown():
    shown = str(harvest.told([candidate(request=f"r{n}") for n in range(30)], "en"))
    assert "30 requests fit; 0 of them" in shown
    assert "The first 20 of them" in shown
    assert shown.count("<tr>") == 21
    assert "No request fits" in harvest.told([], "en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_has_a_name(lang):
    assert all(say(f"monitor.why.{reason}", lang) for reason in REASONS)


def test_a_harvest_leads_to_its_rows_and_a_deleted_one_nowhere():
    found = [Harvested(dataset="d1", at=AT, requests=12), Harvested(dataset="gone", at=AT, requests=3)]
    shown = str(harvest.past(found, {"d1": "Visas"}, "en"))
    assert 'href="/clean?dataset=d1"' in shown
    assert "deleted since" in shown
    assert "dataset=gone" not in shown


def generation(**changes) -> Generation:
    told = {
        "target": "run:r1", "label": "First", "run": "r1", "before": None, "versions": ("v1",), "state": "live",
        "since": AT, "until": None, "measured": None, "requests": 40, "thumbs_down": Share(count=3, of=30, share=0.1),
        "corrections": 2, "rating": 4.5, "checks": 5, "alarms": 1,
    }  # fmt: skip
    return Generation(**{**told, **changes})


def measured(rows_hash: str) -> Measured:
    return Measured(
        evaluation="e1",
        part="test",
        rows=20,
        rows_hash=rows_hash,
        metrics={"token_f1": 0.5, "perplexity": 3.2},
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_generation_says_how_it_did(lang):
    shown = str(
        generations.table([generation(measured=measured("a")), generation(state="retired", until=AT)], lang)
    )
    assert {"en": "bad: 10%", "tr": "kötü: %10"}[lang] in shown
    assert say("evaluate.metric.token_f1", lang) in shown
    assert {"en": "1 of 5", "tr": "5 içinde 1"}[lang] in shown
    assert 'href="/evaluate?run=r1"' in shown, "one that is not measured says where to measure it"


def test_only_measurements_of_the_same_rows_are_said_to_be_comparable():
    same = generations.table([generation(measured=measured("a")), generation(measured=measured("a"))], "en")
    other = generations.table([generation(measured=measured("a")), generation(measured=measured("b"))], "en")
    assert "so they can be compared" in same
    assert "cannot be compared" in other
    assert "No model was served" in generations.table([], "en")


def test_the_next_measurement_is_told():
    assert generations.again(Reevaluation(), "en") == ""
    assert "<time" in generations.again(Reevaluation(every_days=7, due_at=AT), "en")
    assert "Nothing is live" in generations.again(Reevaluation(every_days=7), "en")


def test_the_standing_of_checks_says_what_is_missing_and_what_is_late():
    assert "Turn on" in checks.standing(Standing(), False, "en")
    assert "Nothing was checked yet" in checks.standing(Standing(), True, "en")
    assert "7 requests kept so far" in checks.standing(Standing(waiting=7), True, "en")
    late = checks.standing(Standing(version="v1", last_at=AT, due_at=AT, overdue=True, waiting=7), True, "en")
    assert "has not come" in late
    assert "7 new requests" in late
    due = checks.standing(Standing(version="v1", last_at=AT, due_at=AT), True, "en")
    assert "next one" in due
    assert "ft-bad" not in due


def test_a_check_on_its_way_and_one_that_failed_are_told():
    assert 'aria-valuenow="25"' in checks.doing({"step": 2, "steps": 8}, "en")
    assert "ft-waiting" in checks.doing({}, "en")
    report = {"outcome": "failed", "state": "lost", "error": None, "findings": []}
    one = DriftCheck(
        id="c1", version="v1", at=AT, begins=None, ends=None, requests=9, outcome="failed", report=report
    )
    assert "ended without a word" in checks.failed(one, "en")
    assert ">failed<" in checks.past([one], {"v1": "First"}, "en")
