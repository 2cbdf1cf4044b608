"""What a sweep is asked for, and what its trials found.

Takes values, gives records, mistakes by field, the best trial and the time that is left. It reads no file.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ftkit.errors import BadInput, FtkitError
from ftkit.records import Record
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps import space as spaces
from ftkit.training.sweeps.space import Space, Value

Sampler = Literal["tpe", "random", "grid"]
Direction = Literal["minimize", "maximize"]
TrialState = Literal["running", "done", "pruned", "failed", "refused", "stopped"]

SAMPLERS: tuple[Sampler, ...] = ("tpe", "random", "grid")
# Metrics of a run that can be the goal, and which way is better.
METRICS: Mapping[str, Direction] = {
    "eval_loss": "minimize",
    "eval_reward_accuracy": "maximize",
    "eval_reward_margin": "maximize",
    "train_loss": "minimize",
    "tokens_per_second": "maximize",
    "train_seconds": "minimize",
    "peak_memory_mb": "minimize",
}
MOST_TRIALS = 500
# With other values of these the loss itself is another one.
_CHANGES_THE_LOSS = frozenset({"beta", "loss_type", "desirable_weight", "undesirable_weight"})
_MOST_SEED = 2**32 - 1


class Plan(Record):
    """How to search; ``space`` is as written: option → values."""

    space: dict[str, str]
    trials: int = 10
    metric: str = "eval_loss"
    sampler: str = "tpe"
    prune: bool = False
    seed: int = 42


class Trial(Record):
    """One try: its values, its run, how it ended.

    Args:
        number: from 1 on.
        values: option → value.
        run: id of its run; empty where none could be started.
        state: ``pruned`` was given up early, ``refused`` could not start, ``stopped`` was ended by a person.
        value: of the metric; only where it is done.
        losses: step → validation loss, as far as they were looked at.
        step: where it was given up.
        seconds: from the start of its worker to the end.
        reason: why there is no value, as ``FtkitError.as_dict``.
    """

    number: int
    values: dict[str, Value]
    run: str = ""
    state: TrialState = "running"
    value: float | None = None
    losses: dict[int, float] = {}
    step: int | None = None
    seconds: float | None = None
    reason: dict[str, Any] | None = None


class Found(Record):
    """Everything that a sweep knows so far; ``importance`` is empty where there are too few trials for it."""

    trials: tuple[Trial, ...] = ()
    importance: dict[str, float] = {}


def mistakes(plan: Plan, base: RunSpec) -> dict[str, FtkitError]:
    """Everything that is wrong with a plan, by option and by ``space``, ``trials``, ``metric``, ``sampler``, ``prune``, ``seed``."""
    found: dict[str, FtkitError] = {}
    for name, text in plan.space.items():
        if error := spaces.problem(name, text, base, plan.space) or _other_loss(name, plan.metric):
            found[name] = error
    if not plan.space:
        found["space"] = BadInput("sweeps.nothing_varies", "Choose at least one option to vary.")
    checks = {"trials": _wrong_trials(plan, bool(found)), "metric": _wrong_metric(plan, base)}
    if plan.sampler not in SAMPLERS:
        checks["sampler"] = BadInput(
            "sweeps.no_sampler",
            "There is no way of choosing named {name}. There are: {known}.",
            name=plan.sampler,
            known=", ".join(SAMPLERS),
        )
    if plan.prune and plan.metric != "eval_loss":
        checks["prune"] = BadInput(
            "sweeps.prune_by_loss",
            "Trials are given up by their validation loss: that needs eval_loss as the goal.",
        )
    if not 0 <= plan.seed <= _MOST_SEED:
        checks["seed"] = BadInput("sweeps.bad_seed", "The seed must be from 0 to {most}.", most=_MOST_SEED)
    return found | {field: error for field, error in checks.items() if error is not None}


def read_space(texts: Mapping[str, str]) -> Space:
    """The dimensions of a space without mistakes."""
    return {name: spaces.read_dimension(name, text) for name, text in texts.items()}


def best_of(trials: Sequence[Trial], direction: Direction) -> Trial | None:
    """The best trial that is done; of equal ones the first."""
    done = [trial for trial in trials if trial.value is not None]
    pick = min if direction == "minimize" else max
    return pick(done, key=lambda trial: trial.value or 0.0) if done else None


def counts(trials: Sequence[Trial]) -> dict[TrialState, int]:
    """How many trials are in which state."""
    return dict(Counter(trial.state for trial in trials))


def seconds_left(trials: Sequence[Trial], asked: int) -> float | None:
    """How long the trials that have not begun will take, by those that have ended; None before the first one."""
    took = [trial.seconds for trial in trials if trial.seconds is not None]
    ended = sum(trial.state != "running" for trial in trials)
    return statistics.mean(took) * (asked - ended) if took else None


def _other_loss(name: str, metric: str) -> FtkitError | None:
    if metric not in {"eval_loss", "train_loss"} or name not in _CHANGES_THE_LOSS:
        return None
    return BadInput(
        "sweeps.other_loss",
        "With another {name} the loss itself is another one, so losses cannot be compared. Choose another goal, such as "
        "eval_reward_accuracy.",
        name=name,
    )


def _wrong_trials(plan: Plan, unreadable: bool) -> FtkitError | None:
    if not 1 <= plan.trials <= MOST_TRIALS:
        return BadInput(
            "sweeps.bad_trials", "The number of trials must be from 1 to {most}.", most=MOST_TRIALS
        )
    if unreadable:
        return None
    space = read_space(plan.space)
    most = spaces.grid_size(space) if plan.sampler == "grid" else spaces.size(space)
    if most is None or plan.trials <= most:
        return None
    return BadInput(
        "sweeps.too_many_trials",
        "There are only {most} different trials. Ask for {most} or fewer, or add values.",
        most=most,
    )


def _wrong_metric(plan: Plan, base: RunSpec) -> FtkitError | None:
    if plan.metric not in METRICS:
        return BadInput(
            "sweeps.no_metric",
            "There is no goal {name}. There are: {known}.",
            name=plan.metric,
            known=", ".join(METRICS),
        )
    if plan.metric.startswith("eval_reward") and base.method != "dpo":
        return BadInput(
            "sweeps.metric_of_dpo",
            "{name} is measured with dpo only, and the method is {method}. Choose another goal.",
            name=plan.metric,
            method=base.method,
        )
    return None
