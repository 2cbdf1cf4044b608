"""Whether the answers got worse: feedback, refusals and the model's own certainty, against earlier requests of the same version.

Takes what became of requests, gives findings. Training rows say nothing of that, so that the earlier traffic is the measure. It
reads no answer.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ftkit.monitoring.drift.findings import Finding
from ftkit.workers.drift.battery import Chance
from ftkit.workers.drift.permuting import Windows, largest_rise

FEWEST = 20  # requests on each side of which it is known
_EXAMPLES = 20


class Measure(NamedTuple):
    """One figure of a request; larger is worse. ``field`` of the request, times ``sign``."""

    name: str
    field: str
    least: float
    sign: float = 1.0


# A request of ``Outcomes`` has these fields, None where nothing is known.
MEASURES = (
    Measure("thumbs_down", "down", 0.05),
    Measure("refusals", "refused", 0.05),
    Measure("confidence", "confidence", 0.03, -1.0),
)


class Outcomes(NamedTuple):
    """What became of the requests of the window, and of those before it: each with its ``id`` and the fields of the measures."""

    window: Sequence[dict[str, Any]]
    earlier: Sequence[dict[str, Any]]


def compare(outcomes: Outcomes, chance: Chance) -> tuple[list[Finding], dict[str, str]]:
    """Findings, and what could not be compared for want of requests.

    Args:
        outcomes: of the requests.
        chance: of the random windows.
    """
    found, not_tested = list[Finding](), dict[str, str]()
    for measure in MEASURES:
        ours, theirs = (_known(rows, measure) for rows in outcomes)
        if min(len(ours), len(theirs)) < FEWEST:
            not_tested[f"quality.{measure.name}"] = "too_few"
            continue
        found.append(_finding(measure, ours, theirs, Windows(len(ours), len(ours) + len(theirs), *chance)))
    return found, not_tested


def _finding(
    measure: Measure, ours: list[tuple[str, float]], theirs: list[tuple[str, float]], windows: Windows
) -> Finding:
    values = np.array([value for _, value in [*ours, *theirs]])
    table = measure.sign * values[:, np.newaxis]
    _, _, p = windows.test(lambda some: largest_rise(some, table))
    worst = sorted(ours, key=lambda one: -measure.sign * one[1])
    value, before = float(values[: len(ours)].mean()), float(values[len(ours) :].mean())
    return Finding(
        kind="quality",
        statistic=measure.name,
        value=value,
        reference=before,
        p=p,
        least=measure.least,
        values={"known": len(ours), "known_before": len(theirs)},
        examples=tuple(id_ for id_, _ in worst[:_EXAMPLES]),
    )


def _known(rows: Sequence[dict[str, Any]], measure: Measure) -> list[tuple[str, float]]:
    found = [(str(row["id"]), row.get(measure.field)) for row in rows]
    return [(id_, float(value)) for id_, value in found if value is not None and np.isfinite(float(value))]
