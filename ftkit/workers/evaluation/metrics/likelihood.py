"""Perplexity: how much the reference answers surprise a model.

Takes log-likelihoods and counts of tokens, gives a number. It runs no model.
"""

import math

import datasets
import evaluate
import numpy as np

from ftkit.evaluation.measuring.certainty import perplexity
from ftkit.workers.evaluation.metrics.base import metric_info, own_signature


class Perplexity(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """exp(total negative log-likelihood / total scored tokens).

    ``predictions`` are the rows' summed negative log-likelihoods, ``references`` their numbers of scored tokens.
    """

    def _info(self) -> evaluate.MetricInfo:
        features = {"predictions": datasets.Value("float64"), "references": datasets.Value("int64")}
        return metric_info(type(self).__doc__ or "", features)

    @classmethod
    def signature(cls) -> str:
        """The exact definition in one line."""
        return own_signature("perplexity", "completion only|by token|log:natural")

    def _compute(self, predictions: list[float], references: list[int]) -> dict[str, float]:
        return {"perplexity": perplexity(np.array(predictions), np.array(references, dtype=np.float64))}


def row_perplexity(nll: float, tokens: int) -> float | None:
    """Of one row; None where it is beyond all numbers."""
    try:
        return math.exp(nll / tokens)
    except OverflowError:
        return None
