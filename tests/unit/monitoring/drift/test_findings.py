"""Which findings count together."""

import pytest

from ftkit.monitoring.drift.findings import Finding, explained, holm, report_of


def finding(kind="topic", p=0.001, value=0.3, least=0.05):
    return Finding(kind=kind, statistic="share", value=value, reference=0.1, p=p, least=least)


def test_holm_stops_at_the_first_that_is_not_below():
    assert [below for _, below in holm([0.04, 0.016, 0.03], 0.05)] == [False, True, False]
    assert [below for _, below in holm([0.01, 0.01, 0.01], 0.05)] == [True, True, True]
    assert [below for _, below in holm([0.9], 0.05)] == [False]
    assert holm([], 0.05) == []


def test_thresholds_grow_with_the_rank():
    assert [threshold for threshold, _ in holm([0.3, 0.001], 0.02)] == pytest.approx([0.02, 0.01])


def test_a_certain_difference_that_is_tiny_is_no_drift():
    found = report_of([finding(value=0.12)], 0.02, {}, requests=200)
    assert (found["outcome"], found["cause"]) == ("steady", "")


def test_the_cause_is_what_usually_explains_the_others():
    found = report_of(
        [finding("wording"), finding("language"), finding("length", p=0.5)], 0.02, {}, requests=200
    )
    assert [(line["kind"], line["drifted"]) for line in found["findings"]] == [
        ("language", True),
        ("wording", True),
        ("length", False),
    ]
    assert (found["outcome"], found["cause"], found["requests"]) == ("drift", "language", 200)


def test_what_follows_from_another_is_no_cause():
    found = report_of([finding("topic"), finding("length")], 0.02, {})
    assert explained(found, {"topic": "length"})["cause"] == "length"
    assert explained(found, {})["cause"] == "topic"
