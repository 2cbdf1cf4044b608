import pytest

from ftkit.training.watching.comparing import best


@pytest.mark.parametrize(
    ("figure", "values", "same_data", "places"),
    [
        ("eval_loss", [1.2, 1.0, None], True, {1}),
        ("eval_loss", [1.2, 1.0], False, set()),
        ("tokens_per_second", [80, 90, 90], False, {1, 2}),
        ("train_seconds", [80, 90], True, {0}),
        ("train_seconds", [80, None], True, set()),
        ("train_seconds", [80, 80], True, set()),
        ("steps", [1, 2], True, set()),
    ],
)
def test_the_best_is_marked_where_it_means_something(
    figure: str, values: list[float | None], same_data: bool, places: set[int]
) -> None:
    assert best(figure, values, same_data) == places
