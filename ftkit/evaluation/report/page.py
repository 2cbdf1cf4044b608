"""The report of a run as one self-contained HTML page for people who were not there.

Takes records, curves and measurements as ``ReportData``, gives the page's text. Everything in it that came from a file or
a model is escaped. It reads no store and no file but its own template.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from ftkit.evaluation.report import energy, sections
from ftkit.evaluation.report.charts import Curves, interval_bar, loss_chart
from ftkit.evaluation.report.sections import HealthFacts
from ftkit.evaluation.report.words import Words, words
from ftkit.records import Dataset, Evaluation, Model, Run, Split

EXAMPLES = 12
SIGNIFICANT = 0.05
_SIDES = ("base", "tuned")
_TILES = 4
_SAME = 1e-9
_SMALLEST_P = 0.001
# A JSON field may be called anything; these names are never one of its metrics.
_GENERAL = ("perplexity", "exact_match", "token_f1", "json_valid")
_FIELD_ENDINGS = {"_accuracy": "accuracy", "_macro_f1": "macro_f1", "_token_f1": "field_token_f1"}


@dataclass(frozen=True)
class ReportData:
    """All that the page shows."""

    run: Run
    model: Model | None
    split: Split | None
    dataset: Dataset | None
    training: dict[str, Any]
    curve: Sequence[dict[str, Any]]
    evaluation: Evaluation | None
    measured: dict[str, Any] | None
    samples: Sequence[dict[str, Any]]
    lineage: Sequence[tuple[str, str, str]]
    made_at: datetime
    health: HealthFacts | None = None


class MetricRow(NamedTuple):
    """One line of the table of metrics."""

    name: str
    says: str
    base: str
    tuned: str
    difference: str
    interval: str
    p: str
    bar: Markup
    verdict: str
    tone: str


class ExampleScore(NamedTuple):
    """A category of one example: right or not."""

    name: str
    base: bool
    tuned: bool


class Example(NamedTuple):
    """One row of the examples."""

    row: int
    prompt: str
    reference: str
    base: str
    tuned: str
    base_cut: bool
    tuned_cut: bool
    scores: tuple[ExampleScore, ...]


def render(data: ReportData, language: str = "en") -> str:
    """The page in a language, ``en`` or ``tr``."""
    told = words(language)
    measured = data.measured
    context = {
        "w": told,
        "say": told.say,
        "data": data,
        "chart": loss_chart(Curves.of(data.curve), told),
        "metrics": metric_rows(measured, told) if measured else [],
        "tiles": _tiles(measured, told) if measured else [],
        "fields": _fields(measured, told) if measured else [],
        "examples": examples(data.samples, measured) if measured else [],
        "system": _shared_system(data.samples),
        "left_out": left_out(data, told),
        "heat": _heat,
        "looked": sections.looked(measured, data.evaluation.part if data.evaluation else "", told),
        "forgotten": sections.forgotten(measured, told),
        "lost": sections.lost(measured),
        "names": sections.names(measured, told),
        "energy": sections.energy_lines(energy.estimate(data.training), data.training, told),
    }
    return _template().render(context)


def metric_rows(measured: dict[str, Any], told: Words) -> list[MetricRow]:
    """The table of metrics, each with its interval and what it means."""
    return [_metric_row(metric, measured, told) for metric in measured["difference"]]


def examples(samples: Sequence[dict[str, Any]], measured: dict[str, Any]) -> list[Example]:
    """At most ``EXAMPLES`` rows, evenly spaced."""
    if not samples or measured["skipped"].get("exact_match"):
        return []
    count = min(EXAMPLES, len(samples))
    picked = [samples[index * len(samples) // count] for index in range(count)]
    return [_example(sample, measured) for sample in picked]


def metric_title(metric: str, fields: Sequence[str], told: Words) -> str:
    """A metric's name for a reader."""
    kind, field = _kind(metric, fields)
    return told.say(f"metric.{kind}", field=field)


def _metric_row(metric: str, measured: dict[str, Any], told: Words) -> MetricRow:
    kind, field = _kind(metric, list(measured["fields"]))
    base, tuned = measured["base"][metric], measured["tuned"][metric]
    difference = measured["difference"][metric]
    value, low, high = difference["value"], difference["low"], difference["high"]
    if kind == "perplexity":
        reach = max(abs(number) for number in (value, low or 0, high or 0))
        interval = (
            (told.number(low, 2, sign=True), told.number(high, 2, sign=True)) if low is not None else None
        )
        texts = [told.number(base, 2), told.number(tuned, 2), told.number(value, 2, sign=True)]
    else:
        reach = 1.0
        interval = _points(low, high, told)
        texts = [
            told.percent(base),
            told.percent(tuned),
            told.say("points", value=told.number(100 * value, 1, sign=True)),
        ]
    tone = _tone(value, difference["p"], kind)
    return MetricRow(
        name=told.say(f"metric.{kind}", field=field),
        says=told.say(f"says.{kind}"),
        base=texts[0],
        tuned=texts[1],
        difference=texts[2],
        interval=" … ".join(interval) if interval else "–",
        p=_p(difference["p"], told),
        bar=interval_bar(value, low, high, reach),
        verdict=told.say(f"verdict.{tone}"),
        tone=tone,
    )


def _points(low: float | None, high: float | None, told: Words) -> tuple[str, str] | None:
    if low is None or high is None:
        return None
    return told.number(100 * low, 1, sign=True), told.number(100 * high, 1, sign=True)


def _tone(value: float, p: float | None, kind: str) -> str:
    if abs(value) < _SAME:
        return "same"
    if p is None:
        return "one_row"
    if p >= SIGNIFICANT:
        return "unclear"
    better = value < 0 if kind == "perplexity" else value > 0
    return "better" if better else "worse"


def _p(p: float | None, told: Words) -> str:
    if p is None:
        return "–"
    return f"< {told.number(_SMALLEST_P, 3)}" if p < _SMALLEST_P else told.number(p, 3)


def _kind(metric: str, fields: Sequence[str]) -> tuple[str, str]:
    """``(kind, field)``; the field is empty for metrics of the whole answer."""
    for ending, kind in _FIELD_ENDINGS.items():
        field = metric.removesuffix(ending)
        if metric not in _GENERAL and field in fields and field != metric:
            return kind, field
    return metric, ""


def _tiles(measured: dict[str, Any], told: Words) -> list[MetricRow]:
    """The few metrics that the page begins with: perplexity and the categories, else the whole answer."""
    found = measured["difference"]
    categories = [f"{name}_accuracy" for name in measured["fields"] if f"{name}_accuracy" in found]
    wanted = categories[: _TILES - 1] or ["exact_match", "token_f1"]
    return [_metric_row(metric, measured, told) for metric in [*wanted, "perplexity"] if metric in found]


def _fields(measured: dict[str, Any], told: Words) -> list[dict[str, Any]]:
    """Per category field: one line per value, and the confusion table."""
    tables = []
    for name, field in measured["fields"].items():
        if field["kind"] != "category":
            continue
        right = {side: [counts[i] for i, counts in enumerate(field["confusion"][side])] for side in _SIDES}
        lines = [
            {
                "value": label,
                "rows": sum(field["confusion"]["base"][index]),
                **{f"{side}_right": right[side][index] for side in _SIDES},
                **{f"{side}_f1": told.percent(field["f1"][side][index], 0) for side in _SIDES},
            }
            for index, label in enumerate(field["labels"])
        ]
        tables.append({"name": name, "lines": lines, "confusion": field["confusion"]["tuned"]})
    return tables


def _heat(count: int, line: Sequence[int]) -> int:
    """How strongly a cell is coloured: its share of its line, in percent."""
    return round(100 * count / (sum(line) or 1))


def _example(sample: dict[str, Any], measured: dict[str, Any]) -> Example:
    categories = [name for name, field in measured["fields"].items() if field["kind"] == "category"]
    names = [(name, f"{name}_accuracy") for name in categories] or [("", "exact_match")]
    scores = tuple(
        ExampleScore(name, bool(sample[f"base_{metric}"]), bool(sample[f"tuned_{metric}"]))
        for name, metric in names
        if sample.get(f"tuned_{metric}") is not None
    )
    return Example(
        row=sample["row"] + 1,
        prompt=sample["prompt"],
        reference=sample["reference"],
        base=sample["base_answer"],
        tuned=sample["tuned_answer"],
        base_cut=sample["base_cut"],
        tuned_cut=sample["tuned_cut"],
        scores=scores,
    )


def _shared_system(samples: Sequence[dict[str, Any]]) -> str | None:
    """The system message, where all rows have the same one."""
    found = {sample["system"] for sample in samples}
    return found.pop() if len(found) == 1 else None


def left_out(data: ReportData, told: Words) -> list[str]:
    """Every row, answer and metric that the numbers do not hold, in words."""
    said = []
    if left := data.training.get("rows_left_out"):
        said.append(told.say("left_out.train", count=told.number(left)))
    measured = data.measured
    if measured is None:
        return said
    if measured["left_out"]:
        said.append(told.say("left_out.rows", count=told.number(measured["left_out"])))
        said += [
            told.say("left_out.reason", count=told.number(count), reason=reason)
            for reason, count in measured["left_out_reasons"].items()
        ]
    cut = {side: measured["answers"][side]["cut"] for side in measured["answers"]}
    if any(cut.values()):
        limit = told.number(measured["signature"]["max_new_tokens"])
        said.append(
            told.say("left_out.cut", limit=limit, **{side: told.number(n) for side, n in cut.items()})
        )
    said += [
        told.say("left_out.metric", metric=told.say(f"metric.{metric}"), reason=told.say(f"skipped.{reason}"))
        for metric, reason in measured["skipped"].items()
    ]
    return said


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
