"""Curves of a run as long-form frames for line plots.

Takes measurements (one dict per step), gives frames of at most 500 points a series and what could not be drawn. It draws
nothing itself.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftkit.evaluation.report.charts import Points, smooth
from ftkit.ui.i18n import LANGUAGES, say

if TYPE_CHECKING:
    import pandas as pd

# The browser draws every point anew at each tick.
MOST_POINTS = 500
# Single batches are noisy: from this many points on the report's smoothed line is drawn as well.
SMOOTH_FROM = 20
SERIES = {"train": "#a8aea7", "smooth": "#21897b", "validation": "#c9700f"}
# Of learning from preferences; each has a measurement on validation rows too.
PREFERENCES = ("reward_accuracy", "reward_margin")
_POINTS_OF_MANY = 200
# Full and pale tones that stand on light and on dark, and differ in brightness too.
_RUN_TONES = (
    ("#21897b", "#8fc9bf"),
    ("#c9700f", "#e9bd85"),
    ("#3f6fc0", "#a5bde4"),
    ("#b0437c", "#e0a6c6"),
    ("#76871c", "#c3cf86"),
    ("#8a5a3c", "#cfae99"),
)
# Measurement → key of its plot, in the order of the page.
WATCHED = ("learning_rate", "grad_norm", "tokens_per_second", "memory_mb")


def loss_colours() -> dict[str, str]:
    """Colour of each series under its name in every language."""
    return {say(f"runs.series.{key}", lang): colour for lang in LANGUAGES for key, colour in SERIES.items()}


def loss_frame(curves: Sequence[dict[str, Any]], lang: str) -> "pd.DataFrame":
    """Train and validation loss by step: columns step, loss, series."""
    train = _points(curves, "loss")
    rows = [(step, value, "train") for step, value in thin(train)]
    if len(train) >= SMOOTH_FROM:
        rows += [(step, value, "smooth") for step, value in thin(smooth(train))]
    rows += [(step, value, "validation") for step, value in thin(_points(curves, "eval_loss"))]
    named = [(step, value, say(f"runs.series.{key}", lang)) for step, value, key in rows]
    return _frame(named, {"step": "float64", "loss": "float64", "series": "object"})


def watched_frame(curves: Sequence[dict[str, Any]], key: str) -> "pd.DataFrame":
    """One measurement by step: columns step, value."""
    return _frame(thin(_points(curves, key)), {"step": "float64", "value": "float64"})


def preference_frame(curves: Sequence[dict[str, Any]], key: str, lang: str) -> "pd.DataFrame":
    """One measurement of learning from preferences, on training and validation rows: columns step, value, series."""
    rows = [
        (step, value, say(f"runs.series.{series}", lang))
        for series, name in (("train", key), ("validation", f"eval_{key}"))
        for step, value in thin(_points(curves, name))
    ]
    return _frame(rows, {"step": "float64", "value": "float64", "series": "object"})


def runs_frame(names: Sequence[str], runs: Sequence[Sequence[dict[str, Any]]], lang: str) -> "pd.DataFrame":
    """Smoothed training loss and validation loss of several runs: columns step, loss, series."""
    rows: list[tuple[float, float, str]] = []
    for name, curves in zip(names, runs, strict=True):
        train = _points(curves, "loss")
        smooth_ = smooth(train) if len(train) >= SMOOTH_FROM else train
        for series, points in (("train", smooth_), ("validation", _points(curves, "eval_loss"))):
            label = _run_series(name, series, lang)
            rows += [(step, value, label) for step, value in thin(points, _POINTS_OF_MANY)]
    return _frame(rows, {"step": "float64", "loss": "float64", "series": "object"})


def runs_colours(names: Sequence[str], lang: str) -> dict[str, str]:
    """One colour per run: its full tone for the validation loss, a pale one for the training loss."""
    return {
        _run_series(name, series, lang): tone
        for name, tones in zip(names, _RUN_TONES, strict=False)
        for series, tone in zip(("validation", "train"), tones, strict=True)
    }


def _run_series(name: str, series: str, lang: str) -> str:
    return f"{name} · {say(f'runs.series.{series}', lang)}"


def not_finite(curves: Sequence[dict[str, Any]]) -> list[int]:
    """Steps whose loss is not a number; a plot leaves them out."""
    return [m["step"] for m in curves for key in ("loss", "eval_loss") if key in m and not _finite(m[key])]


def thin(points: Points, most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """At most ``most`` points, evenly chosen, the last one always among them."""
    stride = math.ceil(len(points) / most) or 1
    return [point for index, point in enumerate(reversed(points)) if index % stride == 0][::-1]


def _points(curves: Iterable[dict[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(m["step"], float(m[key])) for m in curves if _finite(m.get(key))]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _frame(rows: Sequence[tuple[Any, ...]], columns: Mapping[str, str]) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - half a second at start, needed only once a curve is shown

    # With types even where it is empty: a plot that begins without them takes its numbers for names.
    return pd.DataFrame(rows, columns=list(columns)).astype(dict(columns))
