"""The metrics as ``evaluate.Metric``, and base and tuned compared by them; all computed without the Hub.

Takes answers, references and log-likelihoods of all rows, gives numbers by metric. Scores of single rows and their meaning
are in ``evaluation/measuring/scores.py``, intervals in ``evaluation/measuring/certainty.py``. It runs no model.
"""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import evaluate
import numpy as np
from sklearn.metrics import confusion_matrix, f1_score

from ftkit.evaluation.measuring.certainty import (
    Numbers,
    accuracy_difference,
    macro_f1_difference,
    mean_difference,
    perplexity,
    perplexity_difference,
)
from ftkit.evaluation.measuring.scores import (
    Field,
    exact_match,
    field_labels,
    json_object,
    label_names,
    token_f1,
)

Rows = Sequence[Mapping[str, Any]]
SIDES = ("base", "tuned")

# What stands for an answer that is not JSON or lacks the field; no label of scores.label can be empty.
NO_LABEL = ""


class _TextMetric(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """A metric over answers and references."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return _metric_info(type(self).__doc__ or "", {"predictions": text, "references": text})


class ExactMatch(_TextMetric):
    """Share of answers that are the reference, as ``scores.exact_match`` says."""

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return {
            "exact_match": _mean([exact_match(a, r) for a, r in zip(predictions, references, strict=True)])
        }


class TokenF1(_TextMetric):
    """Mean F1 over shared words, as ``scores.token_f1`` says."""

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return {"token_f1": _mean([token_f1(a, r) for a, r in zip(predictions, references, strict=True)])}


class JsonValid(_TextMetric):
    """Share of answers that are a JSON object as a whole."""

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        del references  # evaluate passes them to every metric
        return {"json_valid": _mean([float(json_object(answer) is not None) for answer in predictions])}


class FieldLabels(_TextMetric):
    """Accuracy and macro F1 of one field's labels; the F1 averages over the labels that the references have."""

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        labels = sorted(set(references))
        each = f1_score(references, predictions, labels=labels, average=None, zero_division=0)
        right = [float(a == r) for a, r in zip(predictions, references, strict=True)]
        return {
            "accuracy": _mean(right),
            "macro_f1": float(each.mean()),
            "f1": {label: float(f1) for label, f1 in zip(labels, each, strict=True)},
        }


class Perplexity(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """exp(total negative log-likelihood / total scored tokens).

    ``predictions`` are the rows' summed negative log-likelihoods, ``references`` their numbers of scored tokens.
    """

    def _info(self) -> evaluate.MetricInfo:
        features = {"predictions": datasets.Value("float64"), "references": datasets.Value("int64")}
        return _metric_info(type(self).__doc__ or "", features)

    def _compute(self, predictions: list[float], references: list[int]) -> dict[str, float]:
        return {"perplexity": perplexity(np.array(predictions), np.array(references, dtype=np.float64))}


class Summary:
    """What both models score over the same rows, metric by metric; becomes a part of ``report.json``.

    Each row holds ``reference``, ``scored_tokens`` and per side ``<side>_answer``, ``<side>_nll`` and
    ``<side>_<metric>`` of ``scores.row_scores`` (None where the reference gives nothing to compare with).
    """

    def __init__(self, rows: Rows, seed: int, scratch: Path) -> None:
        """Start with nothing measured.

        Args:
            rows: what was answered and scored.
            seed: of the resampling; each metric draws from its own stream.
            scratch: folder for what ``evaluate`` insists on making.
        """
        self._rows = rows
        self._seed = seed
        self._scratch = scratch
        self.base: dict[str, float] = {}
        self.tuned: dict[str, float] = {}
        self.difference: dict[str, dict[str, Any]] = {}
        self.metric_rows: dict[str, int] = {}
        self.fields: dict[str, dict[str, Any]] = {}

    def perplexity(self) -> None:
        """Perplexity of the reference answers."""
        tokens = self._column("scored_tokens", self._rows)
        nll = {side: self._column(f"{side}_nll", self._rows) for side in SIDES}
        values = {side: self._measure(Perplexity, nll[side], tokens)["perplexity"] for side in SIDES}
        difference = perplexity_difference(nll["base"], nll["tuned"], tokens, self._draw("perplexity"))
        self._note("perplexity", values, difference, len(self._rows))

    def answers(self, metric: type[_TextMetric], name: str) -> bool:
        """One metric of whole answers; False where no reference can be compared by it."""
        rows = [row for row in self._rows if row[f"base_{name}"] is not None]
        if not rows:
            return False
        references = [row["reference"] for row in rows]
        values = {
            side: self._measure(metric, [row[f"{side}_answer"] for row in rows], references)[name]
            for side in SIDES
        }
        self._compare_rows(name, values, rows)
        return True

    def field(self, field: Field) -> None:
        """All metrics of one JSON field."""
        rows = [row for row in self._rows if row[f"base_{field.metrics[0]}"] is not None]
        labels = {
            side: [field_labels(row[f"{side}_answer"], field.name) or NO_LABEL for row in rows]
            for side in SIDES
        }
        missing = {side: labels[side].count(NO_LABEL) for side in SIDES}
        self.fields[field.name] = {"kind": field.kind, "rows": len(rows), "missing": missing}
        if field.kind == "text":
            name = field.metrics[0]
            values = {side: float(self._column(f"{side}_{name}", rows).mean()) for side in SIDES}
            self._compare_rows(name, values, rows)
        else:
            self._category(field, rows, labels)

    def _category(self, field: Field, rows: Rows, labels: Mapping[str, list[str]]) -> None:
        accuracy, macro_f1 = field.metrics
        references = [str(field_labels(row["reference"], field.name)) for row in rows]
        found = {side: self._measure(FieldLabels, labels[side], references) for side in SIDES}
        self._compare_rows(accuracy, {side: found[side]["accuracy"] for side in SIDES}, rows)
        difference = macro_f1_difference(
            np.array(references), np.array(labels["base"]), np.array(labels["tuned"]), self._draw(macro_f1)
        )
        values = {side: found[side]["macro_f1"] for side in SIDES}
        self._note(macro_f1, values, difference.as_dict(), len(rows))
        self.fields[field.name] |= {
            "labels": label_names(field.labels),
            "f1": {side: [found[side]["f1"][label] for label in field.labels] for side in SIDES},
            "confusion": {side: confusion(references, labels[side], list(field.labels)) for side in SIDES},
        }

    def _compare_rows(self, name: str, values: Mapping[str, float], rows: Rows) -> None:
        base, tuned = (self._column(f"{side}_{name}", rows) for side in SIDES)
        if name.endswith("token_f1"):
            difference = mean_difference(base, tuned, self._draw(name))
        else:
            difference = accuracy_difference(base, tuned)
        self._note(name, values, difference.as_dict(), len(rows))

    def _note(self, name: str, values: Mapping[str, float], difference: Mapping[str, Any], rows: int) -> None:
        self.base[name], self.tuned[name] = values["base"], values["tuned"]
        self.difference[name] = dict(difference)
        self.metric_rows[name] = rows

    def _measure(self, metric: type[evaluate.Metric], predictions: Any, references: Any) -> dict[str, Any]:
        found: dict[str, Any] = metric(keep_in_memory=True, cache_dir=str(self._scratch), seed=0).compute(
            predictions=predictions, references=references
        )
        return found

    def _draw(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, zlib.crc32(name.encode())])

    @staticmethod
    def _column(name: str, rows: Rows) -> Numbers:
        return np.array([row[name] for row in rows], dtype=np.float64)


def confusion(references: list[str], predictions: list[str], labels: list[str]) -> list[list[int]]:
    """One row per reference label: how often it was answered with each label, and last with anything else."""
    known = set(labels)
    answered = [label if label in known else NO_LABEL for label in predictions]
    table = confusion_matrix(references, answered, labels=[*labels, NO_LABEL])
    return [[int(count) for count in row] for row in table[:-1]]


def _metric_info(description: str, features: dict[str, Any]) -> evaluate.MetricInfo:
    return evaluate.MetricInfo(
        description=description,
        citation="",
        inputs_description=description,
        features=datasets.Features(features),
    )


def _mean(scores: list[float]) -> float:
    return float(np.mean(scores))
