"""What the answers of all rows come to: scores by row, then metric by metric for base and tuned with the difference.

Takes samples with both answers, gives the measured part of ``report.json``. It asks no model.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftkit.evaluation.measuring.options import Options
from ftkit.evaluation.measuring.scores import json_fields, row_scores
from ftkit.workers.evaluation.metrics import ExactMatch, JsonValid, Summary, TokenF1

_TEXT_METRICS = {"exact_match": ExactMatch, "token_f1": TokenF1, "json_valid": JsonValid}


def add_scores(samples: list[dict[str, Any]], sides: Sequence[str], options: Options) -> None:
    """Each sample's scores of all sides, as ``<side>_<metric>``."""
    fields = json_fields([sample["reference"] for sample in samples])
    for sample in samples:
        for side in sides:
            scores = row_scores(sample[f"{side}_answer"], sample["reference"], fields)
            sample |= {f"{side}_{metric}": score for metric, score in scores.items()}


def summarise(
    samples: list[dict[str, Any]], sides: Sequence[str], options: Options, seed: int, folder: Path
) -> dict[str, Any]:
    """The measured part of ``report.json``.

    Args:
        samples: with the scores that ``add_scores`` gave them.
        seed: of the resampling.
        folder: place for what ``evaluate`` insists on making.
    """
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory(dir=folder, prefix=".metrics-") as scratch:
        summary = Summary(samples, seed, Path(scratch))
        summary.perplexity()
        answered = samples[0]["tuned_answer"] is not None
        for name, metric in _TEXT_METRICS.items():
            if not answered:
                skipped[name] = "no_prompts"
            elif not summary.answers(metric, name):
                skipped[name] = "no_json_references"
        for field in json_fields([sample["reference"] for sample in samples]) if answered else ():
            summary.field(field)
    return {
        "base": summary.base,
        "tuned": summary.tuned,
        "difference": summary.difference,
        "metric_rows": summary.metric_rows,
        "fields": summary.fields,
        "skipped": skipped,
        "answers": {side: _answer_facts(samples, side) for side in sides} if answered else {},
    }


def _answer_facts(samples: list[dict[str, Any]], side: str) -> dict[str, int]:
    return {
        "tokens": sum(sample[f"{side}_tokens"] for sample in samples),
        "cut": sum(sample[f"{side}_cut"] for sample in samples),
    }
