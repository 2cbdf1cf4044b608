import pytest

from ftkit.cli.runs import change_options
from ftkit.errors import BadInput


def test_values_are_yaml():
    spec = change_options(
        {"seed": 1},
        ["learning_rate=5e-4", "bf16=false", "packing=yes", "max_steps=3", "target_modules=q_proj,v_proj"],
    )
    assert (spec.seed, spec.learning_rate, spec.bf16, spec.packing, spec.max_steps) == (
        1,
        5e-4,
        False,
        True,
        3,
    )
    assert spec.target_modules == "q_proj,v_proj"


def test_the_recipe_is_not_changed_in_place():
    options = {"seed": 1}
    change_options(options, ["seed=2"])
    assert options == {"seed": 1}


def test_all_mistakes_come_at_once_with_the_nearest_name():
    with pytest.raises(BadInput) as error:
        change_options({}, ["learning_rat=1", "zzz=1", "max_length=4", "seed=[1", "r=many"])
    said = str(error.value).splitlines()
    assert said[0] == "learning_rat: there is no such option. Did you mean learning_rate?"
    assert said[1].startswith("zzz: there is no such option. There are: ")
    assert {line.partition(":")[0] for line in said[2:]} == {"max_length", "seed", "r"}


def test_a_wrong_option_of_a_recipe_file_is_named_like_a_wrong_set():
    with pytest.raises(BadInput, match="max_stepz: there is no such option. Did you mean max_steps"):
        change_options({"max_stepz": 1}, [])
