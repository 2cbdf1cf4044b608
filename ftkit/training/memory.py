"""How much memory a run needs, part by part, and which change would make it fit.

Takes a spec, the model's shape and the lengths of rows, gives megabytes. Pure: it measures nothing. Formulas were fitted to
measured runs of one model (``python -m tests.bench memory`` measures them again); a run of another model can need more or less.
"""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from statistics import NormalDist
from typing import Any, Literal

from ftkit.records import Model
from ftkit.training import encoder_decoder
from ftkit.training.machine import MEGABYTE, Machine
from ftkit.training.spec import RunSpec

# Resident size of a worker after its imports, before any model (measured with the pinned libraries).
_IMPORTS_MB = 590
# Cross entropy keeps logits, their softmax and the gradient, in 32 bits: over the whole batch. On the fast path it keeps two of
# them and a narrow one, over this many positions at a time.
_LOGITS_BYTES, _FAST_LOGITS_BYTES = 8.6 * 4, 12
_POSITIONS_AT_ONCE = 256
# Bytes that a processor keeps for each value of an activation: 16-bit copies stand beside what stays in 32 bits, and what is
# freed after a step is kept for the next one of another length. On the fast path most values are kept once, or made anew.
_VALUE_BYTES, _FAST_VALUE_BYTES = 4.15, 2.5
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
class Lengths:
    """Lengths of the training rows, in tokens.

    Args:
        longest: of all.
        longest_answer: which an encoder-decoder model reads apart; 0 for as long as a row.
        mean: of all.
        spread: their standard deviation.
        batches: how many a run will see: among more there is a larger one.
    """

    longest: int
    longest_answer: int = 0
    mean: float = 0.0
    spread: float = 0.0
    batches: int = 1

    @classmethod
    def alike(cls, longest: int, longest_answer: int = 0) -> "Lengths":
        """Rows of one length."""
        return cls(longest, longest_answer, longest)

    def largest_batch(self, rows: int) -> float:
        """Tokens of the largest batch without padding.

        The largest of n sums of independent lengths, by the quantile (n - 3/8) / (n + 1/4) of the normal distribution
        (Blom 1958), and no more than rows that are all the longest.
        """
        above = (
            NormalDist().inv_cdf((self.batches - 0.375) / (self.batches + 0.25)) if self.batches > 1 else 0.0
        )
        expected = rows * self.mean + above * self.spread * math.sqrt(rows)
        return min(rows * self.longest, max(expected, self.longest + (rows - 1) * self.mean))


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


def fit(spec: RunSpec, model: Model, lengths: Lengths, machine: Machine) -> Fit:
    """Whether a run fits; arguments as ``estimate``."""
    memory = estimate(spec, model, lengths, machine)
    verdict = judge(memory, machine)
    found = what_would_fit(spec, model, lengths, machine) if verdict == "exceeds" else None
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


def estimate(spec: RunSpec, model: Model, lengths: Lengths, machine: Machine) -> Memory:
    """Memory at the peak of a run.

    Args:
        spec: the run.
        model: its base model.
        lengths: of the training rows.
        machine: where it will run.
    """
    shape = model.architecture
    narrow = spec.bf16 and machine.bf16
    fast = _fast(spec, model, machine)
    trained = _trained(spec, model)
    tokens = _tokens_at_once(spec, lengths)
    asked = min(lengths.longest, spec.max_length)
    answer = min(lengths.longest_answer or asked, asked)
    wide = _FAST_VALUE_BYTES if fast else _VALUE_BYTES
    if machine.gpu:
        wide = 2.0 if narrow else 4.0
    per_layer = (10 * shape["hidden"] + 5.5 * shape["intermediate"]) * wide
    if model.encoder_decoder:
        activations = encoder_decoder.activations(spec, model, asked, answer)
    elif spec.activation_checkpointing:
        activations = tokens * (shape["layers"] * shape["hidden"] * wide + per_layer)
    else:
        activations = tokens * shape["layers"] * per_layer
    if fast:
        logits = min(tokens, _POSITIONS_AT_ONCE) * _FAST_LOGITS_BYTES * shape["vocabulary"]
    else:
        logits = _scored(spec, lengths, tokens) * _LOGITS_BYTES * shape["vocabulary"]
    if model.encoder_decoder:
        logits = encoder_decoder.logits(spec, model, answer)
    # Gradients of all weights come while activations go: at the peak, the larger of the two is there.
    gradients = 4.0 * trained if spec.use_peft else max(0.0, 4.0 * trained - activations - logits)
    optimizer = _OPTIMIZER_BYTES[spec.optim] * trained
    weights = _weights(spec, model, machine, narrow)
    if narrow and fast:
        # Loaded in 32 bits, narrowed, and then given back: with few tokens that is the peak.
        loading = 6 * model.parameters
        weights = max(weights, loading - gradients - optimizer - activations - logits)
    return Memory(
        program=_IMPORTS_MB,
        weights=weights / MEGABYTE,
        gradients=gradients / MEGABYTE,
        optimizer=optimizer / MEGABYTE,
        activations=activations / MEGABYTE,
        logits=logits / MEGABYTE,
    )


def checkpoints_mb(spec: RunSpec, model: Model) -> int:
    """Disk for the checkpoints kept and the one being written: trained weights in 32 bits and the optimizer's state."""
    kept = max(
        spec.save_total_limit, 2 if spec.load_best_model_at_end else 1
    )  # the best and the last stay in any case
    return round((kept + 1) * _trained(spec, model) * (4 + _OPTIMIZER_BYTES[spec.optim]) / MEGABYTE)


def what_would_fit(
    spec: RunSpec, model: Model, lengths: Lengths, machine: Machine
) -> tuple[dict[str, Any], int] | None:
    """The smallest change of options with which the run fits, and what it then needs; None where none helps."""
    for changes in _changes(spec, lengths.longest):
        needs = estimate(spec.model_copy(update=changes), model, lengths, machine).total
        if needs <= machine.memory_mb:
            return changes, needs
    return None


def smaller(spec: RunSpec) -> dict[str, Any]:
    """The first change with which a run needs less memory; empty where there is none."""
    return next(_changes(spec, spec.max_length), {})


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


def _tokens_at_once(spec: RunSpec, lengths: Lengths) -> float:
    """Tokens of the largest batch; with preferences padded to the longest row, and of both answers or a foreign one."""
    size = spec.per_device_train_batch_size
    if spec.packing:
        return size * spec.max_length
    if spec.method == "sft":
        return min(lengths.largest_batch(size), size * spec.max_length)
    return 2 * size * min(lengths.longest, spec.max_length)


def _fast(spec: RunSpec, model: Model, machine: Machine) -> bool:
    """Whether the run is computed on the fast path, as far as can be told before the model is loaded."""
    return spec.may_be_fast and not machine.gpu and not model.encoder_decoder


def _scored(spec: RunSpec, lengths: Lengths, tokens: float) -> float:
    """Tokens of the largest batch that get scores over the vocabulary: with preferences, those of answers."""
    if spec.method == "sft" or not lengths.longest_answer:
        return tokens
    # A pair's answers are counted together; a marked one is scored beside a foreign one.
    sides = 1 if spec.method == "dpo" else 2
    return min(tokens, sides * spec.per_device_train_batch_size * lengths.longest_answer)


def _weights(spec: RunSpec, model: Model, machine: Machine, narrow: bool) -> float:
    """Bytes of all weights, and of a second model where full fine-tuning needs one to compare with."""
    shape = model.architecture
    embeddings = shape["vocabulary"] * shape["hidden"]
    linear = max(0, model.parameters - embeddings)
    if narrow and _fast(spec, model, machine):
        return (
            2 * linear + 6 * embeddings
        )  # what was loaded in 32 bits is given back; the head stands beside the embeddings
    # With 16-bit units weights are there in 32 bits, as they were loaded, and in 16.
    whole = (6 if narrow and not machine.gpu else 4) * model.parameters
    if spec.quantised:
        return linear * (_FOUR_BITS if spec.load_in_4bit else _EIGHT_BITS) + embeddings * (2 if narrow else 4)
    if not spec.use_peft:
        return whole * (2 if spec.method != "sft" else 1)
    return 2 * model.parameters if narrow and machine.gpu else whole
