"""All metrics of one evaluation: the value of every model, the difference of any two, and the tables by label.

Takes scored samples and a plan, gives what ``report.json`` holds of them. Values come from the metrics in ``metrics/``,
intervals from ``evaluation/measuring``.
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import evaluate
import numpy as np

from ftkit.evaluation.measuring import corpus
from ftkit.evaluation.measuring.catalogue import METRICS, kind_of
from ftkit.evaluation.measuring.certainty import (
    accuracy_difference,
    mean_difference,
    perplexity_difference,
)
from ftkit.evaluation.measuring.corpus import Average
from ftkit.evaluation.measuring.resampling import Numbers
from ftkit.evaluation.measuring.scores import Field, answer_label, field_labels, label_names
from ftkit.statistics import wilson
from ftkit.workers.evaluation.metrics.base import TextMetric, mean, own_signature
from ftkit.workers.evaluation.metrics.labels import NO_LABEL, Labels, confusion, f1_signature, label_spellings
from ftkit.workers.evaluation.metrics.likelihood import Perplexity
from ftkit.workers.evaluation.metrics.overlap import Bleu, Chrf, bleu_parts, chrf_parts
from ftkit.workers.evaluation.metrics.texts import Distinct, Distinct1, Distinct2
from ftkit.workers.evaluation.plan import ROW_METRICS, Plan, Samples

_CORPUS: Mapping[str, type[TextMetric]] = {
    "bleu": Bleu,
    "chrf": Chrf,
    "distinct_1": Distinct1,
    "distinct_2": Distinct2,
}
_DISTINCT: Mapping[str, type[Distinct]] = {"distinct_1": Distinct1, "distinct_2": Distinct2}
_AVERAGES: Mapping[str, Average] = {"macro_f1": "macro", "micro_f1": "micro"}
# Metrics of an answer alone: what the references themselves score says what to expect.
_ALONE = ("length", "distinct_1", "distinct_2", "refusal_rate")
_MOST_CLASSES = 50  # a wider table is not read
_OF_LABELS = ("accuracy", *_AVERAGES)
WHOLE = ""  # the whole answer, where else a field is named


class Measures:
    """What every side scores over the same rows."""

    def __init__(self, samples: Samples, sides: Sequence[str], plan: Plan, seed: int, scratch: Path) -> None:
        """Look which rows each metric has.

        Args:
            samples: with the scores of all sides.
            sides: names of the models.
            plan: what is measured.
            seed: of the resampling; each metric draws from its own stream.
            scratch: folder for what ``evaluate`` insists on making.
        """
        self._samples, self._sides, self._plan = samples, sides, plan
        self._seed, self._scratch = seed, scratch
        self._rows: dict[str, list[int]] = {}
        self.not_scored: dict[str, int] = {}
        self.skipped: dict[str, str] = {}
        for key in self._row_keys:
            self._find_rows(key)

    @property
    def metric_rows(self) -> dict[str, int]:
        """How many rows each metric was measured on."""
        return {key: len(self._rows.get(self._rows_of(key), self._samples)) for key in self._keys}

    def values(self, side: str) -> dict[str, float]:
        """Every metric of one side."""
        return {key: self._value(side, key) for key in self._keys}

    def intervals(self, side: str) -> dict[str, list[float]]:
        """Wilson's interval of each metric that is a share of rows."""
        found = {}
        for key in self._keys:
            if kind_of(key, self._names)[0].yes_or_no:
                scores = self._column(side, key)
                found[key] = list(wilson(float(scores.mean()), len(scores)))
        return found

    def differences(self, first: str, second: str) -> dict[str, dict[str, Any]]:
        """Every metric of the second side against the first."""
        return {key: self._difference(first, second, key) for key in self._keys}

    def of_references(self) -> dict[str, float]:
        """What the references score in the metrics that look at an answer alone."""
        wanted = [key for key in _ALONE if key in self._plan.metrics]
        texts = self._plan.references
        return {key: self._compute({**ROW_METRICS, **_CORPUS}[key], texts, texts)[key] for key in wanted}

    def fields(self) -> dict[str, dict[str, Any]]:
        """Each JSON field with its labels, how often each was right, and the confusion."""
        found: dict[str, dict[str, Any]] = {}
        for field in self._plan.fields:
            missing = {side: self._labels[side, field.name].count(NO_LABEL) for side in self._sides}
            rows = len(self._rows[field.metrics[0]])
            found[field.name] = {"kind": field.kind, "rows": rows, "missing": missing}
            if field.kind == "category":
                names = dict(zip(field.labels, label_names(field.labels), strict=True))
                found[field.name] |= self._table(field.name, names)
        return found

    def classes(self) -> dict[str, Any] | None:
        """The same for whole answers as labels; None where that was not measured, or where the labels are too many."""
        spellings = label_spellings(self._plan.references)
        if not set(_OF_LABELS) & set(self._plan.metrics) or len(spellings) > _MOST_CLASSES:
            return None
        other = {
            side: sum(label not in spellings for label in self._labels[side, WHOLE]) for side in self._sides
        }
        return {
            "kind": "category",
            "rows": len(self._samples),
            "missing": other,
            **self._table(WHOLE, spellings),
        }

    def signatures(self) -> dict[str, str]:
        """Exactly how each metric is computed."""
        found = {}
        for key in self._plan.metrics:
            if key in ("bleu", "chrf"):
                found[key] = str(self._of_corpus("tuned", key)["signature"])
            elif key in _AVERAGES:
                found[key] = f1_signature(key)
            else:
                metric = {**ROW_METRICS, **_CORPUS}.get(key, Perplexity)
                found[key] = metric.signature()
        if self._plan.fields:
            found["fields"] = own_signature("fields", "json:by value|absent or not JSON:wrong")
        for check in self._plan.checks:
            found[check.metric] = f"ftkit|check|{check.kind}|{json.dumps(check.given, ensure_ascii=False)}"
        return found

    @cached_property
    def _keys(self) -> list[str]:
        whole = [key for key in METRICS if key in self._plan.metrics]
        of_fields = [name for field in self._plan.fields for name in field.metrics]
        checks = [check.metric for check in self._plan.checks]
        return [key for key in (*whole, *of_fields, *checks) if key not in self.skipped]

    @cached_property
    def _names(self) -> list[str]:
        return [field.name for field in self._plan.fields]

    @property
    def _row_keys(self) -> list[str]:
        """Metrics that are None in some rows."""
        of_fields = [field.metrics[0] for field in self._plan.fields]
        checks = [check.metric for check in self._plan.checks]
        return [*(key for key in self._plan.metrics if key in ROW_METRICS), *of_fields, *checks]

    def _find_rows(self, key: str) -> None:
        """Rows that every side has a score of; of the others those that some side has are counted."""
        scored = [[sample[f"{side}_{key}"] is not None for side in self._sides] for sample in self._samples]
        self._rows[key] = [place for place, sides in enumerate(scored) if all(sides)]
        if key in {check.metric for check in self._plan.checks}:
            if lost := len(self._samples) - len(self._rows[key]):
                self.not_scored[key] = lost
            if not self._rows[key]:
                self.skipped[key] = "check_out_of_time"

    def _rows_of(self, key: str) -> str:
        """The metric whose rows are those of ``key``."""
        kind, field = kind_of(key, self._names)
        return f"{field}_accuracy" if kind.key == "field_macro_f1" else key

    def _column(self, side: str, key: str) -> Numbers:
        return np.array([self._samples[place][f"{side}_{key}"] for place in self._rows[key]], np.float64)

    def _value(self, side: str, key: str) -> float:
        if key == "perplexity":
            nll, tokens = self._raw(f"{side}_nll"), self._raw("scored_tokens")
            return float(self._compute(Perplexity, nll, tokens)["perplexity"])
        if key in _CORPUS:
            return float(self._of_corpus(side, key)[key])
        kind, field = kind_of(key, self._names)
        if kind.key in ("macro_f1", "micro_f1", "field_macro_f1"):
            return float(self._label_metrics(side, field)[kind.key.removeprefix("field_")])
        if key in ROW_METRICS:
            places = self._rows[key]
            answers = [self._samples[place][f"{side}_answer"] for place in places]
            references = [self._plan.references[place] for place in places]
            return float(self._compute(ROW_METRICS[key], answers, references)[key])
        return mean(list(self._column(side, key)))  # of a field or a check

    def _difference(self, first: str, second: str, key: str) -> dict[str, Any]:
        generator = np.random.default_rng([self._seed, zlib.crc32(key.encode())])
        if key == "perplexity":
            before, after = (self._raw(f"{side}_nll") for side in (first, second))
            return perplexity_difference(before, after, self._raw("scored_tokens"), generator)
        kind, field = kind_of(key, self._names)
        if key in ("bleu", "chrf"):
            score = corpus.bleu if key == "bleu" else corpus.chrf
            found = corpus.sums_difference(
                score, self._parts[first, key], self._parts[second, key], generator
            )
        elif key in _DISTINCT:
            grams = (_DISTINCT[key].all_grams(self._answers(side)) for side in (first, second))
            found = corpus.distinct_difference(*grams)
        elif kind.key in ("macro_f1", "micro_f1", "field_macro_f1"):
            reference = np.array(self._wanted[field])
            given, later = (np.array(self._labels[side, field]) for side in (first, second))
            found = corpus.f1_difference(reference, given, later, generator, _AVERAGES.get(key, "macro"))
        elif kind.yes_or_no:
            found = accuracy_difference(self._column(first, key), self._column(second, key))
        else:
            found = mean_difference(self._column(first, key), self._column(second, key), generator)
        return found.as_dict()

    def _table(self, field: str, names: Mapping[str, str]) -> dict[str, Any]:
        """By label, in the order of ``names`` (label to what is shown)."""
        labels = list(names)
        found = {side: self._label_metrics(side, field)["by_label"] for side in self._sides}
        by_label = {
            what: {side: [found[side][label][what] for label in labels] for side in self._sides}
            for what in ("precision", "recall", "f1")
        }
        return {
            "labels": list(names.values()),
            "support": [found["base"][label]["support"] for label in labels],
            **by_label,
            "confusion": {
                side: confusion(self._wanted[field], self._labels[side, field], labels)
                for side in self._sides
            },
        }

    def _label_metrics(self, side: str, field: str) -> dict[str, Any]:
        return self._once(
            (side, field), lambda: self._compute(Labels, self._labels[side, field], self._wanted[field])
        )

    def _of_corpus(self, side: str, key: str) -> dict[str, Any]:
        more = {"tokenize": self._plan.tokenize} if key == "bleu" else {}
        return self._once(
            (side, f"corpus {key}"),
            lambda: self._compute(_CORPUS[key], self._answers(side), self._plan.references, **more),
        )

    @cached_property
    def _known(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {}

    def _once(self, what: tuple[str, str], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if what not in self._known:
            self._known[what] = compute()
        return self._known[what]

    @cached_property
    def _labels(self) -> dict[tuple[str, str], list[str]]:
        """What each side answered, by side and field, over the rows of the field."""
        found = {(side, WHOLE): list(map(answer_label, self._answers(side))) for side in self._sides}
        for field in self._plan.fields:
            for side in self._sides:
                answers = self._answers(side)
                found[side, field.name] = [
                    field_labels(answers[place], field.name) or NO_LABEL for place in self._places(field)
                ]
        return found

    @cached_property
    def _wanted(self) -> dict[str, list[str]]:
        """The labels of the references, by field."""
        found = {WHOLE: list(map(answer_label, self._plan.references))}
        for field in self._plan.fields:
            found[field.name] = [
                str(field_labels(self._plan.references[place], field.name)) for place in self._places(field)
            ]
        return found

    def _places(self, field: Field) -> list[int]:
        return self._rows[field.metrics[0]]

    @cached_property
    def _parts(self) -> dict[tuple[str, str], Numbers]:
        """What each row adds to BLEU and chrF."""
        references, found = self._plan.references, {}
        for side in self._sides:
            if "bleu" in self._plan.metrics:
                found[side, "bleu"] = bleu_parts(self._answers(side), references, self._plan.tokenize)
            if "chrf" in self._plan.metrics:
                found[side, "chrf"] = chrf_parts(self._answers(side), references)
        return found

    def _answers(self, side: str) -> list[str]:
        return [sample[f"{side}_answer"] for sample in self._samples]

    def _raw(self, name: str) -> Numbers:
        return np.array([sample[name] for sample in self._samples], dtype=np.float64)

    def _compute(
        self, metric: type[evaluate.Metric], predictions: Any, references: Any, **more: Any
    ) -> dict[str, Any]:
        made = metric(keep_in_memory=True, cache_dir=str(self._scratch), seed=0)
        found: dict[str, Any] = made.compute(predictions=predictions, references=references, **more)
        return found
