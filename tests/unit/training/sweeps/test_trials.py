from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.trials import Plan, Trial, best_of, counts, mistakes, seconds_left

BASE = RunSpec()
DPO = RunSpec(method="dpo")


def keys(plan: Plan, base: RunSpec = BASE) -> dict[str, str]:
    return {field: error.key for field, error in mistakes(plan, base).items()}


def test_every_mistake_at_once() -> None:
    plan = Plan(
        space={"r": "0,8", "learning_rate": "fast"},
        trials=0,
        metric="joy",
        sampler="psychic",
        prune=True,
        seed=-1,
    )
    assert keys(plan) == {
        "r": "sweeps.out_of_bounds",
        "learning_rate": "sweeps.unreadable",
        "trials": "sweeps.bad_trials",
        "metric": "sweeps.no_metric",
        "sampler": "sweeps.no_sampler",
        "prune": "sweeps.prune_by_loss",
        "seed": "sweeps.bad_seed",
    }
    assert keys(Plan(space={})) == {"space": "sweeps.nothing_varies"}
    assert keys(Plan(space={"learning_rate": "1e-5..1e-3:log"}, prune=True)) == {}


def test_no_more_trials_than_there_are() -> None:
    assert keys(Plan(space={"r": "4,8"}, trials=3)) == {"trials": "sweeps.too_many_trials"}
    assert keys(Plan(space={"r": "4,8"}, trials=2)) == {}
    ranged = {"learning_rate": "1e-5..1e-3:log:3", "r": "4,8"}
    assert keys(Plan(space=ranged, trials=7, sampler="grid")) == {"trials": "sweeps.too_many_trials"}
    assert keys(Plan(space=ranged, trials=7)) == {}


def test_losses_of_another_loss_are_not_compared() -> None:
    assert keys(Plan(space={"beta": "0.1,0.3"}, trials=2), DPO) == {"beta": "sweeps.other_loss"}
    accuracy = Plan(space={"beta": "0.1,0.3"}, trials=2, metric="eval_reward_accuracy")
    assert keys(accuracy, DPO) == {}
    assert keys(accuracy.model_copy(update={"space": {"r": "4,8"}})) == {"metric": "sweeps.metric_of_dpo"}


def test_only_trials_that_are_done_count() -> None:
    trials = [
        Trial(number=1, values={"r": 4}, state="failed", seconds=10),
        Trial(number=2, values={"r": 8}, state="done", value=2.0, seconds=30),
        Trial(number=3, values={"r": 16}, state="done", value=0.0, seconds=20),
        Trial(number=4, values={"r": 32}, state="pruned", step=2),
        Trial(number=5, values={"r": 64}),
    ]
    assert best_of(trials, "minimize") == trials[2]
    assert best_of(trials, "maximize") == trials[1]
    assert best_of(trials[:1], "minimize") is None
    assert counts(trials) == {"failed": 1, "done": 2, "pruned": 1, "running": 1}
    assert seconds_left(trials, 6) == 20 * 2
    assert seconds_left([], 6) is None
