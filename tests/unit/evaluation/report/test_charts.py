import xml.etree.ElementTree as ET

import pytest

from ftkit.evaluation.report.charts import Curves, interval_bar, loss_chart, nice_ticks, smooth
from ftkit.evaluation.report.words import words


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.4, 2.7, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
        (10.1, 10.4, [10.1, 10.2, 10.3, 10.4]),
        (0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (3, 3, [3, 4, 5, 6]),
    ],
)
def test_ticks_are_round_and_enclose_the_values(low: float, high: float, ticks: list[float]) -> None:
    found = nice_ticks(low, high)
    assert found[0] <= low
    assert found[-1] >= high
    if low != 10.1:  # its last bits decide whether 10.0 is in
        assert found == pytest.approx(ticks)


def test_curves_take_the_later_of_two_lines_for_one_step_and_no_holes() -> None:
    curves = Curves.of(
        [
            {"step": 1, "loss": 3.0},
            {"step": 2, "loss": 2.0},
            {"step": 2, "loss": 2.5},
            {"step": 2, "eval_loss": 2.2},
            {"step": 3, "loss": float("nan")},
            {"step": 4, "loss": None},
        ]
    )
    assert curves == ([(1, 3.0), (2, 2.5)], [(2, 2.2)])


def test_smoothing_leaves_a_straight_line_as_it_is() -> None:
    line = [(n, 2.0 * n) for n in range(90)]
    assert [loss for _, loss in smooth(line)] == pytest.approx([loss for _, loss in line])


def test_the_chart_is_whole_and_says_what_it_shows() -> None:
    curves = Curves([(n, 3 / n) for n in range(1, 50)], [(20, 0.4), (40, 0.2)])
    root = ET.fromstring(str(loss_chart(curves, words("en"))))
    assert root.get("aria-label") == (
        "Loss over 49 steps. Training: from 3.00 to 0.06. Lowest validation loss: 0.200."
    )
    kinds = [path.get("class") for path in root.iter("path")]
    assert kinds == ["raw", "train", "validation"]
    assert len(list(root.iter("circle"))) == 2


def test_no_points_no_chart() -> None:
    assert loss_chart(Curves([], []), words("en")) == ""


def test_a_single_point_is_drawn() -> None:
    ET.fromstring(str(loss_chart(Curves([(1, 2.0)], []), words("tr"))))


def test_the_bar_stays_inside_its_box() -> None:
    root = ET.fromstring(str(interval_bar(5.0, -9.0, 9.0, 1.0)))
    places = [float(e.get(a)) for e in root for a in ("x1", "x2", "cx") if e.get(a)]
    assert all(0 <= place <= 140 for place in places)
