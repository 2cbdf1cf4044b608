"""Base against tuned model on the tasks of a benchmark: values, standard errors, paired differences and verdicts.

Takes what each side scored, task by task and document by document, gives the lines of the report. It asks nothing of a
model. A difference has an interval only where the value of the task is the mean of its documents' scores: of a corpus score such
as a perplexity the harness keeps no scores that could be paired.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ftkit.evaluation.benchmarks.lines import NOT_MEASURED, NOT_PAIRED
from ftkit.evaluation.measuring.catalogue import Direction
from ftkit.evaluation.measuring.certainty import accuracy_difference, mean_difference
from ftkit.evaluation.measuring.verdicts import judge_by

_CLOSE = 1e-6


def compare(
    base: Mapping[str, Mapping[str, Any]], tuned: Mapping[str, Mapping[str, Any]], seed: int
) -> list[dict[str, Any]]:
    """One line for each task and metric, in the order of ``base``.

    Args:
        base: by task: ``rows`` and ``metrics``; each metric by its key has ``name``, ``filter``, ``higher`` (is better: true, false
            or None), ``value``, ``error`` (the harness's standard error) and ``scores`` (document → number; None where there are none).
        tuned: the same of the other side.
        seed: of the resampling.
    """
    lines: dict[str, dict[str, Any]] = {}
    for task, told in base.items():
        for key, metric in told["metrics"].items():
            other = tuned[task]["metrics"][key]
            lines[f"{task} {key}"] = {
                "task": task,
                "metric": metric["name"],
                "filter": metric["filter"],
                "rows": told["rows"],
                "base": metric["value"],
                "tuned": other["value"],
                "base_error": metric["error"],
                "tuned_error": other["error"],
                "higher_is_better": metric["higher"],
                **_difference(metric, other, seed),
            }
    return _judged(lines)


def _difference(base: Mapping[str, Any], tuned: Mapping[str, Any], seed: int) -> dict[str, Any]:
    if base["value"] is None or tuned["value"] is None:
        return {"difference": None, "low": None, "high": None, "p": None, "verdict": NOT_MEASURED}
    value = tuned["value"] - base["value"]
    first, second = base["scores"], tuned["scores"]
    if not _is_mean(base) or not _is_mean(tuned) or first.keys() != second.keys():
        return {"difference": value, "low": None, "high": None, "p": None, "verdict": NOT_PAIRED}
    before = np.array(list(first.values()), dtype=np.float64)
    after = np.array([second[document] for document in first], dtype=np.float64)
    if set(np.unique(before)) | set(np.unique(after)) <= {0.0, 1.0}:
        found = accuracy_difference(before, after)
    else:
        found = mean_difference(before, after, np.random.default_rng(seed))
    return {"difference": value, "low": found.low, "high": found.high, "p": found.p}


def _is_mean(metric: Mapping[str, Any]) -> bool:
    scores = metric["scores"]
    if not scores:
        return False
    mean = math.fsum(scores.values()) / len(scores)
    return math.isclose(mean, metric["value"], rel_tol=_CLOSE, abs_tol=_CLOSE)


def _judged(lines: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each line with its verdict, all p values of the benchmark adjusted together."""
    paired = {name: line for name, line in lines.items() if "verdict" not in line}
    judged = judge_by(
        {
            name: {"value": line["difference"], **{key: line[key] for key in ("low", "high", "p")}}
            for name, line in paired.items()
        },
        {name: line["rows"] for name, line in paired.items()},
        {name: _direction(line["higher_is_better"]) for name, line in paired.items()},
    )
    nothing = {"p_adjusted": None, "rows_needed": None}
    return [
        {
            **line,
            **{
                key: judged.get(name, {**nothing, **line})[key]
                for key in ("p_adjusted", "verdict", "rows_needed")
            },
        }
        for name, line in lines.items()
    ]


def _direction(higher: bool | None) -> Direction:
    return "neither" if higher is None else "higher" if higher else "lower"
