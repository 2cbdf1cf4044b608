import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.training.spec import RunSpec
from ftkit.workers.training.arguments import adapter_config, quantization, training_arguments

pytestmark = pytest.mark.training  # importing TRL takes seconds

# One other value for each option. Options of the rows and the model are seen to act in test_train.
OTHER: dict[str, Any] = {
    "num_train_epochs": 3.0,
    "learning_rate": 0.1,
    "per_device_train_batch_size": 7,
    "max_length": 77,
    "r": 3,
    "max_steps": 9,
    "gradient_accumulation_steps": 5,
    "lr_scheduler_type": "linear",
    "warmup_steps": 11,
    "optim": "adafactor",
    "weight_decay": 0.3,
    "max_grad_norm": 0.4,
    "seed": 9,
    "bf16": False,
    "completion_only_loss": False,
    "packing": True,
    "lora_alpha": 99,
    "lora_dropout": 0.2,
    "target_modules": "q_proj,v_proj",
    "per_device_eval_batch_size": 13,
    "eval_steps": 17,
    "logging_steps": 6,
    "save_total_limit": 4,
    "load_best_model_at_end": False,
    "metric_for_best_model": "eval_mean_token_accuracy",
    "activation_checkpointing": True,
    "use_rslora": True,
    "use_dora": True,
    "load_in_4bit": True,
    "load_in_8bit": True,
    "beta": 0.7,
    "loss_type": "ipo",
    "desirable_weight": 2.5,
    "undesirable_weight": 3.5,
    "report_to": "tensorboard",
    "extra_arguments": {"neftune_noise_alpha": 5.0},
}
# What chooses model, trainer or adapter, or acts before or beside the trainer; seen in test_making, test_train and samples.
_ELSEWHERE = {
    *("model_name_or_path", "method", "use_peft", "fast_path", "start_from_run", "early_stopping_patience"),
    *("allow_secrets", "push_to_hub", "hub_model_id", "hub_private_repo"),
    *("allow_secrets", "sample_prompts", "sample_max_new_tokens"),
}


def _told(spec: RunSpec) -> dict[str, Any]:
    arguments = dataclasses.asdict(training_arguments(spec, Path("out"), validates=True))
    adapter, bits = adapter_config(spec), quantization(spec, torch.bfloat16)
    return {
        **arguments,
        **{f"lora.{name}": value for name, value in vars(adapter).items()},
        **{name: getattr(bits, name, None) for name in ("load_in_4bit", "load_in_8bit")},
    }


@pytest.mark.parametrize("field", RunSpec.model_fields)
def test_every_option_reaches_the_trainer(field: str) -> None:
    if field in _ELSEWHERE:
        return
    # max_length is TRL's business only where it packs; else rows are left out beforehand.
    base: dict[str, Any] = {"packing": True} if field == "max_length" else {}
    if field in {"beta", "loss_type"}:
        base = {"method": "dpo"}
    elif field.endswith("desirable_weight"):
        base = {"method": "kto"}
    before, after = _told(RunSpec.parse(base)), _told(RunSpec.parse({**base, field: OTHER[field]}))
    changed = {name: after[name] for name in before if before[name] != after[name]}
    assert changed, f"{field} is a dead input"
    wanted = OTHER[field]
    if field == "target_modules":
        wanted = {"q_proj", "v_proj"}
    if field == "loss_type":
        wanted = ["ipo"]
    if field == "report_to":
        wanted = ["tensorboard"]
    if field == "extra_arguments":
        wanted = 5.0
    assert any(value == wanted for value in changed.values())


def test_no_option_was_forgotten() -> None:
    assert set(OTHER) | _ELSEWHERE == set(RunSpec.model_fields)


def test_without_16_bit_units_32_bits_are_used() -> None:
    assert training_arguments(RunSpec(), Path("out"), validates=True, bf16=True).bf16
    assert not training_arguments(RunSpec(), Path("out"), validates=True, bf16=False).bf16


def test_without_validation_rows_nothing_waits_for_a_validation_loss() -> None:
    arguments = training_arguments(RunSpec(), Path("out"), validates=False)
    assert arguments.eval_strategy == "no"
    assert not arguments.load_best_model_at_end
    assert arguments.save_strategy == "steps"
