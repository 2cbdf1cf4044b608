"""Every option of a run, once: the form, YAML, command line, help texts and docs derive from ``RunSpec``.

Names are TRL's, transformers' and PEFT's own. A field's title and description are its English label and help; ``unit``,
``group`` and ``level`` say where and how the form shows it. It does not know TRL: ``workers/arguments.py`` passes it on.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from ftkit.errors import BadInput

Group = Literal["model", "data", "schedule", "adapter", "watch"]
Level = Literal["simple", "advanced"]


def option(default: Any, title: str, help_: str, group: Group, **more: Any) -> Any:
    """A field of ``RunSpec``; ``level`` and ``unit`` go to the form, the rest are pydantic's bounds."""
    shown = {"group": group, "level": more.pop("level", "advanced"), "unit": more.pop("unit", "")}
    return Field(default, title=title, description=help_, json_schema_extra=shown, **more)


class RunSpec(BaseModel):
    """One fine-tuning run as values."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    model_name_or_path: str = option(
        "smollm2-135m-instruct",
        "Base model",
        "The model to start from, by its id in the model list.",
        "model",
        level="simple",
        min_length=1,
    )
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
        le=1,
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
    max_length: int = option(
        512,
        "Longest row",
        "Rows with more tokens than this are left out of training and counted.",
        "data",
        level="simple",
        unit="tokens",
        ge=16,
        le=131072,
    )
    r: int = option(
        16,
        "LoRA rank",
        "Size of the adapter. Higher can learn more and needs more memory.",
        "adapter",
        level="simple",
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
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = option(
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
    optim: Literal["adamw_torch_fused", "adamw_torch", "adafactor", "adamw_bnb_8bit"] = option(
        "adamw_torch_fused",
        "Optimizer",
        "adamw_bnb_8bit (bitsandbytes) and adafactor need less memory.",
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
    completion_only_loss: bool = option(
        True, "Learn answers only", "The loss counts the answer, not the question.", "data"
    )
    allow_secrets: bool = option(
        False,
        "Train on keys and passwords",
        "Start although training rows hold keys or passwords. The model can repeat them to whoever talks to it.",
        "data",
    )
    packing: bool = option(
        False, "Packing", "Join short rows into full blocks of the longest row's length.", "data"
    )
    lora_alpha: int = option(
        32, "LoRA alpha", "Weight of the adapter; twice the rank is usual.", "adapter", ge=1, le=1024
    )
    lora_dropout: float = option(
        0.0,
        "LoRA dropout",
        "Share of the adapter switched off at random in each step.",
        "adapter",
        ge=0,
        lt=1,
    )
    target_modules: str = option(
        "all-linear",
        "LoRA layers",
        "'all-linear', or the names of the layers that get an adapter, separated by commas.",
        "adapter",
        min_length=1,
    )
    per_device_eval_batch_size: int = option(
        8,
        "Evaluation batch",
        "Rows at a time when the validation loss is measured.",
        "watch",
        unit="rows",
        ge=1,
        le=512,
    )
    eval_steps: int = option(
        20,
        "Validate every",
        "Steps between two measurements of the validation loss; a checkpoint is kept at each.",
        "watch",
        unit="steps",
        ge=1,
        le=100_000,
    )
    logging_steps: int = option(
        1, "Log every", "Steps between two points of the curves.", "watch", unit="steps", ge=1, le=10_000
    )
    save_total_limit: int = option(
        2, "Checkpoints kept", "The best and the last are always among them.", "watch", ge=1, le=100
    )
    load_best_model_at_end: bool = option(
        True,
        "Keep the best",
        "End with the checkpoint of the lowest validation loss, not with the last one.",
        "watch",
    )

    @model_validator(mode="after")
    def _packing_needs_length(self) -> Self:
        if self.packing and self.max_length > 8192:  # noqa: PLR2004 - a packed block is one dense row
            raise ValueError("packing: blocks of more than 8192 tokens do not fit; lower max_length")
        return self

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Make a spec from untyped values, e.g. of YAML or a form.

        Raises:
            BadInput: with every mistake at once, one per line.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in error.errors()]
            raise BadInput("training.bad_spec", "{problems}", problems="\n".join(problems)) from error

    def target_names(self) -> str | list[str]:
        """``target_modules`` as PEFT takes it."""
        names = [name.strip() for name in self.target_modules.split(",") if name.strip()]
        return names[0] if names == ["all-linear"] else names


def shown(field: FieldInfo) -> dict[str, str]:
    """``group``, ``level`` and ``unit`` of a field."""
    extra = field.json_schema_extra
    return {k: str(v) for k, v in extra.items()} if isinstance(extra, dict) else {}
