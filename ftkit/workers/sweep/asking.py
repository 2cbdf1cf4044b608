"""What Optuna is asked: the next values, whether a trial has hope, which option mattered.

Takes the trials that have ended, gives values. No study is kept: each question builds one from the trials, with a seed of its
own, so that whoever asks with the same trials gets the same answer, before and after a crash. It starts no run.
"""

import hashlib
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from ftkit.records import Sweep
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps import space as spaces
from ftkit.training.sweeps.space import Choices, Dimension, Space, Value
from ftkit.training.sweeps.trials import Trial, read_space

# Trials that are drawn at random before the model of the good ones is believed: a third of all, within limits.
_RANDOM_SHARE, _LEAST_RANDOM, _MOST_RANDOM = 3, 3, 10
# Trials with a validation loss at a step before another one is given up at it.
_ENOUGH_TO_COMPARE = 2
_ENOUGH_TO_EXPLAIN = 5
_ATTEMPTS = 20
_STATES = {"done": TrialState.COMPLETE, "pruned": TrialState.PRUNED}

optuna.logging.set_verbosity(optuna.logging.WARNING)


def next_values(sweep: Sweep, trials: Sequence[Trial]) -> dict[str, Value]:
    """The values of the trial after ``trials``; never those of one of them, unless there are no others."""
    space, number = read_space(sweep.space), len(trials) + 1
    tried = [trial.values for trial in trials]
    if sweep.sampler == "grid":
        return spaces.grid(space, sweep.seed or 0)[number - 1]
    own = RunSpec.parse(sweep.spec).model_dump()
    if sweep.sampler == "tpe" and not trials and spaces.holds(space, own):
        return {name: own[name] for name in space}  # the recipe itself: what the others must beat
    values: dict[str, Value] = {}
    for attempt in range(_ATTEMPTS):
        study = _study(sweep, space, trials, _seed(sweep, number, attempt))
        proposed = study.ask(_distributions(space)).params
        values = {name: spaces.fit(space[name], value) for name, value in proposed.items()}
        if values not in tried:
            return values
    if spaces.size(space) is None:
        return values
    return next((one for one in spaces.grid(_every(space), sweep.seed or 0) if one not in tried), values)


def hopeless_at(sweep: Sweep, losses: Mapping[int, float], trials: Sequence[Trial]) -> int | None:
    """The first step at which a trial's best validation loss is worse than the median of the others' there; None while there is hope."""
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_ENOUGH_TO_COMPARE, n_min_trials=_ENOUGH_TO_COMPARE)
    study = optuna.create_study(direction=sweep.direction, pruner=pruner)
    study.add_trials([_frozen(trial, {}) for trial in trials])
    asked = study.ask()
    for step in sorted(losses):
        asked.report(losses[step], step)
        if asked.should_prune():
            return step
    return None


def importance(sweep: Sweep, trials: Sequence[Trial]) -> dict[str, float]:
    """Each option's share in the differences between trials (fANOVA), the largest first; empty where they are too few or too alike."""
    done = [trial for trial in trials if trial.state == "done"]
    if len(done) < max(_ENOUGH_TO_EXPLAIN, 2 * len(sweep.space)) or len({t.value for t in done}) < 2:  # noqa: PLR2004
        return {}
    study = _study(sweep, read_space(sweep.space), done, 0)
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=sweep.seed or 0)
    try:
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    except RuntimeError:  # no variance in any tree
        return {}
    return {name: round(float(share), 4) for name, share in found.items()}


def _study(sweep: Sweep, space: Space, trials: Sequence[Trial], seed: int) -> optuna.Study:
    sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=seed)
    if sweep.sampler == "tpe":
        first = min(_MOST_RANDOM, max(_LEAST_RANDOM, sweep.trials // _RANDOM_SHARE))
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=first)
    study = optuna.create_study(direction=sweep.direction, sampler=sampler)
    study.add_trials([_frozen(trial, _distributions(space)) for trial in trials])
    return study


def _frozen(trial: Trial, distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    return optuna.trial.create_trial(
        state=_STATES.get(trial.state, TrialState.FAIL),
        value=trial.value,
        params={name: trial.values[name] for name in distributions},
        distributions=distributions,
        intermediate_values=dict(trial.losses),
    )


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {name: _distribution(dimension) for name, dimension in space.items()}


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.choices)
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _every(space: Space) -> Space:
    """A space whose grid holds every value of its ranges."""
    return {
        name: one
        if isinstance(one, Choices)
        else one.model_copy(update={"points": int(one.high - one.low) + 1, "log": False})
        for name, one in space.items()
    }


def _seed(sweep: Sweep, number: int, attempt: int) -> int:
    digest = hashlib.sha256(f"{sweep.seed} {number} {attempt}".encode()).digest()
    return int.from_bytes(digest[:4])
