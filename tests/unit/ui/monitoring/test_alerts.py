"""Alerts in sentences of both languages, and whether another program was told."""

from datetime import UTC, datetime

import pytest

from ftkit.errors import Refused
from ftkit.monitoring.alerts.alert import Alert, Delivery
from ftkit.ui.i18n import LANGUAGES
from ftkit.ui.monitoring import alerts

AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DRIFT = {
    "check": "c1", "cause": "language", "kinds": ["language", "quality", "quality"], "words": ["de"], "value": 0.3,
    "reference": 0.0, "requests": 200,
}  # fmt: skip
SHARE = {"hours": 1, "requests": 40, "count": 12, "of": 40, "share": 0.3, "limit": 0.05}
SAID = [
    ("drift", DRIFT, {"en": "Above all: German.", "tr": "En çok: Almanca."}),
    ("errors", {**SHARE, "errors": {}}, {"en": "30% of the requests failed within 1 h (12 of 40); the limit is 5.0%.", "tr": "%30"}),
    ("feedback", SHARE, {"en": "30% of the feedback was bad", "tr": "%30"}),
    ("latency", {"hours": 1, "p95": 12.4, "p50": 2.0, "limit": 5.0}, {"en": "took longer than 12 s", "tr": "12 sn"}),
    ("overdue", {"due_at": AT.isoformat(), "waiting": 7}, {"en": "nobody is watching", "tr": "kimse izlemiyor"}),
    ("masking", {"texts": 1200, "numbers": 0}, {"en": "The texts of 1,200 requests", "tr": "1.200"}),
    ("masking", {"texts": 0, "numbers": 3}, {"en": "3 requests could not be written down", "tr": "3 istek"}),
]  # fmt: skip


def alert(kind: str, values: dict, **changes) -> Alert:
    return Alert(id="a1", at=AT, kind=kind, version="v1", values=values, **changes)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("kind", "values", "said"), SAID)
def test_each_kind_has_its_sentence(kind, values, said, lang):
    told = alerts.sentence(alert(kind, values), {"v1": "Tickets"}, lang)
    assert said[lang] in told
    assert "{" not in told


def test_a_kind_of_drift_is_named_once():
    told = alerts.sentence(alert("drift", DRIFT), {"v1": "Tickets"}, "en")
    assert told.startswith(
        "What people ask Tickets has drifted, in the 200 newest requests: Languages, how answers"
    )
    assert told.count("how answers are received") == 1


def test_open_ones_stand_in_the_open_and_nothing_is_said_to_be_nothing():
    shown = str(alerts.open_ones([alert("drift", DRIFT)], {"v1": "<b>T</b>"}, "en"))
    assert "&lt;b&gt;T" in shown
    assert "ft-warn" in shown
    assert "Nothing to report" in alerts.open_ones([], {}, "en")
    assert alerts.past([], {}, "en") == ""
    assert "Seen before" in alerts.past([alert("drift", DRIFT, seen_at=AT)], {}, "en")


def test_what_became_of_the_webhook_is_said():
    reason = Refused(
        "alerts.no_webhook", "No webhook is chosen. Give its address and save it first."
    ).as_dict()
    assert alerts.delivery(None, "en") == ""
    assert "on its way" in alerts.delivery(Delivery(state="waiting"), "en")
    assert "tried again: No webhook" in alerts.delivery(Delivery(state="waiting", at=AT, reason=reason), "en")
    assert "did not take it: No webhook" in alerts.delivery(
        Delivery(state="failed", at=AT, reason=reason), "en"
    )
    assert "<time" in alerts.delivery(Delivery(state="sent", at=AT), "en")
