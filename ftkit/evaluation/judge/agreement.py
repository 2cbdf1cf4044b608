"""Which side each automatic metric prefers, row by row: what a rater's verdicts can be compared with.

Takes samples of an evaluation, gives verdicts by row. It does not care who is right.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# Metrics of a row that are higher where the answer is better; those of single JSON fields are told by their ending.
_HIGHER_IS_BETTER = (
    "exact_match",
    "accuracy",
    "json_valid",
    "token_f1",
    "chrf",
    "bleu",
    "rouge1",
    "rouge2",
    "rougeL",
)


def metric_verdicts(samples: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, str]]:
    """Which side each automatic metric prefers, by row: ``base`` or ``tuned``; rows that it cannot tell apart are left out."""
    names = dict.fromkeys(name for sample in samples for name in sample)
    metrics = [name.removeprefix("tuned_") for name in names if name.startswith("tuned_")]
    found: dict[str, dict[int, str]] = {}
    for metric in filter(_higher_is_better, metrics):
        decided = {}
        for sample in samples:
            base, tuned = sample.get(f"base_{metric}"), sample.get(f"tuned_{metric}")
            if base is not None and tuned is not None and base != tuned:
                decided[int(sample["row"])] = "tuned" if tuned > base else "base"
        if decided:
            found[metric] = decided
    return found


def _higher_is_better(metric: str) -> bool:
    return metric in _HIGHER_IS_BETTER or metric.endswith(("_accuracy", "_token_f1"))
