"""Figures of the traffic, and what is said where there are too few."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkit.monitoring.traffic.summary import Summary, percentile, summarise
from tests.monitored import NOON


def row(minutes: float = 0, **values: Any) -> dict[str, Any]:
    told = {
        "at": NOON + timedelta(minutes=minutes),
        "version": "v1",
        "status": 200,
        "error": None,
        "prompt_tokens": 10,
        "answer_tokens": 5,
        "first_token_seconds": 0.1,
        "seconds": 0.5,
        "finish": "stop",
        "confidence": None,
        "refused": False,
        "personal": None,
    }
    return {**told, **values}


def counted(
    rows: list[dict[str, Any]], said: list[dict[str, Any]] | None = None, hours: float = 3
) -> Summary:
    return summarise(rows, said or [], NOON, NOON + timedelta(hours=hours))


def test_nothing_is_no_zero_percent() -> None:
    found = counted([])
    assert (found.requests, found.failed.share, found.latency.p50, found.confidence, found.rating) == (
        0,
        *[None] * 4,
    )
    assert found.series == ()
    assert set(found.too_few) == {"failed", "latency", "first_token", "refused", "thumbs_down"}


def test_each_request_counts_where_it_belongs() -> None:
    failed = {"answer_tokens": None, "first_token_seconds": None, "finish": None, "refused": None}
    rows = [
        row(n, seconds=n / 10, refused=n < 2, personal={"email": 3} if n < 3 else {}) for n in range(1, 21)
    ]
    rows += [row(70, status=429, error="limited", **failed), row(71, status=500, **failed)]
    rows += [row(72, finish="cancelled", seconds=99, refused=None), row(73, finish="length", confidence=0.5)]
    said = [
        {"at": NOON, "thumb": 1, "rating": None, "corrected": False},
        {"at": NOON, "thumb": -1, "rating": 2, "corrected": True},
    ]
    found = counted(rows, said)
    assert (found.requests, found.failed.count, found.failed.of, found.cancelled, found.cut) == (
        24,
        2,
        24,
        1,
        1,
    )
    assert found.failed.low is not None
    assert found.failed.low < 2 / 24 < (found.failed.high or 0)
    assert found.errors == {"limited": 1, "500": 1}
    assert (found.latency.of, found.latency.p50, found.latency.p95) == (
        21,
        pytest.approx(1.0),
        pytest.approx(1.9),
    )
    assert (found.refused.count, found.refused.of) == (1, 21)
    assert (found.personal, found.masked) == ({"email": 2}, 20)
    assert (found.prompt_tokens, found.answer_tokens, found.tokens_unknown) == (240, 110, 0)
    assert (found.up, found.down, found.rating, found.ratings, found.corrections) == (1, 1, 2, 1, 1)
    assert found.too_few == ("thumbs_down",)
    assert [(point.requests, point.failed, point.up, point.down) for point in found.series] == [
        (20, 0, 1, 1),
        (4, 2, 0, 0),
        (0, 0, 0, 0),
    ]


def test_long_spans_are_told_by_the_day() -> None:
    found = counted([row(0), row(60 * 24 * 4)], hours=24 * 5)
    assert found.step == "day"
    assert [point.requests for point in found.series] == [1, 0, 0, 0, 1, 0]


@given(st.lists(st.floats(0, 100), min_size=1), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9
