"""What all metrics have in common.

Takes answers and references, gives numbers by name, as any ``evaluate.Metric`` does. It runs no model.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import datasets
import evaluate
import numpy as np

from ftkit.evaluation.measuring.catalogue import METRICS


class TextMetric(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """A metric over answers (``predictions``) and references."""

    key: ClassVar[str]
    # How exactly it is computed, beside its version; part of the signature.
    how: ClassVar[str] = ""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return metric_info(type(self).__doc__ or "", {"predictions": text, "references": text})

    @classmethod
    def signature(cls) -> str:
        """The exact definition in one line; another line means that numbers cannot be compared."""
        return own_signature(cls.key, cls.how)


class RowMetric(TextMetric):
    """The mean of what each row scores."""

    @classmethod
    def row(cls, answer: str, reference: str) -> float | None:
        """Score of one row; None where the reference gives nothing to compare with."""
        raise NotImplementedError

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        rows = [self.row(a, r) for a, r in zip(predictions, references, strict=True)]
        return {self.key: mean([score for score in rows if score is not None])}


def own_signature(key: str, how: str) -> str:
    """Of a metric that is ours."""
    return "|".join(filter(None, ("ftkit", key, f"version:{METRICS[key].version}", how)))


def metric_info(description: str, features: dict[str, Any]) -> evaluate.MetricInfo:
    """What ``evaluate`` wants to know of a metric."""
    return evaluate.MetricInfo(
        description=description,
        citation="",
        inputs_description=description,
        features=datasets.Features(features),
    )


def mean(scores: Sequence[float]) -> float:
    """Of at least one score."""
    return float(np.mean(scores))
