"""Small drawings of the report as inline SVG: the loss curves and the interval beside a metric.

Takes numbers and words, gives markup whose colours come from the page's style sheet, so that it follows light, dark and
print. Drawn here rather than by a charting library because the smallest bundle of one weighs more than ten such pages.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from ftkit.words import Words

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 860, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 96, 14, 40
_SMOOTH_FROM = 20  # fewer points need no smoothing


class Curves(NamedTuple):
    """Steps and losses of a run."""

    train: Points
    validation: Points

    @classmethod
    def of(cls, measurements: Sequence[dict[str, Any]]) -> "Curves":
        """From the lines of ``metrics.jsonl``; of two lines for one step the later one counts."""
        train = {m["step"]: m["loss"] for m in measurements if _is_number(m.get("loss"))}
        validation = {m["step"]: m["eval_loss"] for m in measurements if _is_number(m.get("eval_loss"))}
        return cls(sorted(train.items()), sorted(validation.items()))


def loss_chart(curves: Curves, words: Words) -> Markup:
    """Training and validation loss over the steps; empty markup where there is nothing to draw."""
    points = [*curves.train, *curves.validation]
    if not points:
        return Markup()
    across = _Scale(0, max(step for step, _ in points), _LEFT, _WIDTH - _RIGHT)
    ticks = nice_ticks(min(loss for _, loss in points), max(loss for _, loss in points))
    up = _Scale(ticks[0], ticks[-1], _HEIGHT - _BOTTOM, _TOP)
    inside = [
        *_grid(ticks, across, up, words),
        *_train_lines(curves.train, across, up),
        *_validation_line(curves.validation, across, up, words),
        *_names(curves, across, up, words),
    ]
    return _svg(_WIDTH, _HEIGHT, _describe(curves, words), Markup("").join(inside), "curve")


def interval_bar(
    value: float, low: float | None, high: float | None, reach: float, title: str = ""
) -> Markup:
    """A difference with its interval on a line from ``-reach`` to ``reach``, with a mark at zero; ``title`` is read out."""
    width, height = 140, 20
    scale = _Scale(-reach or -1, reach or 1, 4, width - 4)
    middle = height / 2
    marks = [_line(scale(0), 2, scale(0), height - 2, "zero")]
    if low is not None and high is not None:
        marks.append(_line(scale(max(low, -reach)), middle, scale(min(high, reach)), middle, "span"))
    marks.append(
        Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4" class="dot"/>').format(
            scale(max(-reach, min(reach, value))), middle
        )
    )
    return _svg(width, height, title, Markup("").join(marks), "bar")


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers, evenly spaced, that enclose ``low`` and ``high``."""
    if high <= low:
        high = low + (abs(low) or 1)
    rough = (high - low) / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(index * step, 10) for index in range(first, last + 1)]


def smooth(points: Points) -> Points:
    """Centred moving average over a fifteenth of the points; narrower at both ends, so that nothing shifts."""
    reach = max(1, len(points) // 30)
    smoothed = []
    for index, (step, _) in enumerate(points):
        around = min(reach, index, len(points) - 1 - index)
        window = [loss for _, loss in points[index - around : index + around + 1]]
        smoothed.append((step, sum(window) / len(window)))
    return smoothed


class _Scale(NamedTuple):
    first: float
    last: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.first) / (self.last - self.first) if self.last != self.first else 0.5
        return self.start + share * (self.end - self.start)


def _grid(ticks: Sequence[float], across: _Scale, up: _Scale, words: Words) -> Iterator[Markup]:
    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    for tick in ticks:
        yield _line(_LEFT, up(tick), _WIDTH - _RIGHT, up(tick), "grid")
        yield _text(_LEFT - 8, up(tick) + 4, words.number(tick, digits), "end")
    for step in nice_ticks(0, across.last, 6):
        if step <= across.last and step == int(step):
            yield _text(across(step), _HEIGHT - _BOTTOM + 18, words.number(step), "middle")
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, words.say("curve.step"), "middle")


def _train_lines(points: Points, across: _Scale, up: _Scale) -> Iterator[Markup]:
    if len(points) < _SMOOTH_FROM:
        yield _path(points, across, up, "train")
        return
    yield _path(points, across, up, "raw")
    yield _path(smooth(points), across, up, "train")


def _validation_line(points: Points, across: _Scale, up: _Scale, words: Words) -> Iterator[Markup]:
    yield _path(points, across, up, "validation")
    for step, loss in points:
        title = f"{words.say('curve.step')} {words.number(step)}: {words.number(loss, 3)}"
        yield Markup(
            '<circle cx="{:.1f}" cy="{:.1f}" r="3.5" class="point"><title>{}</title></circle>'
        ).format(across(step), up(loss), title)


def _names(curves: Curves, across: _Scale, up: _Scale, words: Words) -> Iterator[Markup]:
    """Each line's name at its right end, pushed apart where they would overlap."""
    ends = []
    for key, points in (("train", curves.train), ("validation", curves.validation)):
        if points:
            line = smooth(points) if key == "train" and len(points) >= _SMOOTH_FROM else points
            ends.append((up(line[-1][1]), key))
    ends.sort()
    if len(ends) > 1 and ends[1][0] - ends[0][0] < 16:  # noqa: PLR2004 - a line of text
        middle = (ends[0][0] + ends[1][0]) / 2
        ends = [(middle - 8, ends[0][1]), (middle + 8, ends[1][1])]
    for height, key in ends:
        yield _text(across(across.last) + 8, height + 4, words.say(f"curve.{key}"), "start", f"name {key}")


def _describe(curves: Curves, words: Words) -> str:
    steps = words.number(max(step for step, _ in [*curves.train, *curves.validation]))
    losses = [loss for _, loss in curves.train] or [loss for _, loss in curves.validation]
    first, last = words.number(losses[0], 2), words.number(losses[-1], 2)
    if not curves.validation:
        return words.say("curve.alt_short", steps=steps, first=first, last=last)
    best = words.number(min(loss for _, loss in curves.validation), 3)
    return words.say("curve.alt", steps=steps, first=first, last=last, best=best)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _svg(width: int, height: int, title: str, inside: Markup, kind: str) -> Markup:
    role = Markup('role="img" aria-label="{}"').format(title) if title else Markup('aria-hidden="true"')
    return Markup('<svg class="{}" viewBox="0 0 {} {}" {}>{}</svg>').format(kind, width, height, role, inside)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>').format(
        x1, y1, x2, y2, kind
    )


def _path(points: Points, across: _Scale, up: _Scale, kind: str) -> Markup:
    if not points:
        return Markup()
    places = " L".join(f"{across(step):.1f} {up(loss):.1f}" for step, loss in points)
    return Markup('<path d="M{}" class="{}"/>').format(places, kind)


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>').format(
        x, y, anchor, kind, escape(text)
    )
