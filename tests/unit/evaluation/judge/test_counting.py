from typing import Any

import pytest
from scipy.stats import norm

from ftkit.evaluation.judge.counting import Call, newest, outcomes, pending, summarise
from ftkit.evaluation.judge.words import ENGLISH, TURKISH, judged_facts, verdict_sentence

FIRST, SECOND = "base_first", "tuned_first"


def line(row: int, order: str, choice: str) -> dict[str, Any]:
    return {
        "row": row,
        "order": order,
        "choice": choice,
        "reason": "r",
        "prompt_tokens": 10,
        "completion_tokens": 2,
    }


def failure(row: int, order: str, kind: str = "timeout") -> dict[str, Any]:
    return {"row": row, "order": order, "failure": kind, "detail": "d"}


def both(row: int, first: str, second: str) -> list[dict[str, Any]]:
    return [line(row, FIRST, first), line(row, SECOND, second)]


def wins(tuned: int, base: int) -> list[dict[str, Any]]:
    return [
        one
        for row in range(tuned + base)
        for one in (both(row, "B", "A") if row < tuned else both(row, "A", "B"))
    ]


def test_a_winner_needs_both_orders() -> None:
    lines = [
        *both(0, "B", "A"),
        *both(1, "A", "B"),
        *both(2, "tie", "tie"),
        *both(3, "A", "A"),
        *both(4, "B", "tie"),
    ]
    lines += [line(5, FIRST, "A"), failure(5, SECOND), {"row": 6, "order": "same"}]
    assert outcomes(range(8), lines) == {
        0: "tuned",
        1: "base",
        2: "tie",
        3: "inconsistent",
        4: "inconsistent",
        6: "tie",
    }
    report = summarise(list(range(8)), lines)
    assert report["outcomes"] == {"tuned": 1, "base": 1, "tie": 2, "inconsistent": 2, "same_answers": 1}
    assert (report["rows"], report["judged"], report["coverage"]) == (8, 6, 0.75)
    assert (report["failed_rows"], report["failures"]) == (1, {"timeout": 1})
    assert report["position"] == {"rows": 5, "first": 1, "second": 0, "rate": 0.2}


def test_the_interval_is_wilsons() -> None:
    report = summarise(list(range(20)), wins(15, 5))
    z, n, share = norm.ppf(0.975), 20, 0.75
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    spread = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5 / (1 + z**2 / n)
    assert report["win_rate"] == pytest.approx(
        {"value": share, "low": centre - spread, "high": centre + spread}
    )
    assert report["verdict"] == "better"
    assert summarise(list(range(20)), wins(5, 15))["verdict"] == "worse"
    assert summarise(list(range(4)), wins(2, 2))["verdict"] == "unclear"


def test_failures_are_no_zeros() -> None:
    seven = summarise(list(range(7)), wins(7, 0))
    ten = summarise(
        list(range(10)),
        [*wins(7, 0), *(failure(row, order, "malformed") for row in (7, 8, 9) for order in (FIRST, SECOND))],
    )
    assert ten["coverage"] == 0.7
    assert ten["failures"] == {"malformed": 6}
    for name in ("win_rate", "decided", "p", "verdict", "outcomes", "position"):
        assert ten[name] == seven[name]
    nothing = summarise([1], [failure(1, FIRST), failure(1, SECOND)])
    assert (nothing["win_rate"], nothing["p"], nothing["verdict"]) == (None, None, "undecided")


def test_only_what_has_no_verdict_is_asked_for() -> None:
    lines = [
        line(0, FIRST, "A"),
        failure(0, SECOND),
        failure(1, FIRST),
        line(1, FIRST, "B"),
        {"row": 2, "order": "same"},
    ]
    assert pending([0, 1, 2, 3], lines) == [Call(0, SECOND), Call(1, SECOND), Call(3, FIRST), Call(3, SECOND)]
    late = newest([line(0, FIRST, "A"), failure(0, FIRST), line(0, FIRST, "B")])
    assert late[0, FIRST]["choice"] == "A", "a verdict stands"


def test_the_judge_is_compared_with_the_metrics() -> None:
    samples = [
        {
            "row": row,
            "base_exact_match": 0.0,
            "tuned_exact_match": match,
            "base_nll": 1.0,
            "tuned_nll": 2.0,
            "tuned_answer": "x",
        }
        for row, match in enumerate([1.0, 1.0, 0.0, None])
    ]
    agreements = summarise(list(range(4)), wins(1, 3), samples)["agreement"]
    assert agreements["orders"] == {"rows": 4, "share": 1.0, "kappa": 1.0, "meaning": "almost_perfect"}
    assert agreements["metrics"] == {
        "exact_match": {"rows": 2, "share": 0.5, "kappa": 0.0, "meaning": "none"}
    }


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_report_is_said_whole_in_both_languages(language: str) -> None:
    judge = {"model": "big", "endpoint": "https://api.example.com/v1"}
    lines = [*wins(6, 2), failure(8, FIRST), failure(8, SECOND, "server_error")]
    samples = [{"row": row, "base_exact_match": 0.0, "tuned_exact_match": 1.0} for row in range(9)]
    for report in (summarise(list(range(9)), lines, samples), summarise([1], []), summarise([], [])):
        facts = judged_facts({"judge": judge, "left_out": 3, **report}, language, {"exact_match": "EM"})
        assert all(fact.name and fact.value for fact in facts)
        assert verdict_sentence(report, language)
        assert "api.example.com" in facts[0].value
    assert ENGLISH.keys() == TURKISH.keys()
