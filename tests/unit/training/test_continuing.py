import pytest

from ftkit.training.continuing import begun_with, recipe_for
from ftkit.training.recipes import Recipe
from ftkit.training.spec import RunSpec

DPO = RunSpec.parse(
    {
        "model_name_or_path": "small",
        "method": "dpo",
        "num_train_epochs": 1,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "warmup_steps": 10,
        "eval_steps": 40,
        "load_best_model_at_end": True,
    }
)
SFT, KTO = DPO.model_copy(update={"method": "sft"}), DPO.model_copy(update={"method": "kto"})
LARGE = DPO.model_copy(update={"model_name_or_path": "large"})
RECIPES = [
    Recipe(name, "", spec) for name, spec in (("sft", SFT), ("dpo", DPO), ("large", LARGE), ("kto", KTO))
]


@pytest.mark.parametrize(
    ("model", "method", "name"),
    [("small", "dpo", "dpo"), ("large", "dpo", "large"), ("other", "dpo", "dpo"), ("large", "kto", "kto")],
)
def test_the_recipe_is_that_of_the_model_where_it_has_one(model: str, method: str, name: str) -> None:
    found = recipe_for(RECIPES, model, method)
    assert found is not None
    assert found.name == name
    assert recipe_for(RECIPES[:1], model, method) is None


@pytest.mark.parametrize(
    ("rows", "accumulation", "epochs", "warmup", "evaluations"),
    [(2000, 4, 1, 10, 40), (20, 1, 3, 3, 10), (3, 1, 3, 0, 2), (60, 1, 1, 3, 10), (100, 1, 1, 5, 16)],
)
def test_few_rows_are_learnt_in_enough_steps(
    rows: int, accumulation: int, epochs: float, warmup: int, evaluations: int
) -> None:
    spec = begun_with(DPO, "other", "run1", rows, held_back=2)
    assert (spec.model_name_or_path, spec.start_from_run) == ("other", "run1")
    assert (spec.gradient_accumulation_steps, spec.num_train_epochs) == (accumulation, epochs)
    assert (spec.warmup_steps, spec.eval_steps) == (warmup, evaluations)
    assert spec.learning_rate == DPO.learning_rate
    assert spec.load_best_model_at_end


def test_without_held_back_rows_there_is_no_best_checkpoint() -> None:
    assert not begun_with(DPO, "small", "", 20, held_back=0).load_best_model_at_end
