"""Every option of a run, once: the form, YAML, command line, help texts and docs derive from ``RunSpec``.

Names are TRL's, transformers' and PEFT's own. A field's title and description are its English label and help; ``unit``,
``group`` and ``level`` say where and how the form shows it. It does not know TRL: ``workers/arguments.py`` passes it on.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ftkit.errors import BadInput
from ftkit.training.option import option

Method = Literal["sft", "dpo", "kto"]


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
    method: Method = option(
        "sft",
        "Method",
        "sft learns to answer as the examples do, or to go on with plain texts. dpo learns from pairs of a better and a "
        "worse answer, kto from single answers marked as good or bad.",
        "model",
        level="simple",
    )
    use_peft: bool = option(
        True,
        "LoRA adapter",
        "Train a small adapter beside frozen weights. Off trains all weights: more memory, a whole model as the result.",
        "model",
        level="simple",
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
        needs=("use_peft", (True,)),
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
    completion_only_loss: bool = option(
        True,
        "Learn answers only",
        "The loss counts the answer, not the question.",
        "data",
        needs=("method", ("sft",)),
    )
    allow_secrets: bool = option(
        False,
        "Train on keys and passwords",
        "Start although training rows hold keys or passwords. The model can repeat them to whoever talks to it.",
        "data",
    )
    packing: bool = option(
        False,
        "Packing",
        "Join short rows into full blocks of the longest row's length.",
        "data",
        needs=("method", ("sft",)),
    )
    fast_path: bool = option(
        True,
        "Fast path",
        "On a processor, compute without padding and only what the loss needs, where that gives the same result.",
        "data",
        needs=("method", ("sft",)),
    )
    load_in_4bit: bool = option(
        False,
        "Frozen weights in 4 bits",
        "QLoRA: less memory, slower on a processor. Models below a billion parameters lose quality.",
        "adapter",
        needs=("use_peft", (True,)),
    )
    load_in_8bit: bool = option(
        False,
        "Frozen weights in 8 bits",
        "Less memory than 16 bits with next to no loss of quality; slower.",
        "adapter",
        needs=("use_peft", (True,)),
    )
    lora_alpha: int = option(
        32,
        "LoRA alpha",
        "Weight of the adapter; twice the rank is usual.",
        "adapter",
        needs=("use_peft", (True,)),
        ge=1,
        le=1024,
    )
    lora_dropout: float = option(
        0.0,
        "LoRA dropout",
        "Share of the adapter switched off at random in each step.",
        "adapter",
        needs=("use_peft", (True,)),
        ge=0,
        lt=1,
    )
    target_modules: str = option(
        "all-linear",
        "LoRA layers",
        "'all-linear', or the names of the layers that get an adapter, separated by commas.",
        "adapter",
        needs=("use_peft", (True,)),
        min_length=1,
    )
    use_rslora: bool = option(
        False,
        "rsLoRA",
        "Divide the adapter's weight by the square root of its rank, which suits high ranks.",
        "adapter",
        needs=("use_peft", (True,)),
    )
    use_dora: bool = option(
        False,
        "DoRA",
        "Learn length and direction of the weights apart: often a little better, about twice as slow.",
        "adapter",
        needs=("use_peft", (True,)),
    )
    start_from_run: str = option(
        "",
        "Go on from run",
        "Id of a finished run whose adapter is trained further, as in DPO after SFT; empty starts a new adapter.",
        "adapter",
        needs=("use_peft", (True,)),
        pattern=r"^[A-Za-z0-9._-]{0,63}$",
    )
    beta: float = option(
        0.1,
        "Beta",
        "How strongly the model is held near where it started: higher stays nearer.",
        "preference",
        needs=("method", ("dpo", "kto")),
        gt=0,
        le=10,
    )
    loss_type: Literal["sigmoid", "ipo", "hinge", "robust", "apo_zero"] = option(
        "sigmoid",
        "Loss",
        "sigmoid is DPO as published; ipo over-fits less on few pairs; robust bears wrong labels.",
        "preference",
        needs=("method", ("dpo",)),
    )
    desirable_weight: float = option(
        1.0,
        "Weight of good answers",
        "Raise it where good answers are rarer than bad ones, so that both count alike.",
        "preference",
        needs=("method", ("kto",)),
        gt=0,
        le=100,
    )
    undesirable_weight: float = option(
        1.0,
        "Weight of bad answers",
        "Raise it where bad answers are rarer than good ones.",
        "preference",
        needs=("method", ("kto",)),
        gt=0,
        le=100,
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
    early_stopping_patience: int = option(
        0,
        "Early stopping",
        "End the run after so many validations without a lower loss; 0 never does.",
        "watch",
        unit="validations",
        ge=0,
        le=1000,
    )
    report_to: Literal["none", "tensorboard", "trackio", "wandb"] = option(
        "none",
        "Also report to",
        "A tracker that gets the curves too; its package must be installed.",
        "watch",
    )

    @model_validator(mode="after")
    def _packing_needs_length(self) -> Self:
        if self.packing and self.max_length > 8192:  # noqa: PLR2004 - a packed block is one dense row
            raise ValueError("packing: blocks of more than 8192 tokens do not fit; lower max_length")
        return self

    @model_validator(mode="after")
    def _quantised_weights_need_an_adapter(self) -> Self:
        if self.quantised and not self.use_peft:
            raise ValueError("use_peft: weights in 4 or 8 bits cannot be trained; turn use_peft on")
        if self.load_in_4bit and self.load_in_8bit:
            raise ValueError("load_in_8bit: weights are kept in 4 bits or in 8, not in both")
        if self.start_from_run and not self.use_peft:
            raise ValueError(
                "start_from_run: a run's adapter can only be trained further with a LoRA adapter"
            )
        return self

    @model_validator(mode="after")
    def _kto_needs_pairs_in_a_batch(self) -> Self:
        if self.method == "kto" and self.per_device_train_batch_size < 2:  # noqa: PLR2004 - compared with each other
            raise ValueError("per_device_train_batch_size: kto compares rows of a batch; use 2 or more")
        return self

    @model_validator(mode="after")
    def _stopping_early_needs_the_best(self) -> Self:
        if self.early_stopping_patience and not self.load_best_model_at_end:
            raise ValueError("early_stopping_patience: stopping early needs load_best_model_at_end")
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

    @property
    def quantised(self) -> bool:
        """Whether the frozen weights are kept in 4 or 8 bits."""
        return self.load_in_4bit or self.load_in_8bit

    @property
    def may_be_fast(self) -> bool:
        """Whether the fast path is wanted and knows what is asked for; DoRA and quantised layers compute in other ways."""
        plain_adapter = self.use_peft and not self.use_dora and not self.quantised
        plain_rows = self.method == "sft" and not self.packing and not self.activation_checkpointing
        return self.fast_path and plain_adapter and plain_rows

    def target_names(self) -> str | list[str]:
        """``target_modules`` as PEFT takes it."""
        names = [name.strip() for name in self.target_modules.split(",") if name.strip()]
        return names[0] if names == ["all-linear"] else names
