"""Every option of a ``RunSpec`` as TRL and PEFT take it, and what is fixed for all runs.

Takes a spec, gives TRL's and PEFT's configs; ``max_length`` and ``completion_only_loss`` also rule the
preparation of rows (``prepared.prepare``). It starts nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import BitsAndBytesConfig, Seq2SeqTrainingArguments
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.kto_config import KTOConfig
from trl.trainer.sft_config import SFTConfig

from ftkit.training.spec import RunSpec

# Options that transformers takes under the same name and with the same meaning.
_AS_THEY_ARE = (
    *("num_train_epochs", "max_steps", "learning_rate", "lr_scheduler_type", "warmup_steps", "optim"),
    *("per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps"),
    *("weight_decay", "max_grad_norm", "seed", "activation_checkpointing"),
    *("logging_steps", "save_total_limit"),
)

CONFIGS: Mapping[str, Any] = {"sft": SFTConfig, "dpo": DPOConfig, "kto": KTOConfig}


def training_arguments(  # noqa: PLR0913 - what the machine and the model make of the options, by name
    spec: RunSpec,
    folder: Path,
    *,
    validates: bool,
    fast: bool = False,
    bf16: bool = True,
    cpu: bool = True,
    encoder_decoder: bool = False,
) -> SFTConfig | DPOConfig | KTOConfig | Seq2SeqTrainingArguments:
    """What the trainer of the spec's method is told.

    Args:
        spec: the run.
        folder: where checkpoints go.
        validates: there are validation rows.
        fast: batches come from ``FastCollator``.
        bf16: the machine computes in bfloat16.
        cpu: it is the processor that trains.
        encoder_decoder: the model is of the T5 kind.
    """
    common = {
        **{name: getattr(spec, name) for name in _AS_THEY_ARE},
        "output_dir": str(folder),
        "bf16": spec.bf16 and bf16,
        "use_cpu": cpu,
        "save_strategy": "steps",
        "save_steps": spec.eval_steps,
        # Else early stopping would begin to count anew.
        "restore_callback_states_from_checkpoint": True,
        **_validation(spec, validates),
        # By default a loss that is no number is shown as zero.
        "logging_nan_inf_filter": False,
        "logging_first_step": True,
        "report_to": spec.report_to,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }
    if encoder_decoder:
        return Seq2SeqTrainingArguments(**common, **spec.extra_arguments)
    arguments = {**common, **_own(spec, fast), **spec.extra_arguments}
    made: SFTConfig | DPOConfig | KTOConfig = CONFIGS[spec.method](**arguments)
    return made


def adapter_config(spec: RunSpec, encoder_decoder: bool = False) -> LoraConfig:
    """The adapter."""
    return LoraConfig(
        r=spec.r,
        lora_alpha=spec.lora_alpha,
        lora_dropout=spec.lora_dropout,
        target_modules=spec.target_names(),
        use_rslora=spec.use_rslora,
        use_dora=spec.use_dora,
        bias="none",
        task_type="SEQ_2_SEQ_LM" if encoder_decoder else "CAUSAL_LM",
    )


def quantization(spec: RunSpec, dtype: torch.dtype) -> BitsAndBytesConfig | None:
    """How the frozen weights are kept; None for as they are.

    Args:
        spec: the run.
        dtype: in which products are computed.
    """
    if not spec.quantised:
        return None
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        load_in_4bit=spec.load_in_4bit,
        load_in_8bit=spec.load_in_8bit,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _validation(spec: RunSpec, validates: bool) -> dict[str, Any]:
    if not validates:
        return {"eval_strategy": "no", "load_best_model_at_end": False}
    return {
        "eval_strategy": "steps",
        "eval_steps": spec.eval_steps,
        "load_best_model_at_end": spec.load_best_model_at_end,
        "metric_for_best_model": spec.metric_for_best_model,
        "greater_is_better": spec.more_is_better,
    }


def _own(spec: RunSpec, fast: bool) -> dict[str, Any]:
    """What only the spec's method takes."""
    if spec.method == "dpo":
        return {"max_length": None, "beta": spec.beta, "loss_type": [spec.loss_type]}
    if spec.method == "kto":
        return {
            "max_length": None,
            "beta": spec.beta,
            "desirable_weight": spec.desirable_weight,
            "undesirable_weight": spec.undesirable_weight,
            # Its estimate of the distance needs the batches as they were prepared.
            "train_sampling_strategy": "sequential",
        }
    return {"completion_only_loss": spec.completion_only_loss, **_batches(spec, fast)}


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
