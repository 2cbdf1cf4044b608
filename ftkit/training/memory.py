"""How much memory a run needs, part by part, and which change would make it fit.

Takes a spec, the model's shape and the longest row, gives megabytes. Pure: it measures nothing. Formulas were fitted to
measured runs of one model (see the tests); another model deserves the margin that is added.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Any, Literal

from ftkit.records import Model
from ftkit.training import encoder_decoder
from ftkit.training.machine import MEGABYTE, Machine
from ftkit.training.spec import RunSpec

# Resident size of a worker after its imports, before any model (measured with the pinned libraries).
_IMPORTS_MB = 590
# Cross entropy keeps logits, their softmax and the gradient, in 32 bits: over the whole batch, or on the fast path over
# this many positions at a time.
_LOGITS_BYTES = 8.6 * 4
_POSITIONS_AT_ONCE = 256
# On a processor with 16-bit units the weights are there twice, in 32 bits as they were loaded and in 16, and what is freed
# after a step is kept for the next one of another length: 900 MB more, at most, in whole runs of 512 to 2,048 tokens a step.
_BOTH_WIDTHS = 4 + 2
_KEPT_MB = 900
_MARGIN = 1.15
_TIGHT = 0.8
# Bytes per trained weight that an optimizer keeps: two moments in 32 bits, in 8 bits, or one row and column of each matrix.
_OPTIMIZER_BYTES = {
    "adamw_torch_fused": 8.0,
    "adamw_torch": 8.0,
    "adamw_bnb_8bit": 2.0,
    "paged_adamw_8bit": 2.0,
    "adafactor": 0.1,
    "sgd": 0.0,
}
# Bytes per weight of a linear layer with its scales.
_FOUR_BITS, _EIGHT_BITS = 0.57, 1.05


@dataclass(frozen=True)
class Memory:
    """Peak memory of a run in megabytes, by what takes it."""

    program: float
    weights: float
    gradients: float
    optimizer: float
    activations: float
    logits: float

    @property
    def total(self) -> int:
        """All parts together."""
        parts: tuple[float, ...] = astuple(self)
        return round(sum(parts))


@dataclass(frozen=True)
class Fit:
    """Whether a run fits into a machine; ``change`` has the options with which it would, empty where none is needed or helps."""

    fits: Literal["fits", "tight", "exceeds"]
    memory: Memory
    free_mb: int
    change: dict[str, Any]
    needs_with_change_mb: int | None

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "fits": self.fits,
            "needs_mb": self.memory.total,
            "free_mb": self.free_mb,
            "parts": {name: round(value) for name, value in vars(self.memory).items()},
            "change": self.change,
            "needs_with_change_mb": self.needs_with_change_mb,
        }


def fit(spec: RunSpec, model: Model, longest: int, machine: Machine) -> Fit:
    """Whether a run fits; arguments as ``estimate``."""
    memory = estimate(spec, model, longest, machine)
    verdict = judge(memory, machine)
    found = what_would_fit(spec, model, longest, machine) if verdict == "exceeds" else None
    change, needs = found or ({}, None)
    return Fit(verdict, memory, machine.memory_mb, change, needs)


def judge(memory: Memory, machine: Machine) -> Literal["fits", "tight", "exceeds"]:
    """What is free beside what is needed."""
    ratio = memory.total / max(1, machine.memory_mb)
    return "exceeds" if ratio > 1 else "tight" if ratio > _TIGHT else "fits"


def adapter_parameters(spec: RunSpec, model: Model) -> int:
    """Trainable parameters of LoRA on every linear layer: r · (inputs + outputs), summed over the layers."""
    if model.encoder_decoder:
        return encoder_decoder.adapter_parameters(spec, model)
    shape = model.architecture
    hidden, inner = shape["hidden"], shape["intermediate"]
    kv = shape.get("key_value", hidden)
    attention = 2 * (hidden + hidden) + 2 * (hidden + kv)
    feed_forward = 3 * (hidden + inner)
    return spec.r * shape["layers"] * (attention + feed_forward)


def estimate(
    spec: RunSpec, model: Model, longest: int, machine: Machine, longest_answer: int | None = None
) -> Memory:
    """Memory at the peak of a run.

    Args:
        spec: the run.
        model: its base model.
        longest: tokens of the longest training row.
        machine: where it will run.
        longest_answer: tokens of the longest answer, which an encoder-decoder model reads apart; None for as long as a row.
    """
    shape = model.architecture
    narrow = spec.bf16 and machine.bf16
    wide = 2 if narrow else 4
    trained = _trained(spec, model)
    tokens = _tokens_at_once(spec, longest)
    answer = min(longest_answer or longest, longest, spec.max_length)
    per_layer = (10 * shape["hidden"] + 5.5 * shape["intermediate"]) * wide
    if model.encoder_decoder:
        asked = min(longest, spec.max_length)
        activations = encoder_decoder.activations(spec, model, asked, answer, wide)
    elif spec.activation_checkpointing:
        activations = tokens * (shape["layers"] * shape["hidden"] * wide + per_layer)
    else:
        activations = tokens * shape["layers"] * per_layer
    fast = spec.may_be_fast and not machine.gpu
    scored = min(tokens, _POSITIONS_AT_ONCE) if fast else tokens
    logits = scored * _LOGITS_BYTES * shape["vocabulary"]
    if model.encoder_decoder:
        logits = encoder_decoder.logits(spec, model, answer)
    mega = _MARGIN / MEGABYTE
    # Gradients of all weights come while activations go: at the peak, the larger of the two is there.
    gradients = 4.0 * trained
    return Memory(
        program=_IMPORTS_MB + (_KEPT_MB if narrow and not machine.gpu else 0),
        weights=_weights(spec, model, machine, narrow) * mega,
        gradients=(gradients if spec.use_peft else max(0.0, gradients - activations)) * mega,
        optimizer=_OPTIMIZER_BYTES[spec.optim] * trained * mega,
        activations=activations * mega,
        logits=logits * mega,
    )


def checkpoints_mb(spec: RunSpec, model: Model) -> int:
    """Disk for the checkpoints kept and the one being written: trained weights in 32 bits and the optimizer's state."""
    return round(
        (spec.save_total_limit + 1) * _trained(spec, model) * (4 + _OPTIMIZER_BYTES[spec.optim]) / MEGABYTE
    )


def what_would_fit(
    spec: RunSpec, model: Model, longest: int, machine: Machine, longest_answer: int | None = None
) -> tuple[dict[str, Any], int] | None:
    """The smallest change of options with which the run fits, and what it then needs; None where none helps."""
    for changes in _changes(spec, longest):
        needs = estimate(spec.model_copy(update=changes), model, longest, machine, longest_answer).total
        if needs <= machine.memory_mb:
            return changes, needs
    return None


def _changes(spec: RunSpec, longest: int) -> Iterator[dict[str, Any]]:
    """From what costs nothing to what costs quality."""
    smallest = 2 if spec.method == "kto" else 1
    changes: dict[str, Any] = {}
    size, steps = spec.per_device_train_batch_size, spec.gradient_accumulation_steps
    while size > smallest and size % 2 == 0:
        size, steps = size // 2, steps * 2
        changes = {"per_device_train_batch_size": size, "gradient_accumulation_steps": steps}
        yield changes
    if not spec.activation_checkpointing:
        changes = {**changes, "activation_checkpointing": True}
        yield changes
    if not spec.use_peft:
        changes = {**changes, "use_peft": True}
        yield changes
    if not spec.quantised:
        changes = {**changes, "load_in_4bit": True}
        yield changes
    length = min(spec.max_length, longest)
    while length > 64:  # noqa: PLR2004 - shorter rows hold hardly an answer
        length //= 2
        yield {**changes, "max_length": length}


def _trained(spec: RunSpec, model: Model) -> int:
    """Weights that are trained."""
    return adapter_parameters(spec, model) if spec.use_peft else model.parameters


def _tokens_at_once(spec: RunSpec, longest: int) -> int:
    """Tokens of a batch, padding included; with preferences, of both answers or of the answer and a foreign one."""
    row = spec.max_length if spec.packing else min(longest, spec.max_length)
    sides = 1 if spec.method == "sft" else 2
    return row * spec.per_device_train_batch_size * sides


def _weights(spec: RunSpec, model: Model, machine: Machine, narrow: bool) -> float:
    """Bytes of all weights, and of a second model where full fine-tuning needs one to compare with."""
    shape = model.architecture
    embeddings = shape["vocabulary"] * shape["hidden"]
    linear = max(0, model.parameters - embeddings)
    twice = narrow and not machine.gpu
    if spec.quantised:
        return linear * (_FOUR_BITS if spec.load_in_4bit else _EIGHT_BITS) + embeddings * (2 if narrow else 4)
    if not spec.use_peft:
        copies = 2 if spec.method != "sft" else 1
        return model.parameters * (_BOTH_WIDTHS if twice else 4) * copies
    return model.parameters * (_BOTH_WIDTHS if twice else 2 if narrow else 4)
