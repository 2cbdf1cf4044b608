import pytest

from ftkit.errors import BadInput
from ftkit.training.option import shown
from ftkit.training.spec import RunSpec


def test_every_option_explains_itself() -> None:
    for name, field in RunSpec.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.description.endswith("."), name
        assert shown(field).keys() == {"group", "level", "unit"}, name


def test_every_number_has_bounds() -> None:
    for name, field in RunSpec.model_fields.items():
        if field.annotation in (int, float):
            kinds = {type(bound).__name__ for bound in field.metadata}
            assert kinds & {"Ge", "Gt"}, name
            assert kinds & {"Le", "Lt"}, name


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        RunSpec.parse({"learning_rate": -1, "r": 0, "epochs": 3})
    for name in ("learning_rate", "r:", "epochs"):
        assert name in str(caught.value)


def test_a_mistake_is_named_by_its_option_once() -> None:
    with pytest.raises(BadInput) as caught:
        RunSpec.parse({"method": "kto", "metric_for_best_model": "eval_rewards/accuracies"})
    assert str(caught.value) == "metric_for_best_model: kto does not measure it; use eval_loss"
    with pytest.raises(BadInput, match=r"^extra_arguments: write one"):
        RunSpec.parse({"extra_arguments": "- a"})


def test_layers_are_one_word_or_a_list() -> None:
    assert RunSpec().target_names() == "all-linear"
    assert RunSpec(target_modules="q_proj, v_proj").target_names() == ["q_proj", "v_proj"]
