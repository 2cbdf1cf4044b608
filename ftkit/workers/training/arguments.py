"""Every option of a ``RunSpec`` as TRL and PEFT take it, and what is fixed for all runs.

Takes a spec, gives ``SFTConfig`` and ``LoraConfig``; ``max_length`` and ``completion_only_loss`` also rule the
preparation of rows (``rows.prepare``). It starts nothing.
"""

from pathlib import Path
from typing import Any

from peft import LoraConfig
from trl.trainer.sft_config import SFTConfig

from ftkit.training.spec import RunSpec


def training_arguments(
    spec: RunSpec, folder: Path, *, validates: bool, fast: bool = False, bf16: bool = True, cpu: bool = True
) -> SFTConfig:
    """What the trainer is told.

    Args:
        spec: the run.
        folder: where checkpoints go.
        validates: there are validation rows.
        fast: batches come from ``FastCollator``.
        bf16: the machine computes in bfloat16.
        cpu: it is the processor that trains.
    """
    return SFTConfig(
        output_dir=str(folder),
        num_train_epochs=spec.num_train_epochs,
        max_steps=spec.max_steps,
        learning_rate=spec.learning_rate,
        per_device_train_batch_size=spec.per_device_train_batch_size,
        per_device_eval_batch_size=spec.per_device_eval_batch_size,
        gradient_accumulation_steps=spec.gradient_accumulation_steps,
        lr_scheduler_type=spec.lr_scheduler_type,
        warmup_steps=spec.warmup_steps,
        optim=spec.optim,
        weight_decay=spec.weight_decay,
        max_grad_norm=spec.max_grad_norm,
        seed=spec.seed,
        bf16=spec.bf16 and bf16,
        use_cpu=cpu,
        completion_only_loss=spec.completion_only_loss,
        logging_steps=spec.logging_steps,
        save_strategy="steps",
        save_steps=spec.eval_steps,
        save_total_limit=spec.save_total_limit,
        **_validation(spec, validates),
        **_batches(spec, fast),
        # Recomputing activations saves memory that LoRA on small models does not need, for a third more time.
        activation_checkpointing=False,
        # By default a loss that is no number is shown as zero.
        logging_nan_inf_filter=False,
        logging_first_step=True,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def adapter_config(spec: RunSpec) -> LoraConfig:
    """The adapter."""
    return LoraConfig(
        r=spec.r,
        lora_alpha=spec.lora_alpha,
        lora_dropout=spec.lora_dropout,
        target_modules=spec.target_names(),
        bias="none",
        task_type="CAUSAL_LM",
    )


def _validation(spec: RunSpec, validates: bool) -> dict[str, Any]:
    if not validates:
        return {"eval_strategy": "no", "load_best_model_at_end": False}
    return {
        "eval_strategy": "steps",
        "eval_steps": spec.eval_steps,
        "load_best_model_at_end": spec.load_best_model_at_end,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }


def _batches(spec: RunSpec, fast: bool) -> dict[str, Any]:
    if spec.packing:
        return {"packing": True, "max_length": spec.max_length, "eval_packing": False}
    # Rows longer than max_length were left out beforehand; TRL would cut them, or drop them without a word.
    return {
        "padding_free": not fast,
        "max_length": None,
        "remove_unused_columns": not fast,
        "dataset_kwargs": {"skip_prepare_dataset": True},
    }
