"""The metrics of an evaluation in words: each with its values, its difference, how sure it is, and what that means.

Takes the measured part of a report and a language, gives plain text and small drawings for the report, the evaluate page
and the command line. It computes no metric.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from ftkit.evaluation.measuring.catalogue import FIELDS, Metric, Unit, kind_of
from ftkit.evaluation.report.charts import interval_bar
from ftkit.words import Words

_SMALLEST_P = 0.001
# What a report without verdicts, of an earlier version, is read by.
_SIGNIFICANT = 0.05
_SAME = 1e-9


class MetricRow(NamedTuple):
    """One line of the table of metrics. ``tone`` is the verdict's key, ``verdict`` a word, ``sentence`` all of it."""

    name: str
    says: str
    base: str
    tuned: str
    base_interval: str
    tuned_interval: str
    difference: str
    interval: str
    p: str
    bar: Markup
    verdict: str
    sentence: str
    tone: str


def metric_rows(measured: Mapping[str, Any], told: Words) -> list[MetricRow]:
    """The table of metrics, tuned against base."""
    return [metric_row(metric, measured, told) for metric in measured["difference"]]


def other_rows(measured: Mapping[str, Any], told: Words) -> list[tuple[str, list[MetricRow]]]:
    """Per further run its name and its table, in which it stands as ``tuned`` and the evaluated run as ``base``."""
    found = []
    for run, other in measured.get("others", {}).items():
        intervals = measured.get("intervals", {})
        pair = {
            **measured,
            "base": measured["tuned"],
            "tuned": other["metrics"],
            "difference": other["against_tuned"],
            "intervals": {"base": intervals.get("tuned", {}), "tuned": intervals.get(run, {})},
        }
        found.append((other["name"], metric_rows(pair, told)))
    return found


def metric_row(metric: str, measured: Mapping[str, Any], told: Words) -> MetricRow:
    """One metric, tuned against base."""
    kind, field = kind_of(metric, measured["fields"])
    difference = measured["difference"][metric]
    value, low, high, p = (difference[key] for key in ("value", "low", "high", "p"))
    tone = _tone(difference, kind)
    spans = {side: _span(measured.get("intervals", {}).get(side, {}).get(metric), told) for side in _SIDES}
    says = told.say(f"says.{kind.key}")
    if (of_references := measured.get("reference", {}).get(metric)) is not None:
        says += " " + told.say("says.reference", value=_level(of_references, kind.unit, told))
    if (commonest := _commonest(kind, field, measured)) is not None:
        says += " " + told.say("says.commonest", value=told.percent(commonest))
    return MetricRow(
        name=told.say(f"metric.{kind.key}", field=field),
        says=says,
        base=_level(measured["base"][metric], kind.unit, told),
        tuned=_level(measured["tuned"][metric], kind.unit, told),
        base_interval=spans["base"],
        tuned_interval=spans["tuned"],
        difference=gap(value, kind.unit, told, unit=True),
        interval=interval(low, high, kind.unit, told),
        p=_p(difference.get("p_adjusted", p), told),
        bar=interval_bar(value, low, high, _reach(kind.unit, value, low, high)),
        verdict=told.say(f"verdict.{tone}"),
        sentence=_sentence(tone, difference, _rows(metric, measured), told, _gap_of(kind.unit, told)),
        tone=tone,
    )


def sentence(metric: str, measured: Mapping[str, Any], told: Words) -> str:
    """One plain sentence about a metric, tuned against base, in the numbers of the JSON: “better: +0.31 accuracy, …”."""
    kind, _ = kind_of(metric, measured["fields"])
    difference = measured["difference"][metric]

    def plain(value: float, unit: bool = False) -> str:
        text = told.number(value, 3 if kind.unit == "share" else 2, sign=True)
        return f"{text} {metric}" if unit else text

    return _sentence(_tone(difference, kind), difference, _rows(metric, measured), told, plain)


def metric_title(metric: str, measured: Mapping[str, Any], told: Words) -> str:
    """A metric's name for a reader."""
    if metric == FIELDS:
        return told.say("metric.fields")
    kind, field = kind_of(metric, measured["fields"])
    return told.say(f"metric.{kind.key}", field=field)


_SIDES = ("base", "tuned")


def _sentence(tone: str, difference: Mapping[str, Any], rows: int, told: Words, say_gap: Any) -> str:
    key = tone
    if tone == "unclear":
        if difference.get("rows_needed") is None:
            key = "unclear_small"
        elif difference["p"] < _SIGNIFICANT:
            key = "unclear_together"
    ends = {end: say_gap(difference[end]) if difference[end] is not None else "–" for end in ("low", "high")}
    return told.say(
        f"sentence.{key}",
        value=say_gap(difference["value"], unit=True),
        rows=told.number(rows),
        needed=told.number(difference.get("rows_needed") or 0),
        **ends,
    )


def _tone(difference: Mapping[str, Any], kind: Metric) -> str:
    if "verdict" in difference:
        return str(difference["verdict"])
    value, p = difference["value"], difference["p"]
    if abs(value) < _SAME:
        return "same"
    if p is None:
        return "one_row"
    if p >= _SIGNIFICANT:
        return "unclear"
    return "better" if (value > 0) == (kind.direction == "higher") else "worse"


def _commonest(kind: Metric, field: str, measured: Mapping[str, Any]) -> float | None:
    """What a model would get that always gives the commonest label: the yardstick of an accuracy."""
    if not kind.key.endswith("accuracy"):
        return None
    labels = measured["fields"].get(field) if field else measured.get("classes")
    if not labels or "confusion" not in labels:
        return None
    wanted = [sum(line) for line in labels["confusion"]["base"]]
    return max(wanted) / sum(wanted) if sum(wanted) else None


def _rows(metric: str, measured: Mapping[str, Any]) -> int:
    return int(measured.get("metric_rows", {}).get(metric, measured.get("rows", 0)))


def _level(value: float, unit: Unit, told: Words) -> str:
    if unit == "share":
        return told.percent(value)
    return told.number(value, 2 if unit == "ratio" else 1)


def _gap_of(unit: Unit, told: Words) -> Any:
    def say_gap(value: float, **more: bool) -> str:
        return gap(value, unit, told, **more)

    return say_gap


def interval(low: float | None, high: float | None, unit: Unit, told: Words) -> str:
    """The ends of an interval of a difference; a dash where there is none."""
    return "–" if low is None or high is None else f"{gap(low, unit, told)} … {gap(high, unit, told)}"


def gap(value: float, kind: Unit, told: Words, unit: bool = False) -> str:
    """A difference; of shares in points of a hundred."""
    if kind == "share":
        text = told.number(100 * value, 1, sign=True)
        return told.say("points", value=text) if unit else text
    return told.number(value, 2 if kind == "ratio" else 1, sign=True)


def _span(ends: Any, told: Words) -> str:
    return " … ".join(told.percent(end, 0) for end in ends) if ends else ""


def _reach(unit: Unit, value: float, low: float | None, high: float | None) -> float:
    """How far the drawing goes to either side of zero."""
    whole = {"share": 1.0, "points": 100.0}.get(unit)
    return whole or max(abs(number) for number in (value, low or 0, high or 0))


def _p(p: float | None, told: Words) -> str:
    if p is None:
        return "–"
    return f"< {told.number(_SMALLEST_P, 3)}" if p < _SMALLEST_P else told.number(p, 3)
