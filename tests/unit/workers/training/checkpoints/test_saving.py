"""What gets into a checkpoint and what never does, and what a trainer does when it cannot save or has nothing to do."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    EarlyStoppingCallback,
    LlamaConfig,
    LlamaForCausalLM,
    TrainerCallback,
    TrainingArguments,
)

from ftkit import failpoints
from ftkit.errors import BadInput, DiskFull
from ftkit.workers.training.checkpoints import origin, saving
from ftkit.workers.training.checkpoints.choosing import Checkpoint, newest
from ftkit.workers.training.checkpoints.manifest import Origin, examine
from ftkit.workers.training.checkpoints.randomness import Randomness, randomness, undisturbed
from ftkit.workers.training.checkpoints.saving import Keeping, Kept, check_finite, size_of
from tests.unit.workers.training.checkpoints.conftest import Scene

pytestmark = pytest.mark.training

ORIGIN = Origin("run", {}, {}, {})


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


def test_cards_have_random_states_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    cards, restored = [torch.tensor([7])], []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: cards)
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", restored.append)
    state = randomness()
    assert isinstance(state, Randomness)
    state.restore()
    assert restored == [cards]


def test_a_checkpoint_holds_what_is_read_again_and_nothing_else(packed: Scene) -> None:
    folder = max((packed.calm / "checkpoints").iterdir(), key=lambda path: path.stat().st_mtime)
    assert {path.name for path in folder.iterdir()} == {
        *("adapter_config.json", "adapter_model.safetensors", "manifest.json"),
        *("optimizer.pt", "rng_state.pth", "scheduler.pt", "trainer_state.json"),
    }


def test_a_library_that_is_not_installed_has_no_version(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.unit.workers.runs import make_run, make_split, rows

    worker = make_run(tmp_path / "run", tiny_model, make_split(tmp_path / "split", rows(2)))
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(origin, "_LIBRARIES", ("torch", "no-such-library"))
    from ftkit.training.spec import RunSpec

    spec = RunSpec.parse({"model_name_or_path": "tiny"})
    made = origin.origin_of(worker.path, {**worker.inputs, "adapter": str(adapter)}, spec)
    assert made.run == "run"
    assert set(made.versions) == {"ftkit", "python", "torch", "processor", "threads"}
    assert set(made.data) == {"train", "validation", "mapping", "model", "adapter"}
    assert origin.origin_of(worker.path, worker.inputs, spec).data["model"] == made.data["model"]


def _trainer(folder: Path, checkpoint: Checkpoint | None = None, **more: Any) -> Kept:
    """Of a whole model of two layers, without TRL."""
    from datasets import Dataset

    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=32, **size))
    rows = Dataset.from_list([{"input_ids": [n, n + 1, 3], "labels": [n, n + 1, 3]} for n in range(8)])
    arguments = {
        "max_steps": 3,
        "save_steps": 1,
        "save_total_limit": 1,
        "logging_steps": 5,
        "learning_rate": 0.01,
        **more,
    }
    trainer = Kept(
        model=model,
        args=TrainingArguments(
            str(folder),
            use_cpu=True,
            disable_tqdm=True,
            report_to="none",
            eval_strategy="steps",
            eval_steps=1,
            load_best_model_at_end=True,
            dataloader_pin_memory=False,
            restore_callback_states_from_checkpoint=True,
            **arguments,
        ),
        train_dataset=rows,
        eval_dataset=rows,
        keeping=Keeping(ORIGIN, checkpoint, dict, lambda: None),
        callbacks=[EarlyStoppingCallback(1)],
    )
    trainer.add_callback(_Beginning(trainer))
    return trainer


class _Beginning(TrainerCallback):
    """In place of the watch of a run."""

    def __init__(self, trainer: Kept) -> None:
        self._trainer = trainer

    def on_train_begin(self, *_args: Any, **_: Any) -> None:
        self._trainer.pick_up()


class _Raising:
    """In place of the table of failpoints: raises what it is told to."""

    def __init__(self, name: str, nth: int, make: Callable[[], Exception]) -> None:
        self._name, self._nth, self._make = name, nth, make
        self._reached: Counter[str] = Counter()

    def reach(self, name: str) -> None:
        self._reached[name] += 1
        if (name, self._reached[name]) == (self._name, self._nth):
            raise self._make()


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int, Callable[[], Exception]], None]:
    return lambda *told: monkeypatch.setattr(failpoints, "_TABLE", _Raising(*told))


def _left(folder: Path) -> list[str]:
    assert [wrong for _, wrong in (examine(path, "run") for path in folder.iterdir()) if wrong] == []
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("error", "no_room", "expected"),
    [
        (OSError(28, "No space left on device"), False, DiskFull),
        (RuntimeError("PytorchStreamWriter failed"), True, DiskFull),
        (RuntimeError("something else"), False, RuntimeError),
    ],
)
def test_what_cannot_be_saved_leaves_the_one_before(
    error: Exception,
    no_room: bool,
    expected: type[Exception],
    raising: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(saving, "has_no_room", lambda _folder: no_room)
    raising("checkpoint.rename", 2, lambda: error)
    with pytest.raises(expected):
        _trainer(tmp_path).train()
    assert _left(tmp_path) == ["checkpoint-1"]


def test_saving_now_saves_once_and_only_what_there_is(tmp_path: Path, raising: Any) -> None:
    trainer = _trainer(tmp_path)
    trainer.save_now()
    assert _left(tmp_path) == []
    trainer.keep_best()  # there is none
    raising("train.evaluation", 2, lambda: InterruptedError("stop"))
    with pytest.raises(InterruptedError):
        trainer.train()
    trainer.save_now()
    left = _left(tmp_path)
    assert left == ["checkpoint-1", "checkpoint-2-unmeasured"]
    trainer.save_now()
    assert _left(tmp_path) == left
    weight = trainer.model.lm_head.weight.detach().clone()
    trainer.keep_best()
    assert not torch.equal(trainer.model.lm_head.weight, weight), "that of the first step"


@pytest.mark.faults
def test_a_run_that_had_stopped_early_does_not_begin_again(tmp_path: Path) -> None:
    first = _trainer(tmp_path, max_steps=9, learning_rate=0.0)
    first.train()
    assert first.state.global_step == 2, "the second validation was no better"
    found = newest(tmp_path, ORIGIN, lambda *_args, **_values: None)
    assert found is not None
    again = _trainer(tmp_path, found, max_steps=9, learning_rate=0.0)
    again.train(resume_from_checkpoint=str(found.path))
    assert again.state.global_step == 2
    assert torch.equal(again.model.lm_head.weight, first.model.lm_head.weight)
