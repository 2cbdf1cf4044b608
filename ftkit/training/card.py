"""The run card: what a run will cost and whether it can work, before it starts.

Takes a spec, token counts, the model's shape and the machine; gives numbers and problems. Pure: it measures nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ftkit.errors import FtkitError, Refused
from ftkit.records import Model
from ftkit.training.machine import Machine
from ftkit.training.memory import Lengths, Memory, checkpoints_mb, estimate, judge, what_would_fit
from ftkit.training.spec import RunSpec

# Useful work per core: what a plain and a recent processor reach.
_SLOW_FLOPS, _FAST_FLOPS = 15e9, 80e9
_HIGH_RATE = 0.05
_SMALL_MODEL = 1_000_000_000  # parameters


@dataclass(frozen=True)
class TokenCounts:
    """Counts of one part of a split under a model's template.

    ``reasons`` has the numbers of ``empty`` rows and why each is one; ``disarmed`` ones have control tokens in their text; ``secrets`` are rows with a key or a
    password, the first of which ``secret_places`` shows masked. ``unknown`` rows hold signs that the tokenizer has no token
    for, some of which are ``unknown_signs``. ``longest_answer``: most tokens that the loss counts in a row; ``spread``: standard
    deviation of the rows' tokens.
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
    longest_answer: int = 0
    spread: float = 0.0
    unknown: int = 0
    unknown_signs: str = ""

    def lengths(self, spec: RunSpec) -> Lengths:
        """For the memory estimate of a run."""
        mean = self.tokens / self.rows if self.rows else 0.0
        batches = count_steps(spec, self.rows) * spec.gradient_accumulation_steps
        return Lengths(self.longest, self.longest_answer, mean, self.spread, batches)


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
    memory_parts: Memory
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
            "memory_parts": {name: round(value) for name, value in vars(self.memory_parts).items()},
            "problems": [str(problem) for problem in self.problems],
            "warnings": [str(warning) for warning in self.warnings],
        }


def make_card(
    spec: RunSpec,
    train: TokenCounts,
    model: Model,
    machine: Machine,
    speed: float | None,
    refused: Sequence[FtkitError] = (),
) -> RunCard:
    """Work out the card.

    Args:
        spec: the run.
        train: counts of the training part at ``spec.max_length``.
        model: the base model.
        machine: where it will run.
        speed: tokens per second of an earlier run of this kind here, if there was one.
        refused: what else would make it fail.
    """
    steps = count_steps(spec, train.rows)
    batch = spec.per_device_train_batch_size * spec.gradient_accumulation_steps
    share = steps * batch / train.rows if train.rows else 0.0
    tokens = round(train.tokens * share)
    memory = estimate(spec, model, train.lengths(spec), machine)
    seconds, source = _seconds(tokens, spec, model, machine, speed)
    return RunCard(
        rows=train.rows,
        left_out=train.left_out + train.empty,
        steps=steps,
        effective_batch=batch,
        tokens=tokens,
        trained_tokens=round(train.trained_tokens * share),
        longest=train.longest,
        memory_mb=memory.total,
        memory_parts=memory,
        memory_free_mb=machine.memory_mb,
        fits=judge(memory, machine),
        seconds=seconds,
        seconds_from=source,
        device=machine.gpu or "CPU",
        problems=(*refused, *_problems(spec, train, model, memory, machine)),
        warnings=tuple(_warnings(spec, train, model)),
    )


def count_steps(spec: RunSpec, rows: int) -> int:
    """Optimizer steps, counted as transformers' Trainer counts them."""
    if spec.max_steps > 0:
        return spec.max_steps
    batches = math.ceil(rows / spec.per_device_train_batch_size)
    per_epoch = max(1, math.ceil(batches / spec.gradient_accumulation_steps))
    return math.ceil(spec.num_train_epochs * per_epoch)


def _seconds(
    tokens: int, spec: RunSpec, model: Model, machine: Machine, speed: float | None
) -> tuple[tuple[float, float] | None, Literal["earlier runs", "estimate", "unknown"]]:
    if speed:
        return (0.8 * tokens / speed, 1.3 * tokens / speed), "earlier runs"
    if machine.gpu:
        return None, "unknown"
    # A token of an encoder-decoder model passes one of the two halves.
    work = _work(spec) * model.parameters * tokens / (2 if model.encoder_decoder else 1)
    fast, slow = machine.cores * _FAST_FLOPS, machine.cores * _SLOW_FLOPS
    return (work / fast, work / slow), "estimate"


def _work(spec: RunSpec) -> int:
    """Operations per weight and token: two forwards, two backwards for the gradient of the input, two for that of a weight."""
    work = 4 if spec.use_peft else 6
    if spec.activation_checkpointing:
        work += 2
    # The reference reads what the model reads; kto also reads foreign answers with both.
    return work + {"dpo": 2, "kto": 6}.get(spec.method, 0)


def _problems(
    spec: RunSpec, train: TokenCounts, model: Model, memory: Memory, machine: Machine
) -> list[FtkitError]:
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
    if memory.total > machine.memory_mb:
        found.append(_too_large(spec, train, model, memory, machine))
    if spec.report_to not in {"none", *machine.trackers}:
        found.append(
            Refused(
                "training.no_tracker",
                "{tracker} is not installed here. Install the trackers in the folder of ftkit with: pip install "
                "'.[trackers]'; or set report_to to none.",
                tracker=spec.report_to,
            )
        )
    disk = checkpoints_mb(spec, model)
    if machine.disk_mb is not None and disk > machine.disk_mb:
        found.append(
            Refused(
                "training.not_enough_disk",
                "Its checkpoints need about {need} MB and {free} MB are free. Make room, or lower save_total_limit.",
                need=disk,
                free=machine.disk_mb,
            )
        )
    return found


def _too_large(
    spec: RunSpec, train: TokenCounts, model: Model, memory: Memory, machine: Machine
) -> FtkitError:
    """That it does not fit, and the change with which it would."""
    helps = what_would_fit(spec, model, train.lengths(spec), machine)
    if helps is None:
        return Refused(
            "training.too_large",
            "It needs about {memory} MB and {free} MB are free. No setting makes this model fit here: choose a smaller one.",
            memory=memory.total,
            free=machine.memory_mb,
        )
    changes, needs = helps
    return Refused(
        "training.too_large_so_change",
        "It needs about {memory} MB and {free} MB are free. With {changes} it would need {needs} MB.",
        memory=memory.total,
        free=machine.memory_mb,
        changes=", ".join(
            f"{name}={str(value).lower() if value is True else value}" for name, value in changes.items()
        ),
        needs=needs,
    )


def _warnings(spec: RunSpec, train: TokenCounts, model: Model) -> list[FtkitError]:
    return [*_warnings_of_rows(spec, train, model), *_warnings_of_options(spec, model)]


def _warnings_of_rows(spec: RunSpec, train: TokenCounts, model: Model) -> list[FtkitError]:
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
    if train.unknown:
        found.append(
            Refused(
                "training.some_unknown",
                "{rows} of {whole} rows hold signs that {model} has no token for ({signs}): it can neither read nor write them. "
                "Replace them in the data, or choose a model that knows them.",
                rows=train.unknown,
                whole=whole,
                model=model.name,
                signs=train.unknown_signs,
            )
        )
    return found


def _warnings_of_options(spec: RunSpec, model: Model) -> list[FtkitError]:
    found: list[FtkitError] = []
    if spec.learning_rate > _HIGH_RATE:
        found.append(
            Refused(
                "training.rate_is_high",
                "learning_rate {rate} is far above what trains (1e-5 to 1e-3 is usual): the run will probably go astray and "
                "stop there.",
                rate=spec.learning_rate,
            )
        )
    if spec.load_in_4bit and model.parameters < _SMALL_MODEL:
        found.append(
            Refused(
                "training.small_model_in_4_bits",
                "{model} is small for 4 bits: it loses quality and little memory is saved. Use load_in_8bit, or neither.",
                model=model.name,
            )
        )
    return found
