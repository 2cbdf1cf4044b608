import pytest

from ftkit.evaluation.report.energy import estimate


def test_an_hour_on_two_cores_and_four_gigabytes() -> None:
    """By hand: 2 x 12 W + 4 x 0.3725 W = 25.49 W for one hour."""
    found = estimate({"train_seconds": 3600, "cores": 2, "cards": 0, "peak_memory_mb": 4096})
    assert found is not None
    assert found.watts == pytest.approx(25.49)
    assert found.kilowatt_hours == pytest.approx(0.02549)
    assert found.grams == pytest.approx(12.10775)


def test_a_graphics_card_counts_beside_the_cores() -> None:
    found = estimate({"train_seconds": 1800, "cores": 1, "cards": 1})
    assert found is not None
    assert found.kilowatt_hours == pytest.approx(0.106)


@pytest.mark.parametrize(
    "training", [{}, {"train_seconds": 10}, {"cores": 2}, {"train_seconds": 0, "cores": 2}]
)
def test_what_is_not_known_is_not_estimated(training: dict[str, int]) -> None:
    assert estimate(training) is None
