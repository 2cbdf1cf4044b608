"""What of a request goes into a check."""

import math

import pytest

from ftkit.monitoring.drift.requests import asked, outcome


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "user", "content": "first"}, {"role": "user", "content": "last"}], "last"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}], "a"),
        ([{"role": "assistant", "content": "no"}], ""),
        ([{"role": "user", "content": None}], ""),
        ([{"role": "user", "content": math.nan}], ""),
        (math.nan, ""),
        (None, ""),
        ("text", ""),
        ([None], ""),
    ],
)
def test_what_a_request_asks(messages, text):
    assert asked(messages) == text


def test_what_became_of_a_request():
    row = {
        "id": "q1",
        "refused": True,
        "confidence": 0.5,
        "feedback": [{"thumb": 1}, {"thumb": None}, {"thumb": -1}],
    }
    assert outcome(row) == {"id": "q1", "down": 1.0, "refused": True, "confidence": 0.5}
    nothing = {"id": "q2", "refused": None, "confidence": math.nan, "feedback": []}
    assert outcome(nothing) == {"id": "q2", "down": None, "refused": None, "confidence": None}
