"""Figures over time as inline SVG: bars that stand on each other, or lines.

Takes moments and values, gives markup whose colours come from the page's style sheet. Where a value is missing a line is broken; it is
never drawn as zero.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup

from ftkit.evaluation.report.charts import nice_ticks
from ftkit.ui import html

_WIDTH, _HEIGHT = 440, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 10, 12, 24
_TICKS = 4
_LABELS = 4  # moments that are named below the drawing
_THIN = 1.5  # the least width of a bar
_DOT_UP_TO = 40  # points of a line that are marked one by one


class Series(NamedTuple):
    """One figure at every moment; ``tone`` is its class in the style sheet."""

    name: str
    tone: str
    values: Sequence[float | None]


class Chart(NamedTuple):
    """What is drawn: a title that is read out, moments in order, and the figures at them."""

    title: str
    moments: Sequence[datetime]
    series: Sequence[Series]
    by_day: bool = False


Said = Callable[[float], str]


def bars(chart: Chart, said: Said) -> Markup:
    """Bars on each other, the first series at the bottom."""
    sums = [sum(one.values[place] or 0 for one in chart.series) for place in range(len(chart.moments))]
    ticks = [tick for tick in nice_ticks(0, max([*sums, 1]), _TICKS) if tick == int(tick)]  # counts
    return _drawn(chart, ticks, html.join(_bars(chart, ticks[-1], said)), said)


def lines(chart: Chart, said: Said) -> Markup:
    """One line a series."""
    every = [value for one in chart.series for value in one.values if value is not None]
    ticks = nice_ticks(0, max([*every, 0.001]), _TICKS)
    return _drawn(chart, ticks, html.join(_lines(chart, ticks[-1], said)), said)


def _drawn(chart: Chart, ticks: Sequence[float], body: Markup, said: Said) -> Markup:
    drawing = Markup(
        '<svg class="over-time" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>'
    ).format(
        _WIDTH,
        _HEIGHT,
        _described(chart, said),
        html.join(_scale(ticks, said)),
        body,
        html.join(_names(chart)),
    )
    keys = html.join(
        Markup('<li><span class="ft-key ft-{}"></span>{}</li>').format(one.tone, one.name)
        for one in chart.series
    )
    return Markup(
        '<figure class="ft-over-time"><figcaption>{}</figcaption>{}<ul class="ft-keys">{}</ul></figure>'
    ).format(chart.title, drawing, keys)


def _described(chart: Chart, said: Said) -> str:
    """The newest values, for who cannot see the drawing."""
    newest = (
        f"{one.name} {said(found[-1])}"
        for one in chart.series
        if (found := [value for value in one.values if value is not None])
    )
    return f"{chart.title}: {', '.join(newest)}"


def _scale(ticks: Sequence[float], said: Said) -> Iterator[Markup]:
    for tick in ticks:
        y = _y(tick, ticks[-1])
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
            _LEFT, _WIDTH - _RIGHT, y=y
        )
        yield Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            _LEFT - 6, y + 4, said(tick)
        )


def _names(chart: Chart) -> Iterator[Markup]:
    last = len(chart.moments) - 1
    places = sorted({round(last * part / (_LABELS - 1)) for part in range(_LABELS)}) if last > 0 else [0]
    for place in places if chart.moments else ():
        anchor = "start" if place == 0 and last else "end" if place == last and last else "middle"
        x = {"start": _LEFT, "end": _WIDTH - _RIGHT}.get(anchor, _x(place, last + 1))
        yield Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
            x, _HEIGHT - 6, anchor, _short(chart.moments[place], chart.by_day)
        )


def _bars(chart: Chart, top: float, said: Said) -> Iterator[Markup]:
    count = len(chart.moments)
    width = max(_THIN, 0.8 * (_WIDTH - _LEFT - _RIGHT) / max(1, count))
    for place, when in enumerate(chart.moments):
        below = 0.0
        rects = []
        for one in chart.series:
            value = one.values[place] or 0
            if value:
                y, foot = _y(below + value, top), _y(below, top)
                rects.append(
                    Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                        one.tone, _x(place, count) - width / 2, y, width, foot - y
                    )
                )
            below += value
        if rects:
            yield Markup("<g><title>{}</title>{}</g>").format(
                _told(chart, place, when, said), html.join(rects)
            )


def _lines(chart: Chart, top: float, said: Said) -> Iterator[Markup]:
    count = len(chart.moments)
    for one in chart.series:
        piece: list[str] = []
        for value, place in zip([*one.values, None], range(count + 1), strict=True):
            if value is not None:
                piece.append(f"{_x(place, count):.1f},{_y(value, top):.1f}")
            elif piece:
                yield Markup('<polyline class="{}" points="{}"/>').format(one.tone, " ".join(piece))
                piece = []
        known = [(place, value) for place, value in enumerate(one.values) if value is not None]
        for place, value in known if len(known) <= _DOT_UP_TO else ():
            yield Markup(
                '<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>'
            ).format(
                one.tone, _x(place, count), _y(value, top), _told(chart, place, chart.moments[place], said)
            )


def _told(chart: Chart, place: int, when: datetime, said: Said) -> str:
    values = (f"{one.name} {said(value)}" for one in chart.series if (value := one.values[place]) is not None)
    return f"{_long(when, chart.by_day)}: {', '.join(values)}"


def _x(place: int, count: int) -> float:
    return _LEFT + (place + 0.5) * (_WIDTH - _LEFT - _RIGHT) / max(1, count)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - _TOP)


def _short(when: datetime, by_day: bool) -> str:
    return when.astimezone().strftime("%m-%d" if by_day else "%H:%M")


def _long(when: datetime, by_day: bool) -> str:
    return when.astimezone().strftime("%Y-%m-%d" if by_day else "%Y-%m-%d %H:%M")
