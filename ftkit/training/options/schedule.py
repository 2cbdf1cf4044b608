"""How far, how fast and in what order the weights move."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from ftkit.training.checks.lines import read_mapping
from ftkit.training.option import Options, option

ExtraArguments = Annotated[dict[str, Any], BeforeValidator(read_mapping)]


class ScheduleOptions(Options):
    """How far, how fast and in what order the weights move."""

    num_train_epochs: float = option(
        2.0,
        "Epochs",
        "How many times the model sees each training row. More learns more, and later only memorises.",
        "schedule",
        level="simple",
        gt=0,
        le=100,
    )
    learning_rate: float = option(
        5e-4,
        "Learning rate",
        "How far each step moves the weights. Too high and the loss jumps, too low and nothing is learned. "
        "For LoRA 1e-4 to 1e-3 is usual.",
        "schedule",
        level="simple",
        gt=0,
        le=1e9,
    )
    per_device_train_batch_size: int = option(
        4,
        "Batch size",
        "Rows per step and device. Larger is steadier and needs more memory.",
        "schedule",
        level="simple",
        unit="rows",
        ge=1,
        le=512,
    )
    max_steps: int = option(
        -1,
        "Step limit",
        "Stop after this many steps whatever the epochs say; -1 means no limit.",
        "schedule",
        unit="steps",
        ge=-1,
        le=10_000_000,
    )
    gradient_accumulation_steps: int = option(
        1,
        "Accumulation",
        "Batches added up before the weights move: a larger batch without more memory.",
        "schedule",
        unit="batches",
        ge=1,
        le=1024,
    )
    lr_scheduler_type: Literal[
        "linear",
        "cosine",
        "cosine_with_restarts",
        "polynomial",
        "constant",
        "constant_with_warmup",
        "inverse_sqrt",
    ] = option(
        "cosine",
        "Schedule",
        "How the learning rate falls over the run.",
        "schedule",
    )
    warmup_steps: int = option(
        5,
        "Warm-up",
        "Steps over which the learning rate rises from zero to its full value.",
        "schedule",
        unit="steps",
        ge=0,
        le=100_000,
    )
    optim: Literal[
        "adamw_torch_fused", "adamw_torch", "adafactor", "adamw_bnb_8bit", "paged_adamw_8bit", "sgd"
    ] = option(
        "adamw_torch_fused",
        "Optimizer",
        "adamw_bnb_8bit, paged_adamw_8bit (bitsandbytes) and adafactor need less memory.",
        "schedule",
    )
    weight_decay: float = option(
        0.0, "Weight decay", "Pulls weights towards zero at each step.", "schedule", ge=0, le=1
    )
    max_grad_norm: float = option(
        1.0,
        "Gradient clipping",
        "Longer gradients are cut to this length; 0 turns it off.",
        "schedule",
        ge=0,
        le=1000,
    )
    seed: int = option(
        42, "Seed", "The same seed, data and settings give the same run.", "schedule", ge=0, le=2**32 - 1
    )
    bf16: bool = option(
        True,
        "bfloat16",
        "Compute in 16 bits where this machine has units for it; elsewhere 32 bits are used.",
        "schedule",
    )
    activation_checkpointing: bool = option(
        False,
        "Recompute activations",
        "Keep fewer intermediate values and compute them again when needed: about a third slower, far less memory.",
        "schedule",
    )
    extra_arguments: ExtraArguments = option(
        {},
        "Further TRL arguments",
        "For experts: arguments of TRL's own config that have no field here, one 'name: value' a line. They are checked before "
        "the start; most of them turn the fast path off.",
        "schedule",
    )
