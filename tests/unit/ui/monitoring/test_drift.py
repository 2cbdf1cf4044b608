"""A drift report in sentences: each kind is named with its figures and words, in both languages, and nothing can write into the page."""

import pytest

from ftkit.monitoring.drift.findings import Finding, report_of, too_few
from ftkit.ui.i18n import LANGUAGES
from ftkit.ui.monitoring import drift

COUNTS = {
    "requests": 200,
    "different_requests": 190,
    "reference_rows": 1200,
    "different_reference_rows": 1100,
    "fewest": 30,
}
LENGTH = {"median": 240.0, "reference_median": 118.0, "ratio": 2.034, "p95": 400.0, "reference_p95": 210.0}
FOUND = {
    "language": Finding(
        kind="language", statistic="chi_square", value=0.35, reference=0.01, p=0.0005, least=0.05, words=("de",)
    ),
    "personal_data": Finding(
        kind="personal_data", statistic="share_of_prompts", value=0.3, reference=0.02, p=0.0005, words=("email", "phone")
    ),
    "length": Finding(kind="length", statistic="ks_distance", value=0.6, reference=0.0, p=0.0005, values=LENGTH),
    "topic": Finding(
        kind="topic", statistic="largest_rise", value=0.21, reference=0.004, p=0.0005, words=("visa", "passport"),
        examples=("r1", "r2", "gone"),
    ),
    "vocabulary": Finding(
        kind="vocabulary", statistic="unknown_share", value=0.34, reference=0.081, p=0.0005, words=("visa",)
    ),
    "wording": Finding(
        kind="wording", statistic="area_under_curve", value=0.83, reference=0.5, p=0.0005, words=("visa",)
    ),
    "distance": Finding(kind="distance", statistic="mmd", value=0.0412, reference=0.0001, p=0.0005),
    "thumbs_down": Finding(kind="quality", statistic="thumbs_down", value=0.4, reference=0.1, p=0.0005),
    "refusals": Finding(kind="quality", statistic="refusals", value=0.2, reference=0.01, p=0.0005),
    "confidence": Finding(kind="quality", statistic="confidence", value=0.61, reference=0.78, p=0.0005),
}  # fmt: skip
SAYS = {
    "language": {"en": "German: 35% of the requests, 1.0% of the training rows.", "tr": "isteklerde %35"},
    "personal_data": {"en": "Above all: e-mail addresses, phone numbers.", "tr": "e-posta adresleri"},
    "length": {"en": "Requests are longer: half of them have more than 240 characters", "tr": "daha uzun"},
    "topic": {"en": "One topic takes more room: 21% of the requests, 0.4%", "tr": "%21"},
    "vocabulary": {"en": "34% of the words never stand in a training row", "tr": "%34"},
    "wording": {"en": "it is right for 83% of the pairs", "tr": "%83"},
    "distance": {"en": "a distance of 0.041", "tr": "0,041"},
    "thumbs_down": {"en": "40% of the feedback is bad; before it was 10%.", "tr": "%40"},
    "refusals": {"en": "The model declines 20% of the requests", "tr": "%20"},
    "confidence": {"en": "The model is less sure of its answers: 61%", "tr": "%61"},
}


def report(*kinds: str, **changes):
    return report_of([FOUND[kind] for kind in kinds], 0.02, {}, **{**COUNTS, **changes})


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", FOUND)
def test_each_kind_is_said_with_its_figures(kind, lang):
    shown = str(drift.shown(report(kind), {}, lang))
    assert SAYS[kind][lang] in shown
    assert drift.name(kind if FOUND[kind].kind == kind else f"quality.{kind}", lang) in shown
    assert "ft-warn" in shown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({**LENGTH, "median": 40.0, "ratio": 0.339}, "Requests are shorter: half of them have fewer than 40"),
        ({**LENGTH, "median": 120.0, "ratio": 1.017}, "about as long as in training (120 and 118"),
        ({**LENGTH, "reference_median": 0.0, "ratio": None}, "Requests are longer"),
    ],
)
def test_length_is_told_by_its_direction(values, said):
    one = FOUND["length"].model_copy(update={"values": values})
    assert said in drift.shown(report_of([one], 0.02, {}, **COUNTS), {}, "en")


def test_languages_that_only_fell_are_another_mix():
    one = FOUND["language"].model_copy(update={"words": ()})
    assert "mixed in another way" in drift.shown(report_of([one], 0.02, {}, **COUNTS), {}, "en")


def test_words_and_requests_that_show_it_stand_below_the_sentence():
    found = report("topic")
    assert drift.examples_of(found) == ["r1", "r2", "gone"]
    shown = str(drift.shown(found, {"r1": "I need a visa", "r2": "My <b>passport</b>"}, "en"))
    assert "<code>visa</code>" in shown
    assert "I need a visa" in shown
    assert "&lt;b&gt;passport" in shown
    assert shown.count("<li>") == 2, "a request that is gone leaves no empty line"


def test_what_did_not_change_is_folded_with_its_p_value():
    steady = FOUND["vocabulary"].model_copy(update={"p": 0.4})
    found = report_of([FOUND["topic"], steady], 0.02, {"quality.refusals": "too_few"}, **COUNTS)
    shown = str(drift.shown(found, {}, "en"))
    assert "differ from the 1,200 training rows in one way" in shown
    assert "<td>0.400</td>" in shown
    assert "Refusals (too few requests of which it is known)" in shown
    assert "190 of 200 requests differ from each other" in shown
    assert "at most 2% of such checks" in shown


def test_a_steady_window_is_good_news():
    steady = [one.model_copy(update={"p": 0.6}) for one in FOUND.values()]
    shown = str(drift.shown(report_of(steady, 0.02, {}, **COUNTS), {}, "en"))
    assert "No drift. The 200 newest requests look like the 1,200 training rows" in shown
    assert "ft-warn" not in shown


@pytest.mark.parametrize("lang", LANGUAGES)
def test_too_little_is_no_finding(lang):
    few = drift.shown(too_few("window", 0.02, **{**COUNTS, "different_requests": 12}), {}, lang)
    assert "12" in few
    assert "ft-info" in few
    rows = drift.shown(too_few("reference", 0.02, **{**COUNTS, "different_reference_rows": 7}), {}, lang)
    assert "7" in rows


def test_chance_is_never_said_to_be_impossible():
    assert "fewer than 0.1% of such windows" in drift.shown(report("topic"), {}, "en")


def test_words_of_users_cannot_write_into_the_page():
    one = FOUND["topic"].model_copy(update={"words": ("<img src=x>",)})
    assert "<img" not in drift.shown(report_of([one], 0.02, {}, **COUNTS), {}, "en")
