"""Finished benchmarks as lines of a table in the reader's language.

Takes reports, gives texts; page, report and command line show the same. It escapes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ftkit.words import Words

# What stands in place of a verdict: a value that is no mean over rows, and one that is no number.
NOT_PAIRED = "not_paired"
NOT_MEASURED = "not_measured"
_DIGITS = 3
_LARGE = 100  # a perplexity or a count, and no share


class BenchmarkLine(NamedTuple):
    """One metric of one task."""

    task: str
    metric: str
    rows: str
    base: str
    tuned: str
    difference: str
    interval: str
    verdict: str
    tone: str


def benchmark_lines(reports: Iterable[Mapping[str, Any]], told: Words) -> list[BenchmarkLine]:
    """A line for each task and metric; where one was measured more than once the same way, the newest, which comes first."""
    found: dict[tuple[Any, ...], BenchmarkLine] = {}
    for report in reports:
        for line in report["lines"]:
            key = (line["task"], line["metric"], line["filter"], report["limit"], report["chat"])
            found.setdefault(key, _line(line, report, told))
    return list(found.values())


def _line(line: Mapping[str, Any], report: Mapping[str, Any], told: Words) -> BenchmarkLine:
    tone = line["verdict"]
    needed = line["rows_needed"]
    verdict = (
        told.say(f"benchmarks.{tone}")
        if tone in (NOT_PAIRED, NOT_MEASURED)
        else told.say("benchmarks.needed", rows=told.number(needed))
        if tone == "unclear" and needed is not None
        else told.say(f"verdict.{tone}")
    )
    metric = line["metric"] if line["filter"] == "none" else f"{line['metric']} ({line['filter']})"
    rows = told.number(line["rows"])
    ends = (line["low"], line["high"])
    return BenchmarkLine(
        task=told.say("benchmarks.chat", task=line["task"]) if report["chat"] else line["task"],
        metric=metric,
        rows=told.say("benchmarks.first", rows=rows) if report["limit"] is not None else rows,
        base=_value(line["base"], line["base_error"], told),
        tuned=_value(line["tuned"], line["tuned_error"], told),
        difference=_number(line["difference"], told, sign=True),
        interval="–" if None in ends else " … ".join(_number(end, told, sign=True) for end in ends),
        verdict=verdict,
        tone=tone,
    )


def _value(value: float | None, error: float | None, told: Words) -> str:
    """A value with the harness's standard error."""
    shown = _number(value, told)
    return shown if error is None or value is None else f"{shown} ± {_number(error, told)}"


def _number(value: float | None, told: Words, sign: bool = False) -> str:
    if value is None:
        return "–"
    return told.number(value, _DIGITS if abs(value) < _LARGE else 1, sign=sign)
