import pytest

from ftkit.errors import BadInput
from ftkit.training.checks.imported import read_options


def test_options_and_names_that_are_none_are_told_apart() -> None:
    options, unknown = read_options("r: 8\nlearning_rat: 1\nqqqq: 2\nmax_length: many")
    assert options == {"r": 8, "max_length": "many"}
    assert [error.key for error in unknown] == ["training.unknown_option", "training.unlike_any_option"]
    assert "Did you mean learning_rate?" in str(unknown[0])


def test_what_is_no_recipe_is_refused() -> None:
    with pytest.raises(BadInput):
        read_options("just words")
