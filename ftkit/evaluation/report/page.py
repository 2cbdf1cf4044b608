"""The report of a run as one self-contained HTML page for people who were not there.

Takes records, curves and measurements as ``ReportData``, gives the page's text. Everything in it that came from a file or
a model is escaped. It reads no store and no file but its own template.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ftkit.evaluation.benchmarks.lines import benchmark_lines
from ftkit.evaluation.judge.words import judged_facts, verdict_sentence
from ftkit.evaluation.measuring.catalogue import kind_of
from ftkit.evaluation.report import energy, sections
from ftkit.evaluation.report.charts import Curves, loss_chart
from ftkit.evaluation.report.metrics import MetricRow, metric_row, metric_rows, metric_title, other_rows
from ftkit.evaluation.report.sections import HealthFacts, PeopleFacts
from ftkit.evaluation.report.words import looks_sentence, words
from ftkit.records import Dataset, Evaluation, Model, Run, Split
from ftkit.words import Words

EXAMPLES = 12
_SIDES = ("base", "tuned")
_LABEL_COLUMNS = ("value", "rows", "base_right", "tuned_right", "base_f1", "tuned_f1", "precision", "recall")
_TILES = 4


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
    people: PeopleFacts | None = None
    judged: dict[str, Any] | None = None
    benchmarks: Sequence[dict[str, Any]] = ()


class LabelTable(NamedTuple):
    """A category label by label: ``lines`` under ``heads``, and how often each was answered with which (``confusion``)."""

    name: str
    heads: Sequence[str]
    lines: Sequence[Sequence[str]]
    answered: Sequence[str]
    confusion: Sequence[Sequence[int]]
    caption: str
    note: str


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
        "others": other_rows(measured, told) if measured else [],
        "tiles": _tiles(measured, told) if measured else [],
        "fields": label_tables(measured, told) if measured else [],
        "examples": examples(data.samples, measured) if measured else [],
        "system": _shared_system(data.samples),
        "left_out": left_out(data, told),
        "looks": looks_sentence(measured["looks"], told) if measured and "looks" in measured else "",
        "heat": _heat,
        "forgotten": sections.forgotten(measured, told),
        "lost": sections.lost(measured),
        "names": sections.names(measured, told),
        "failures": sections.failures(data.samples, told),
        "judged": judged_facts(data.judged, language, _titles(measured, told)) if data.judged else [],
        "judged_short": verdict_sentence(data.judged, language) if data.judged else "",
        "benchmarks": benchmark_lines(data.benchmarks, told),
        "energy": sections.energy_lines(energy.estimate(data.training), data.training, told),
    }
    return _template().render(context)


def examples(samples: Sequence[dict[str, Any]], measured: dict[str, Any]) -> list[Example]:
    """At most ``EXAMPLES`` rows, evenly spaced."""
    if not samples or samples[0]["tuned_answer"] is None:
        return []
    count = min(EXAMPLES, len(samples))
    picked = [samples[index * len(samples) // count] for index in range(count)]
    return [_example(sample, measured) for sample in picked]


def _tiles(measured: dict[str, Any], told: Words) -> list[MetricRow]:
    """The few metrics that the page begins with: the categories, else what is first among the whole answer, and perplexity."""
    found = measured["difference"]
    categories = [f"{name}_accuracy" for name in measured["fields"] if f"{name}_accuracy" in found]
    judged = [key for key in found if kind_of(key, measured["fields"])[0].direction == "higher"]
    wanted = (categories or judged)[: _TILES - 1]
    return [metric_row(metric, measured, told) for metric in [*wanted, "perplexity"] if metric in found]


def label_tables(measured: Mapping[str, Any], told: Words) -> list[LabelTable]:
    """Per category (the whole answer, or a field): one line per value, and the confusion table."""
    whole = {told.say("fields.whole"): measured.get("classes") or {}}
    return [
        _label_table(name, field, told)
        for name, field in [*whole.items(), *measured["fields"].items()]
        if "labels" in field
    ]


def how_sure(measured: Mapping[str, Any], told: Words) -> list[str]:
    """What intervals and p mean, and exactly how each metric was computed, in paragraphs."""
    said = [told.say("metrics.note")]
    if signatures := measured.get("signatures"):
        said += [told.say("metrics.task", task=told.say(f"task.{measured['task']}")), *signatures.values()]
    return said + not_measured(measured, told)


def _label_table(name: str, field: Mapping[str, Any], told: Words) -> LabelTable:
    """An earlier report has no precision and recall."""
    lines = []
    for index, label in enumerate(field["labels"]):
        counts = {side: field["confusion"][side][index] for side in _SIDES}
        line = [label, told.number(sum(counts["base"]))]
        line += [told.number(counts[side][index]) for side in _SIDES]
        line += [told.percent(field["f1"][side][index], 0) for side in _SIDES]
        for what in ("precision", "recall"):
            line.append(told.percent(field[what]["tuned"][index], 0) if what in field else "–")
        lines.append(line)
    return LabelTable(
        name=name,
        heads=[told.say(f"fields.{key}") for key in _LABEL_COLUMNS],
        lines=lines,
        answered=[*field["labels"], told.say("fields.other")],
        confusion=field["confusion"]["tuned"],
        caption=told.say("fields.confusion"),
        note=told.say("fields.other_note"),
    )


def _titles(measured: dict[str, Any] | None, told: Words) -> dict[str, str]:
    """Names of the metrics for a reader."""
    return {metric: metric_title(metric, measured, told) for metric in measured["tuned"]} if measured else {}


def _heat(count: int, line: Sequence[int]) -> int:
    """How strongly a cell is coloured: its share of its line, in percent."""
    return round(100 * count / (sum(line) or 1))


def _example(sample: dict[str, Any], measured: dict[str, Any]) -> Example:
    categories = [name for name, field in measured["fields"].items() if field["kind"] == "category"]
    whole = next((key for key in ("accuracy", "exact_match") if key in measured["tuned"]), "")
    names = [(name, f"{name}_accuracy") for name in categories] or [("", whole)]
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
    short = sum(facts.get("out_of_context", 0) for facts in measured["answers"].values())
    if short:
        said.append(told.say("left_out.context", count=told.number(short)))
    return said + not_measured(measured, told)


def not_measured(measured: Mapping[str, Any], told: Words) -> list[str]:
    """Metrics that were wanted and could not be measured, or not on all rows, and why."""
    reasons: dict[str, list[str]] = {}
    for metric, reason in measured["skipped"].items():
        reasons.setdefault(reason, []).append(metric_title(metric, measured, told))
    return [
        told.say("left_out.metric", metric=", ".join(names), reason=told.say(f"skipped.{reason}"))
        for reason, names in reasons.items()
    ] + [
        told.say("left_out.not_scored", metric=metric_title(metric, measured, told), count=told.number(count))
        for metric, count in measured.get("not_scored", {}).items()
    ]


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
