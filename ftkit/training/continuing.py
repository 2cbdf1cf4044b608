"""What a run that learns from preferences is begun with: the recipe for a model, and its settings for so many rows.

Takes recipes and numbers, gives a recipe and a spec. It starts nothing.
"""

import math
from collections.abc import Sequence

from ftkit.training.recipes import Recipe
from ftkit.training.spec import RunSpec

_STEPS = 30  # fewer teach little
_MOST_EPOCHS = 3  # of few rows; more of the same pairs makes answers longer, not better
_LOOKS = 3  # how often a run is measured at least


def recipe_for(recipes: Sequence[Recipe], model: str, method: str) -> Recipe | None:
    """The recipe of a method for a model, or for any model where it has none of its own; None where there is none at all."""
    fitting = [recipe for recipe in recipes if recipe.spec.method == method and recipe.spec.use_peft]
    own = [recipe for recipe in fitting if recipe.spec.model_name_or_path == model]
    return next(iter(own or fitting), None)


def begun_with(spec: RunSpec, model: str, start_from_run: str, rows: int, held_back: int) -> RunSpec:
    """The settings of a recipe for a model and so many training rows.

    Few rows are gone through more often, in smaller steps, with a shorter warm-up: with the numbers for many they would be learnt
    in two or three steps, all of them within the warm-up.

    Args:
        spec: of the recipe.
        model: base model.
        start_from_run: a run whose adapter is trained further; empty for a new adapter.
        rows: of the training part.
        held_back: rows of the validation part.
    """
    batches = max(1, math.ceil(rows / spec.per_device_train_batch_size))
    accumulation = max(
        1, min(spec.gradient_accumulation_steps, int(batches * spec.num_train_epochs) // _STEPS)
    )
    per_epoch = math.ceil(batches / accumulation)
    epochs = spec.num_train_epochs
    if per_epoch * epochs < _STEPS:
        epochs = max(epochs, min(_MOST_EPOCHS, math.ceil(_STEPS / per_epoch)))
    steps = math.ceil(per_epoch * epochs)
    changes = {
        "model_name_or_path": model,
        "start_from_run": start_from_run,
        "gradient_accumulation_steps": accumulation,
        "num_train_epochs": float(epochs),
        "warmup_steps": min(spec.warmup_steps, steps // 10),
        "eval_steps": max(1, min(spec.eval_steps, steps // _LOOKS)),
        "load_best_model_at_end": spec.load_best_model_at_end and held_back > 0,
    }
    return RunSpec.parse({**spec.model_dump(), **changes})
