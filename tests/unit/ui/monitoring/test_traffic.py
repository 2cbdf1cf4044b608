"""The traffic of a period: figures with their meaning, shares only where enough requests stand behind them."""

from datetime import UTC, datetime, timedelta

import pytest

from ftkit.monitoring.traffic.kept import Said, TrafficRow
from ftkit.monitoring.traffic.summary import Summary, summarise
from ftkit.ui.i18n import LANGUAGES, error_catalogue
from ftkit.ui.monitoring import requests, traffic

NOW = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)


def row(minutes: int = 5, **changes) -> dict:
    return {
        "at": NOW - timedelta(minutes=minutes), "version": "v1", "status": 200, "error": None, "prompt_tokens": 20,
        "answer_tokens": 30, "first_token_seconds": 0.2, "seconds": 1.5, "finish": "stop", "confidence": 0.8,
        "refused": False, "personal": {"email": 1}, **changes,
    }  # fmt: skip


def summary(rows: list[dict], said: list[dict] | None = None) -> Summary:
    return summarise(rows, said or [], NOW - timedelta(days=1), NOW)


def said(thumb: int | None, **changes) -> dict:
    return {"at": NOW - timedelta(minutes=5), "thumb": thumb, "rating": None, "corrected": False, **changes}


def test_a_share_of_few_is_said_as_counts():
    failed = [row(), row(status=500, error="engine.failed")]
    shown = str(traffic.shown(summary(failed), "en"))
    assert "1 of 2" in shown
    assert "50%" not in shown
    assert "<code>engine.failed</code>" in shown


def test_what_failed_is_said_in_words_beside_its_key():
    shown = traffic.shown(summary([row(status=404, error="gateway.no_model")]), "tr")
    assert "burada olmayan bir model istendi <code>gateway.no_model</code>" in shown


def test_every_error_in_words_is_one_that_can_be_raised():
    known = error_catalogue("tr")
    assert [key for key in traffic._ERRORS if key not in known] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_many_requests_give_shares_with_their_interval(lang):
    rows = [
        row(minutes=n * 7, status=500 if n % 10 == 0 else 200, error="x.y" if n % 10 == 0 else None)
        for n in range(40)
    ]
    shown = str(traffic.shown(summary(rows, [said(1), said(-1, corrected=True), said(None, rating=4)]), lang))
    assert {"en": "10%", "tr": "%10"}[lang] in shown
    assert {"en": "95% certainty", "tr": "%95 kesinlikle"}[lang] in shown
    assert {"en": "1 good, 1 bad, 1 corrected", "tr": "1 iyi, 1 kötü, 1 düzeltilmiş"}[lang] in shown
    assert {"en": "e-mail addresses 40", "tr": "e-posta adresleri 40"}[lang] in shown
    assert shown.count("<svg") == 4


def test_nothing_in_the_period_says_what_to_do():
    assert "Choose a longer one" in traffic.shown(summary([]), "en")


def test_what_could_not_be_kept_is_said():
    assert traffic.losses({"numbers": 0, "texts": 0}, "en") == ""
    told = traffic.losses({"numbers": 3, "texts": 1200}, "en")
    assert "3 requests could not be written down" in told
    assert "1,200 requests were thrown away" in told


@pytest.mark.parametrize(
    ("value", "told"), [(None, "–"), (0.04, "0.04 s"), (1.52, "1.5 s"), (12.4, "12 s"), (75, "1 min 15 s")]
)
def test_short_times_are_told_to_the_tenth(value, told):
    assert traffic.seconds(value, "en") == told


def kept(**changes) -> TrafficRow:
    texts = {"messages": ({"role": "user", "content": "Where is <b>it</b>?"},), "answer": "There."}
    one = {"id": "r1", "at": NOW, "version": "v1", "key": "k", "kind": "chat", "status": 200, "seconds": 0.5}
    return TrafficRow(**{**one, **texts, **changes})


def test_a_request_is_shown_with_what_was_said_of_it():
    told = Said(
        request="r1", key="k", at=NOW, thumb=-1, rating=2, correction="Here.", comment="no <i>way</i>"
    )
    shown = str(requests.table([kept(feedback=(told,))], {"v1": "Tickets"}, "en"))
    for text in (
        "&lt;b&gt;it",
        "There.",
        ">bad<",
        "2 of 5",
        ">corrected<",
        "&lt;i&gt;way",
        "0.50 s",
        "Tickets",
    ):
        assert text in shown
    assert "<b>it" not in shown


def test_a_request_without_texts_says_so_and_a_failed_one_why():
    assert requests.table([kept(messages=None, answer=None)], {}, "en").count("not kept") == 2
    assert "engine.failed" in requests.table([kept(error="engine.failed", status=500, answer=None)], {}, "en")
