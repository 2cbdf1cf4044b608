"""Answers of the window against those before it."""

import math

from ftkit.workers.drift.battery import Chance
from ftkit.workers.drift.quality import Outcomes, compare

CHANCE = Chance(1999, 1)


def rows(count: int, **values):
    """Requests; a value may be a function of the request's number."""
    return [
        {"id": f"r{n}", "down": None, "refused": None, "confidence": None}
        | {name: value(n) if callable(value) else value for name, value in values.items()}
        for n in range(count)
    ]


def test_more_thumbs_down_are_found_with_their_requests():
    window = rows(60, down=lambda n: float(n % 2 == 0))
    earlier = rows(300, down=lambda n: float(n % 20 == 0))
    (found,), left = compare(Outcomes(window, earlier), CHANCE)
    assert (found.kind, found.statistic, found.value, found.reference) == (
        "quality",
        "thumbs_down",
        0.5,
        0.05,
    )
    assert found.p < 0.002
    assert found.matters
    assert all(int(id_[1:]) % 2 == 0 for id_ in found.examples)
    assert left == {"quality.refusals": "too_few", "quality.confidence": "too_few"}


def test_fewer_thumbs_down_are_no_drift():
    (found,), _ = compare(Outcomes(rows(60, down=0.0), rows(300, down=lambda n: float(n % 4 == 0))), CHANCE)
    assert found.p > 0.9


def test_less_certainty_is_found():
    window = rows(100, confidence=lambda n: 0.5 + (n % 7) / 100)
    earlier = rows(200, confidence=lambda n: 0.8 + (n % 7) / 100)
    (found,), _ = compare(Outcomes(window, earlier), CHANCE)
    assert (found.statistic, found.matters) == ("confidence", True)
    assert found.p < 0.002


def test_what_is_no_number_is_not_known():
    window = rows(100, confidence=math.nan, refused=False)
    found, left = compare(Outcomes(window, rows(200, confidence=0.8, refused=False)), CHANCE)
    assert [(one.statistic, one.p) for one in found] == [("refusals", 1.0)]
    assert left["quality.confidence"] == "too_few"
