"""One drift check from texts to report: what users asked in a window against what the model was trained on.

Takes ids and texts, gives the report as plain values; the same ones and the same seed give the same report. It reads no file.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ftkit.monitoring.drift.findings import explained, report_of, too_few
from ftkit.workers.drift import battery, quality
from ftkit.workers.drift.battery import Chance, drawn
from ftkit.workers.drift.causes import follows
from ftkit.workers.drift.prompts import distinct, read

FEWEST = 30  # different prompts on each side
_MOST_REFERENCE = 5000
_LARGEST_FAMILY = len(battery.KINDS) + len(quality.MEASURES)
_FEWEST_WINDOWS = 1999
_SILENT: Callable[[int, int], None] = lambda _step, _steps: None  # noqa: E731 - a default


def compare(
    window: Sequence[tuple[str, str]],
    reference: Sequence[str],
    alpha: float,
    seed: int,
    *,
    outcomes: quality.Outcomes | None = None,
    step: Callable[[int, int], None] = _SILENT,
) -> dict[str, Any]:
    """The report.

    Args:
        window: id and text of each request.
        reference: prompts of the training rows.
        alpha: how often a check may raise a false alarm.
        seed: of the random windows.
        outcomes: what became of the requests of the window and of earlier ones.
        step: is told how many of how many comparisons are done.
    """
    ours = distinct(window)
    theirs = drawn(distinct(("", text) for text in reference), _MOST_REFERENCE, seed)
    counts = {
        "requests": len(window),
        "different_requests": len(ours),
        "reference_rows": len(reference),
        "different_reference_rows": len(theirs),
        "fewest": FEWEST,
    }
    if len(ours) < FEWEST:
        return too_few("window", alpha, **counts)
    if len(theirs) < FEWEST:
        return too_few("reference", alpha, **counts)
    # So many that the smallest p value they can show is half of the smallest threshold.
    chance = Chance(max(_FEWEST_WINDOWS, round(2 * _LARGEST_FAMILY / alpha)), seed)
    sides = read(ours), read(theirs)
    found = battery.compare(*sides, chance, step=step)
    found_too, left = quality.compare(outcomes, chance) if outcomes else ([], {})
    report = report_of([*found.findings, *found_too], alpha, {**found.not_tested, **left}, **counts)
    if report["outcome"] != "drift":
        return report
    return explained(report, follows(report, sides, found.topic, chance, FEWEST))
