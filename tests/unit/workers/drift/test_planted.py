"""Show 4: windows without drift raise hardly any alarm, and planted drifts are found and named."""

import time
from collections import Counter
from functools import cache
from typing import Any

import pytest

from ftkit.workers.drift.comparing import compare
from tests import drifting
from tests.drifting import PLANTED, Draw

ALPHA = 0.02


def report(draw: Draw, seed: int = 42, alpha: float = ALPHA):
    return compare(draw.asked, draw.reference, alpha, seed)


@cache
def planted(kind: str, seed: int = 1) -> dict[str, Any]:
    """Made once; nobody changes it."""
    return report(PLANTED[kind](seed), seed)


def drifted(found) -> dict[str, dict]:
    return {line["kind"]: line for line in found["findings"] if line["drifted"]}


def false_alarms(windows: int, size: int, sample: str = "ticket-triage", most: int = 10_000) -> Counter[str]:
    found = Counter[str]()
    for seed in range(windows):
        told = report(drifting.nothing(seed, size, sample, most), seed)
        found["alarms"] += told["outcome"] == "drift"
        found.update(line["kind"] for line in told["findings"] if line["p"] <= 0.05)
        assert told["outcome"] in {"steady", "drift"}
    return found


@pytest.mark.timeout(900)  # half a minute of one core, on whatever is left of it
def test_windows_of_the_same_source_raise_hardly_an_alarm():
    assert false_alarms(30, size=50, most=90)["alarms"] <= 1


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("size", "sample", "most"),
    [(200, "ticket-triage", 10_000), (50, "house-voice-en", 10_000), (50, "house-voice-tr", 10_000)],
)
def test_of_200_windows_at_most_one_in_20_raises_an_alarm(size, sample, most):
    found = false_alarms(200, size, sample, most)
    assert found.pop("alarms") <= 10
    # No single test hides behind the correction for their number: 200 windows, of which 1 in 20 may be below 0.05.
    assert all(count <= 22 for count in found.values()), found


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_drift_is_found_and_named(kind):
    found = planted(kind)
    assert (found["outcome"], found["cause"]) == ("drift", kind)
    line = found["findings"][0]
    assert line["kind"] == kind
    assert line["p"] <= line["threshold"] <= ALPHA
    assert line["follows"] == ""


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_drift_is_found_and_named_each_time(kind):
    causes = Counter(planted(kind, seed)["cause"] for seed in range(25))
    assert causes[kind] >= 24, causes


def test_another_language_has_its_code_and_explains_its_words():
    found = drifted(planted("language"))
    assert found["language"]["words"] == ["tr"]
    assert found["language"]["value"] > 0.95 > 0.05 > found["language"]["reference"]
    assert {"vocabulary", "wording"} <= found.keys()
    assert all(line["follows"] == "language" for kind, line in found.items() if kind != "language")


def test_a_new_topic_has_the_words_that_tell_it():
    draw = drifting.new_topic(1)
    found = drifted(planted("topic"))["topic"]
    assert {"saturn", "telescope"} & set(found["words"])
    assert found["value"] > 0.05 > 0.02 > found["reference"]
    texts = dict(draw.asked)
    assert all(texts[id_] in drifting.SKY for id_ in found["examples"][:5])


def test_personal_data_has_its_kinds_and_is_in_no_word():
    found = planted("personal_data")
    line = found["findings"][0]
    assert set(line["words"]) == {"email", "phone"}
    assert line["value"] == pytest.approx(0.3, abs=0.02)
    assert "example.org" not in str(found)
    assert "532" not in str([line["words"] for line in found["findings"]])


def test_longer_prompts_say_how_much_longer():
    values = planted("length")["findings"][0]["values"]
    assert values["ratio"] == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("window", [[], [("a", "")] * 300, [(f"r{n}", "  \n") for n in range(300)]])
def test_an_empty_window_is_no_alarm(window):
    found = compare(window, drifting.texts(), ALPHA, 1)
    assert (found["outcome"], found["reason"], found["findings"]) == ("too_few", "window", [])


def test_the_same_words_again_and_again_are_one_request():
    window = [(f"r{n}", f"WHERE is my   parcel {n % 5}") for n in range(500)]
    found = compare(window, drifting.texts(), ALPHA, 1)
    assert (found["outcome"], found["different_requests"]) == ("too_few", 5)


def test_few_training_rows_are_no_alarm():
    found = compare(drifting.nothing(1).asked, drifting.texts()[:20], ALPHA, 1)
    assert (found["outcome"], found["reason"]) == ("too_few", "reference")


def test_prompts_without_words_are_compared_by_what_they_have():
    window = [(f"r{n}", f"{n} + {n}") for n in range(60)]
    found = compare(window, [f"{n} - {n}" for n in range(100, 200)], ALPHA, 1)
    assert found["not_tested"] == {
        "language": "untold",
        "vocabulary": "no_words",
        **dict.fromkeys(("topic", "wording", "distance"), "no_words"),
    }
    assert {line["kind"] for line in found["findings"]} == {"length", "personal_data"}


def test_the_same_texts_and_seed_give_the_same_report():
    draw = drifting.new_topic(2, size=60)
    assert report(draw) == report(draw)


def test_a_window_against_many_training_rows_takes_seconds():
    reference = [
        f"{one} {other}" for one in drifting.texts() for other in ("please", "thanks", "bye", *"abcdef")
    ]
    draw = drifting.nothing(1)
    began = time.process_time()
    found = compare(draw.asked, reference, ALPHA, 1)
    assert found["different_reference_rows"] == 5000
    assert time.process_time() - began < 20
