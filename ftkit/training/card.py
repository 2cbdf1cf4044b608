"""The run card: what a run will cost and whether it can work, before it starts.

Takes a spec, token counts, the model's shape and the machine; gives numbers and problems. Pure: it measures nothing.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

from ftkit.errors import FtkitError, Refused
from ftkit.records import Model
from ftkit.training.machine import MEGABYTE, Machine
from ftkit.training.spec import RunSpec

# Resident size of a worker after its imports, before any model (measured with the pinned libraries).
_IMPORTS_MB = 590
# Cross entropy keeps logits, their softmax and the gradient, in 32 bits: over the whole batch on a GPU, over this many
# positions at a time on a CPU.
_LOGITS_BYTES = 8.6 * 4
_POSITIONS_AT_ONCE = 256
# On a processor with 16-bit units the weights are there twice, in 32 bits as they were loaded and in 16, and what is freed
# after a step is kept for the next one of another length: 900 MB more, at most, in whole runs of 512 to 2,048 tokens a step.
_BOTH_WIDTHS = 4 + 2
_KEPT_MB = 900
# Memory formulas hold within 7 % on four measured configurations of one model; another model deserves more room.
_MARGIN = 1.15
# Useful work per core: what a plain and a recent processor reach.
_SLOW_FLOPS, _FAST_FLOPS = 15e9, 80e9
_TIGHT = 0.8


@dataclass(frozen=True)
class TokenCounts:
    """Counts of one part of a split under a model's template.

    ``reasons`` has the numbers of ``empty`` rows and why each is one; ``disarmed`` ones have control tokens in their text; ``secrets`` are rows with a key or a
    password, the first of which ``secret_places`` shows masked.
    """

    rows: int
    tokens: int
    trained_tokens: int
    longest: int
    left_out: int
    empty: int
    disarmed: int = 0
    secrets: int = 0
    reasons: tuple[tuple[int, str], ...] = ()
    secret_places: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunCard:
    """What a run will cost; ``problems`` would make it fail, ``warnings`` are worth knowing."""

    rows: int
    left_out: int
    steps: int
    effective_batch: int
    tokens: int
    trained_tokens: int
    longest: int
    memory_mb: int
    memory_free_mb: int
    fits: Literal["fits", "tight", "exceeds"]
    seconds: tuple[float, float] | None
    seconds_from: Literal["earlier runs", "estimate", "unknown"]
    device: str
    problems: tuple[FtkitError, ...]
    warnings: tuple[FtkitError, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON values; problems and warnings as sentences."""
        return {
            **vars(self),
            "problems": [str(problem) for problem in self.problems],
            "warnings": [str(warning) for warning in self.warnings],
        }


def make_card(
    spec: RunSpec, train: TokenCounts, model: Model, machine: Machine, speed: float | None
) -> RunCard:
    """Work out the card.

    Args:
        spec: the run.
        train: counts of the training part at ``spec.max_length``.
        model: the base model.
        machine: where it will run.
        speed: tokens per second of an earlier run of this model here, if there was one.
    """
    steps = count_steps(spec, train.rows)
    batch = spec.per_device_train_batch_size * spec.gradient_accumulation_steps
    share = steps * batch / train.rows if train.rows else 0.0
    tokens = round(train.tokens * share)
    memory = round(estimate_memory(spec, model, train.longest, machine))
    ratio = memory / max(1, machine.memory_mb)
    fits: Literal["fits", "tight", "exceeds"] = (
        "exceeds" if ratio > 1 else "tight" if ratio > _TIGHT else "fits"
    )
    seconds, source = _seconds(tokens, model, machine, speed)
    return RunCard(
        rows=train.rows,
        left_out=train.left_out + train.empty,
        steps=steps,
        effective_batch=batch,
        tokens=tokens,
        trained_tokens=round(train.trained_tokens * share),
        longest=train.longest,
        memory_mb=memory,
        memory_free_mb=machine.memory_mb,
        fits=fits,
        seconds=seconds,
        seconds_from=source,
        device=machine.gpu or "CPU",
        problems=tuple(_problems(spec, train, memory, machine)),
        warnings=tuple(_warnings(spec, train)),
    )


def count_steps(spec: RunSpec, rows: int) -> int:
    """Optimizer steps, counted as transformers' Trainer counts them."""
    if spec.max_steps > 0:
        return spec.max_steps
    batches = math.ceil(rows / spec.per_device_train_batch_size)
    per_epoch = max(1, math.ceil(batches / spec.gradient_accumulation_steps))
    return math.ceil(spec.num_train_epochs * per_epoch)


def adapter_parameters(spec: RunSpec, model: Model) -> int:
    """Trainable parameters of LoRA on every linear layer: r · (inputs + outputs), summed over the layers."""
    shape = model.architecture
    hidden, inner = shape["hidden"], shape["intermediate"]
    kv = shape.get("key_value", hidden)
    attention = 2 * (hidden + hidden) + 2 * (hidden + kv)
    feed_forward = 3 * (hidden + inner)
    return spec.r * shape["layers"] * (attention + feed_forward)


def estimate_memory(spec: RunSpec, model: Model, longest: int, machine: Machine) -> float:
    """Peak memory in megabytes: imports, weights, trained weights with gradient and Adam's two moments, activations
    of one batch, logits of one batch.
    """
    shape = model.architecture
    narrow = spec.bf16 and machine.bf16
    wide = 2 if narrow else 4
    twice = narrow and not machine.gpu
    row = spec.max_length if spec.packing else min(longest, spec.max_length)
    batch_tokens = row * spec.per_device_train_batch_size
    weights = model.parameters * (_BOTH_WIDTHS if twice else wide)
    trained = adapter_parameters(spec, model) * (4 + 4 + 8)
    activations = batch_tokens * shape["layers"] * (10 * shape["hidden"] + 5.5 * shape["intermediate"]) * wide
    scored = batch_tokens if machine.gpu else min(batch_tokens, _POSITIONS_AT_ONCE)
    logits = scored * _LOGITS_BYTES * shape["vocabulary"]
    kept = _KEPT_MB if twice else 0
    return _IMPORTS_MB + kept + _MARGIN * (weights + trained + activations + logits) / MEGABYTE


def _seconds(
    tokens: int, model: Model, machine: Machine, speed: float | None
) -> tuple[tuple[float, float] | None, Literal["earlier runs", "estimate", "unknown"]]:
    if speed:
        return (0.8 * tokens / speed, 1.3 * tokens / speed), "earlier runs"
    if machine.gpu:
        return None, "unknown"
    # Frozen weights: two operations per weight forwards, two backwards for the gradient of the input.
    work = 4 * model.parameters * tokens
    fast, slow = machine.cores * _FAST_FLOPS, machine.cores * _SLOW_FLOPS
    return (work / fast, work / slow), "estimate"


def _problems(spec: RunSpec, train: TokenCounts, memory: int, machine: Machine) -> list[FtkitError]:
    found: list[FtkitError] = []
    if train.rows == 0:
        found.append(
            Refused(
                "training.no_rows",
                "No training row is left: {left_out} are longer than {max_length} tokens and {empty} have no answer. "
                "Raise the longest row, or choose another split.",
                left_out=train.left_out,
                max_length=spec.max_length,
                empty=train.empty,
            )
        )
    elif train.trained_tokens == 0:
        found.append(
            Refused(
                "training.nothing_to_learn",
                "No token of the training rows would be learned. Check which column is the answer.",
            )
        )
    if train.secrets and not spec.allow_secrets:
        found.append(
            Refused(
                "training.secrets",
                "{rows} training rows hold keys or passwords ({places}), and a model can repeat them. Mask them with the "
                "cleaning step mask_personal_data, or set allow_secrets to train on them as they are.",
                rows=train.secrets,
                places="; ".join(train.secret_places),
            )
        )
    if memory > machine.memory_mb:
        found.append(
            Refused(
                "training.too_large",
                "It needs about {memory} MB and {free} MB are free. Lower the batch size or the longest row.",
                memory=memory,
                free=machine.memory_mb,
            )
        )
    return found


def _warnings(spec: RunSpec, train: TokenCounts) -> list[FtkitError]:
    found: list[FtkitError] = []
    whole = train.rows + train.left_out + train.empty
    if train.left_out:
        found.append(
            Refused(
                "training.some_left_out",
                "{left_out} of {whole} rows are longer than {max_length} tokens and will be left out.",
                left_out=train.left_out,
                whole=whole,
                max_length=spec.max_length,
            )
        )
    if train.reasons:
        found.append(
            Refused(
                "training.some_empty",
                "{empty} of {whole} rows have nothing to learn and will be left out. Row {row}: {reason}.",
                empty=train.empty,
                whole=whole,
                row=train.reasons[0][0],
                reason=train.reasons[0][1],
            )
        )
    if train.disarmed:
        found.append(
            Refused(
                "training.some_disarmed",
                "{rows} of {whole} rows hold control tokens of the model in their text. A space breaks them up, so that they "
                "are read as text and end no turn.",
                rows=train.disarmed,
                whole=whole,
            )
        )
    return found
