"""From counts to findings, and the report as a page."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from ftkit.data.clean import STEPS
from ftkit.data.health import words
from ftkit.data.health.answers import Balance
from ftkit.data.health.findings import KINDS, Copies, Counted, Tokens, bins, clusters, report
from ftkit.data.health.page import render
from ftkit.data.health.report import HealthReport, Leaks
from ftkit.data.health.tally import Tally, example

NOTHING = clusters([], [])
EVIL = '<script>alert("1")</script>'


def counted(tally: Tally | None = None, **more) -> Counted:
    values = {
        "rows": 100,
        "usable": 100,
        "mapping": {"user": "q", "assistant": "a"},
        "tokens": Tokens("tiny", 64, [10] * 98 + [70, 200], 500),
        "balance": Balance(),
        "copies": Copies(NOTHING, NOTHING),
        "personal": True,
        "grammar_of": 0,
        **more,
    }
    return Counted(tally=tally or Tally(), **values)


def made(tally: Tally | None = None, **more) -> HealthReport:
    return report(counted(tally, **more), 1.0, {}, {})


def kinds(found: HealthReport) -> list[str]:
    return [one.kind for one in found.findings]


def full() -> Tally:
    tally = Tally()
    for place, kind in enumerate(KINDS):
        if kind not in {"language", "skew", "one_label", "nothing_to_learn"}:
            note = "99" if kind in {"too_long", "no_room"} else ""
            tally.add(kind, place, example(place, f"{EVIL} {kind}", note=note), times=2)
    tally.counter("language").update({"en": 90, "tr": 10})
    for number in range(10):
        tally.add("language.tr", number, example(number, "Merhaba"))
    tally.counter("place.email").update({EVIL: 3})
    return tally


def test_nothing_found_is_an_empty_list():
    assert made(tokens=Tokens("tiny", 64, [10] * 100)).findings == ()


def test_the_worst_comes_first_then_the_commonest():
    tally = Tally()
    for kind, count in (("url", 50), ("mojibake", 3), ("refusal", 9), ("personal.secret", 1)):
        for row in range(count):
            tally.add(kind, row)
    assert kinds(made(tally)) == ["personal.secret", "refusal", "mojibake", "url"]


def test_every_step_exists_and_every_kind_has_words_in_both_languages():
    assert {about.step for about in KINDS.values()} - {""} <= set(STEPS)
    assert words.ENGLISH.keys() == words.TURKISH.keys()
    for kind in KINDS:
        for lang in ("en", "tr"):
            told = words.words(lang)
            assert told.text(f"title.{kind}")
            assert told.why(kind)


@pytest.mark.parametrize("lengths", [[], [65, 300]])
def test_a_dataset_of_which_nothing_is_left_is_refused(lengths):
    found = made(tokens=Tokens("tiny", 64, lengths))
    assert kinds(found)[0] == "nothing_to_learn"
    assert found.findings[0].severity == "bad"


def test_skewed_and_single_labels_are_findings():
    balance = Balance()
    for answer in ["yes"] * 99 + ["no"]:
        balance.add(answer)
    (skew,) = made(balance=balance).findings
    assert (skew.kind, skew.detail["share"], skew.detail["value"]) == ("skew", 0.99, "yes")
    single = Balance()
    for _ in range(30):
        single.add("yes")
    assert kinds(made(balance=single)) == ["one_label"]


def test_a_language_beside_the_main_one_is_a_finding_and_a_single_wrong_guess_is_not():
    tally = Tally(counters={"language": Counter({"en": 98, "tr": 8, "la": 1, "": 5})})
    for row in range(8):
        tally.add("language.tr", row)
    tally.add("language.la", 9)
    (language,) = made(tally).findings
    assert (language.count, language.detail) == (8, {"main": "en", "others": {"tr": 8}})


def test_lengths_are_counted_and_cut_into_bins():
    lengths = made().lengths
    assert (lengths.rows, lengths.over, lengths.median, lengths.longest, lengths.tokens) == (
        100,
        2,
        10,
        200,
        1250,
    )
    found = bins([0, 1, 63, 64, 700])
    assert sum(one.rows for one in found) == 5
    assert len(found) <= 33
    assert {one.high - one.low for one in found} == {32}


def test_the_report_survives_json():
    found = made(
        full(),
        copies=Copies(
            clusters([[1, 2]], [example(1, "x")]), NOTHING, leaks=Leaks(split="s", exact=1, near=0)
        ),
    )
    assert HealthReport.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_the_page_says_everything_and_escapes_it(lang):
    found = made(full(), copies=Copies(clusters([[1, 2]], [example(1, EVIL)]), NOTHING))
    html = render(found, EVIL, datetime(2026, 1, 2, tzinfo=UTC), lang)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert f'<html lang="{lang}">' in html
    assert "http" not in html.replace("http-equiv", "")
    for one in found.findings:
        assert words.words(lang).text(f"title.{one.kind}") in html


def test_the_page_without_tokens_and_personal_data_says_so():
    html = render(made(tokens=None, personal=False), "Rows", datetime(2026, 1, 2, tzinfo=UTC))
    assert words.ENGLISH["lengths.none"] in html
    assert words.ENGLISH["not_checked"] in html
    assert words.ENGLISH["no_findings"] in html
