"""Figures over time: what is known is drawn, what is missing is not, and names cannot write into the page."""

import re
from datetime import UTC, datetime, timedelta

from ftkit.ui.monitoring.charts import Chart, Series, bars, lines

BEGIN = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def chart(*series: Series, count: int = 4, by_day: bool = False) -> Chart:
    return Chart("Requests", [BEGIN + timedelta(hours=n) for n in range(count)], series, by_day)


def test_bars_stand_on_each_other_and_say_their_values():
    drawn = str(
        bars(chart(Series("answered", "accent", [3, 0, 2, 6]), Series("failed", "bad", [1, 0, 0, 2])), str)
    )
    assert drawn.count("<rect") == 5, "nothing is drawn where nothing is"
    assert 'aria-label="Requests: answered 6, failed 2"' in drawn
    assert "answered 3, failed 1</title>" in drawn
    heights = [float(h) for h in re.findall(r'height="([\d.]+)"', drawn)]
    assert abs(heights[0] - 3 * heights[1]) < 0.5, "heights are shares of one scale"


def test_a_line_is_broken_where_a_value_is_missing():
    drawn = str(lines(chart(Series("p50", "accent", [0.5, None, 0.7, 0.9])), str))
    assert [len(points.split()) for points in re.findall(r'points="([^"]+)"', drawn)] == [1, 2]
    assert drawn.count("<circle") == 3


def test_nothing_known_draws_an_empty_scale():
    drawn = str(lines(chart(Series("p50", "accent", [None] * 4)), str))
    assert "polyline" not in drawn
    assert 'class="grid"' in drawn
    assert "<rect" not in str(bars(chart(Series("answered", "accent", []), count=0), str))


def test_one_moment_has_its_name_in_the_middle():
    drawn = str(bars(chart(Series("answered", "accent", [1]), count=1, by_day=True), str))
    assert 'text-anchor="middle">11-26<' in drawn


def test_names_cannot_write_into_the_page():
    drawn = str(lines(chart(Series("<b>x", "accent", [1, 2, 3, 4])), str))
    assert "<b>" not in drawn
