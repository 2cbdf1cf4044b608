"""What the verdicts of a judge add up to: who won, how sure that is, whether place decided, and what failed.

Takes the rows that were to be judged and the lines of ``verdicts.jsonl``, gives the report. A failure is counted by its kind and is
no verdict: it makes the coverage smaller and nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ftkit.evaluation.judge.agreement import metric_verdicts
from ftkit.evaluation.judge.rubric import ORDERS, Order, side_of
from ftkit.statistics import agreement, agreement_by_row

Line = Mapping[str, Any]
Outcome = Literal["tuned", "base", "tie", "inconsistent"]
FAILURES = (
    "timeout",
    "server_error",
    "rate_limited",
    "unreachable",
    "rejected",
    "malformed",
    "refused",
    "too_long",
    "over_cap",
)
SAME = "same"  # instead of an order: both answers are equal, so that nobody needs to be asked
_HALF = 0.5


class Call(NamedTuple):
    """One verdict to be asked for."""

    row: int
    order: Order


def newest(lines: Iterable[Line]) -> dict[tuple[int, str], Line]:
    """The line that counts for each row and order: a verdict before any failure, else the last one."""
    found: dict[tuple[int, str], Line] = {}
    for line in lines:
        key = (int(line["row"]), str(line["order"]))
        if key not in found or "failure" in found[key]:
            found[key] = line
    return found


def pending(rows: Iterable[int], lines: Iterable[Line]) -> list[Call]:
    """Verdicts that are not there yet, failed ones among them, in the order of the rows."""
    known = newest(lines)
    return [
        Call(row, order)
        for row in rows
        if (row, SAME) not in known
        for order in ORDERS
        if "failure" in known.get((row, order), {"failure": ""})
    ]


def outcomes(rows: Iterable[int], lines: Iterable[Line]) -> dict[int, Outcome]:
    """The outcome of each row that is judged; a winner only where both orders name it."""
    known = newest(lines)
    found: dict[int, Outcome] = {}
    for row in rows:
        if (row, SAME) in known:
            found[row] = "tie"
            continue
        sides = _sides(row, known)
        if sides is not None:
            found[row] = sides[0] if sides[0] == sides[1] else "inconsistent"  # type: ignore[assignment]
    return found


def as_verdicts(found: Mapping[int, Outcome]) -> dict[int, str]:
    """Outcomes as verdicts of one rater: an inconsistent one is a tie."""
    return {row: "tie" if outcome == "inconsistent" else outcome for row, outcome in found.items()}


def report_of(
    inputs: Mapping[str, Any], lines: Sequence[Line], samples: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The report of a judgement as it stands, from its ``inputs.json`` and its lines."""
    options = inputs["options"]
    judge = {name: options[name] for name in ("model", "endpoint", "rubric", "language", "max_tokens")}
    return {
        "judge": judge,
        "evaluation": inputs["evaluation_id"],
        "left_out": inputs["left_out"],
        **summarise(inputs["rows"], lines, samples),
    }


def summarise(
    rows: Sequence[int], lines: Sequence[Line], samples: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The report of a judgement.

    Args:
        rows: those that were to be judged.
        lines: of ``verdicts.jsonl``, in their order.
        samples: of the evaluation, for the agreement with its metrics.
    """
    known, found = newest(lines), outcomes(rows, lines)
    count = Counter(found.values())
    same = sum((row, SAME) in known for row in rows)
    wins = {side: count[side] for side in ("tuned", "base")}
    failed = [
        known[key]
        for row in rows
        for key in ((row, order) for order in ORDERS)
        if "failure" in known.get(key, {})
    ]
    return {
        "rows": len(rows),
        "judged": len(found),
        "coverage": len(found) / len(rows) if rows else None,
        "failed_rows": len({line["row"] for line in failed}),
        "outcomes": {
            **wins,
            "tie": count["tie"],
            "inconsistent": count["inconsistent"],
            "same_answers": same,
        },
        **_win_rate(wins["tuned"], wins["base"]),
        "position": _position(rows, known),
        "failures": _failures(failed),
        "tokens": _tokens(lines),
        "agreement": {
            "orders": agreement(pair for row in rows if (pair := _sides(row, known)) is not None).as_dict(),
            "metrics": _with_metrics(found, samples),
        },
    }


def _sides(row: int, known: Mapping[tuple[int, str], Line]) -> tuple[str, str] | None:
    """Whom a row's two orders prefer, where both have a verdict."""
    lines = [known.get((row, order), {"failure": ""}) for order in ORDERS]
    if any("failure" in line for line in lines):
        return None
    first, second = (side_of(line["choice"], order) for line, order in zip(lines, ORDERS, strict=True))
    return first, second


def _win_rate(tuned: int, base: int) -> dict[str, Any]:
    """Share of the decided rows that the tuned model won: Wilson's interval, and the exact test against one half."""
    decided = tuned + base
    if not decided:
        return {"decided": 0, "win_rate": None, "p": None, "verdict": "undecided"}
    from scipy.stats import binomtest  # noqa: PLC0415 - most of a second that only a judgement need pay

    test = binomtest(tuned, decided)
    interval = test.proportion_ci(0.95, method="wilson")
    low, high = float(interval.low), float(interval.high)
    verdict = "better" if low > _HALF else "worse" if high < _HALF else "unclear"
    rate = {"value": tuned / decided, "low": low, "high": high}
    return {"decided": decided, "win_rate": rate, "p": float(test.pvalue), "verdict": verdict}


def _position(rows: Iterable[int], known: Mapping[tuple[int, str], Line]) -> dict[str, Any]:
    """How often the judge chose the same place in both orders, whoever stood there."""
    choices = [
        tuple(known[row, order]["choice"] for order in ORDERS)
        for row in rows
        if _sides(row, known) is not None
    ]
    first, second = choices.count(("A", "A")), choices.count(("B", "B"))
    rate = (first + second) / len(choices) if choices else None
    return {"rows": len(choices), "first": first, "second": second, "rate": rate}


def _failures(failed: Sequence[Line]) -> dict[str, int]:
    """Verdicts that failed, by kind; one row may fail in both orders."""
    count = Counter(str(line["failure"]) for line in failed)
    return {kind: count[kind] for kind in FAILURES if count[kind]}


def _tokens(lines: Sequence[Line]) -> dict[str, int]:
    """Tokens as the judge reported them, failed attempts included where they were reported."""
    told = [line for line in lines if line.get("prompt_tokens") is not None]
    return {
        "calls": sum(line["order"] != SAME for line in lines),
        "calls_with_usage": len(told),
        "prompt": sum(int(line["prompt_tokens"]) for line in told),
        "completion": sum(int(line.get("completion_tokens") or 0) for line in told),
    }


def _with_metrics(found: Mapping[int, Outcome], samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Agreement with each automatic metric, on the rows that both have decided."""
    decided = {row: outcome for row, outcome in found.items() if outcome in ("tuned", "base")}
    agreements = {
        metric: agreement_by_row(decided, verdicts) for metric, verdicts in metric_verdicts(samples).items()
    }
    return {metric: one.as_dict() for metric, one in agreements.items() if one.rows}
