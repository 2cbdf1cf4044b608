"""Parallel coordinates of a sweep as inline SVG: one axis per option and one for the goal, one line per trial.

Takes a sweep and its trials, gives markup whose colours come from the page's style sheet; everything in it is escaped. Failed trials
have no line: the table tells of them.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from ftkit.evaluation.report.charts import nice_ticks
from ftkit.records import Sweep
from ftkit.training.sweeps.space import Choices, Dimension, Value
from ftkit.training.sweeps.trials import Trial, read_space
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.ui.pages.sweeps import words

_WIDTH, _HEIGHT = 860, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 80, 46, 26
_LEAST = 2  # trials with a value
_TICKS = 4


class _Axis(NamedTuple):
    """One vertical line: where it stands, and how values become heights."""

    x: float
    title: str
    low: float
    high: float
    log: bool
    names: tuple[Value, ...]
    ticks: tuple[float, ...]

    def y(self, value: Value) -> float:
        """Height of a value, in the units of the drawing."""
        if self.names:
            share = (self.names.index(value) + 0.5) / len(self.names)
        else:
            low, high, here = (math.log(v) if self.log else v for v in (self.low, self.high, float(value)))
            share = (here - low) / (high - low) if high > low else 0.5
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)


def parallel_plot(sweep: Sweep, trials: Sequence[Trial], best: Trial | None, lang: str) -> Markup:
    """The drawing with its legend; a sentence where there is nothing to compare yet."""
    done = [trial for trial in trials if trial.value is not None]
    if best is None or len(done) < _LEAST:
        return html.notice("info", say("sweeps.plot.later", lang))
    axes = _axes(sweep, done, lang)
    goal = axes[-1]
    pruned = [trial for trial in trials if trial.state == "pruned"]
    # The best one last, so that it lies on top.
    ranked = sorted(done, key=lambda one: one.value or 0.0, reverse=sweep.direction == "minimize")
    lines = [_line(sweep, one, axes[:-1], None, lang) for one in pruned]
    lines += [_line(sweep, one, axes, _share(one, ranked), lang) for one in ranked]
    drawing = Markup(
        '<svg class="parallel" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>'
    ).format(
        _WIDTH,
        _HEIGHT,
        say(
            "sweeps.plot.describe",
            lang,
            number=len(done),
            goal=goal.title,
            best=words.value(best.value, lang),
        ),
        html.join(lines),
        html.join(html.join(_draw(axis, lang)) for axis in axes),
        _mark(goal, best),
    )
    return Markup('<div class="ft-scroll" tabindex="0" role="region" aria-label="{}">{}</div>{}').format(
        say("sweeps.plot.title", lang), drawing, _legend(bool(pruned), lang)
    )


def _axes(sweep: Sweep, done: Sequence[Trial], lang: str) -> list[_Axis]:
    space = read_space(sweep.space)
    places = [_LEFT + index * (_WIDTH - _LEFT - _RIGHT) / len(space) for index in range(len(space) + 1)]
    made = [
        _axis(x, say(f"spec.{name}.label", lang), one)
        for x, (name, one) in zip(places, space.items(), strict=False)
    ]
    values = [trial.value for trial in done if trial.value is not None]
    ticks = nice_ticks(min(values), max(values), _TICKS)
    goal = say(f"sweeps.metric.{sweep.metric}", lang)
    return [*made, _Axis(places[-1], goal, ticks[0], ticks[-1], False, (), tuple(ticks))]


def _axis(x: float, title: str, one: Dimension) -> _Axis:
    if isinstance(one, Choices):
        return _Axis(x, title, 0, 0, False, one.choices, ())
    if one.log:
        powers = range(math.ceil(math.log10(one.low) - 1e-9), math.floor(math.log10(one.high) + 1e-9) + 1)
        ticks = tuple(dict.fromkeys([one.low, *(10.0**power for power in powers), one.high]))
    else:
        ticks = tuple(tick for tick in nice_ticks(one.low, one.high, _TICKS) if one.low <= tick <= one.high)
    return _Axis(x, title, one.low, one.high, one.log, (), ticks)


def _draw(axis: _Axis, lang: str) -> Iterator[Markup]:
    yield Markup('<text class="name" x="{:.1f}" y="16" text-anchor="middle">{}</text>').format(
        axis.x, html.shorten(axis.title, 22)
    )
    if axis.log:
        yield Markup('<text x="{:.1f}" y="31" text-anchor="middle">{}</text>').format(
            axis.x, say("sweeps.plot.log", lang)
        )
    yield Markup('<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(
        axis.x, _TOP, _HEIGHT - _BOTTOM
    )
    for tick in axis.names or axis.ticks:
        yield Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>').format(
            axis.x - 8, axis.y(tick) + 4, html.shorten(words.value(tick, lang), 12)
        )
        yield Markup('<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
            axis.x - 4, axis.x, y=axis.y(tick)
        )


def _line(sweep: Sweep, trial: Trial, axes: Sequence[_Axis], share: float | None, lang: str) -> Markup:
    """One trial; ``share`` from 0 for the worst to 1 for the best, None for one that was given up."""
    values = [*(trial.values[name] for name in sweep.space), trial.value]
    points = [
        f"{axis.x:.1f},{axis.y(value):.1f}"
        for axis, value in zip(axes, values, strict=False)
        if value is not None
    ]
    said = words.trial(sweep, trial, lang)
    kind = "pruned" if share is None else "best" if share == 1 else "done"
    return Markup(
        '<g class="trial {kind}"{style}><title>{said}</title><polyline class="hit" points="{points}"/>'
        '<polyline points="{points}"/></g>'
    ).format(
        kind=kind,
        style=Markup(' style="--share:{:.0f}%"').format(100 * share) if share is not None else "",
        said=said,
        points=" ".join(points),
    )


def _share(trial: Trial, ranked: Sequence[Trial]) -> float:
    """The rank of a trial: a single bad one must not make all others look alike."""
    return ranked.index(trial) / (len(ranked) - 1)


def _mark(goal: _Axis, best: Trial) -> Markup:
    y = goal.y(best.value or 0.0)
    return Markup('<circle class="best" cx="{:.1f}" cy="{:.1f}" r="5"/>').format(goal.x, y)


def _legend(pruned: bool, lang: str) -> Markup:
    parts = [
        Markup('<span class="ft-key ft-best"></span>{}').format(say("sweeps.plot.best", lang)),
        Markup('<span class="ft-key ft-scale"></span>{}').format(say("sweeps.plot.scale", lang)),
    ]
    if pruned:
        parts.append(
            Markup('<span class="ft-key ft-pruned"></span>{}').format(say("sweeps.plot.pruned", lang))
        )
    return Markup('<ul class="ft-keys">{}</ul>').format(
        html.join(Markup("<li>{}</li>").format(p) for p in parts)
    )
