"""What the answers of all rows come to: scores by row, then metric by metric for every model with the differences.

Takes samples with the answers of all sides, gives the measured part of ``report.json``. It asks no model.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftkit.evaluation.measuring.options import Options
from ftkit.evaluation.measuring.verdicts import judge
from ftkit.workers.evaluation.measures import Measures
from ftkit.workers.evaluation.plan import plan_of, score_rows

SIDES = ("base", "tuned")


def add_scores(samples: list[dict[str, Any]], sides: Sequence[str], options: Options) -> None:
    """Each sample's scores of all sides, as ``<side>_<metric>``."""
    score_rows(samples, sides, plan_of(samples, options))


def summarise(
    samples: list[dict[str, Any]], sides: Sequence[str], options: Options, seed: int, folder: Path
) -> dict[str, Any]:
    """The measured part of ``report.json``.

    Args:
        samples: with the scores that ``add_scores`` gave them.
        sides: ``base``, ``tuned``, and the ids of further runs.
        options: what was asked for.
        seed: of the resampling.
        folder: place for what ``evaluate`` insists on making.
    """
    plan = plan_of(samples, options)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".metrics-") as scratch:
        measures = Measures(samples, sides, plan, seed, Path(scratch))
        values = {side: measures.values(side) for side in sides}
        names = [field.name for field in plan.fields]

        def compared(first: str, second: str) -> dict[str, Any]:
            return judge(measures.differences(first, second), measures.metric_rows, names)

        return {
            "task": plan.task,
            "base": values["base"],
            "tuned": values["tuned"],
            "difference": compared("base", "tuned"),
            "others": {
                side: {
                    "metrics": values[side],
                    "difference": compared("base", side),
                    "against_tuned": compared("tuned", side),
                }
                for side in sides
                if side not in SIDES
            },
            "intervals": {side: measures.intervals(side) for side in sides},
            "reference": measures.of_references(),
            "metric_rows": measures.metric_rows,
            "not_scored": measures.not_scored,
            "fields": measures.fields(),
            "classes": measures.classes(),
            "checks": options.as_json()["checks"],
            "signatures": measures.signatures(),
            "skipped": plan.skipped | measures.skipped,
            "answers": {side: _answer_facts(samples, side) for side in sides} if plan.answered else {},
        }


def _answer_facts(samples: list[dict[str, Any]], side: str) -> dict[str, int]:
    return {
        "tokens": sum(sample[f"{side}_tokens"] for sample in samples),
        "cut": sum(sample[f"{side}_cut"] for sample in samples),
    }
