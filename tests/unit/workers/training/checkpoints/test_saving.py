"""What gets into a checkpoint, and what never does."""

import random

import numpy as np
import pytest
import torch

from ftkit.errors import BadInput
from ftkit.workers.training.checkpoints.randomness import randomness, undisturbed
from ftkit.workers.training.checkpoints.saving import check_finite, size_of
from tests.unit.workers.training.checkpoints.conftest import Scene

pytestmark = pytest.mark.training


def _stepped() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    return model, optimizer


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_never_saved(value: float) -> None:
    model, optimizer = _stepped()
    check_finite(model, optimizer, 7)
    with torch.no_grad():
        model.weight[1, 1] = value
    with pytest.raises(BadInput, match="After step 7") as caught:
        check_finite(model, optimizer, 7)
    assert caught.value.key == "training.weights_diverged"


def test_nor_is_one_that_only_the_optimizer_keeps() -> None:
    model, optimizer = _stepped()
    optimizer.state[model.bias]["exp_avg_sq"][0] = float("inf")
    with pytest.raises(BadInput):
        check_finite(model, optimizer, 7)


def test_frozen_weights_do_not_count() -> None:
    model, optimizer = _stepped()
    model.bias.requires_grad_(False)
    with torch.no_grad():
        model.bias[0] = float("nan")
    check_finite(model, optimizer, 7)
    assert size_of(model, optimizer) == 6 * 4 + 2 * 8 * 4 + 2 * 4


def test_what_is_drawn_inside_changes_nothing_outside() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    before = randomness()
    first = draw()
    before.restore()
    with undisturbed():
        assert draw() == first
        draw()
    assert draw() == first


def test_a_checkpoint_holds_what_is_read_again_and_nothing_else(packed: Scene) -> None:
    folder = max((packed.calm / "checkpoints").iterdir(), key=lambda path: path.stat().st_mtime)
    assert {path.name for path in folder.iterdir()} == {
        *("adapter_config.json", "adapter_model.safetensors", "manifest.json"),
        *("optimizer.pt", "rng_state.pth", "scheduler.pt", "trainer_state.json"),
    }
