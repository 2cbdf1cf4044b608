"""The search over a real store and queue; the trials are ordinary runs whose worker takes no time."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftkit.errors import Refused
from ftkit.jobs.folder import JobFolder
from ftkit.training.sweeps.trials import Plan, Trial
from ftkit.workers.harness import Stopped, Worker
from ftkit.workers.sweep.__main__ import Search
from tests.unit.training.sweeps.rooms import SPEC, SPLIT, Sweeps, open_sweeps

RECIPE = "smollm2-135m/sft-lora"
RATES = {"learning_rate": "1e-5..1e-1:log"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Sweeps]:
    with open_sweeps(tmp_path) as made:
        yield made


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class Mortal(Worker):
    """Ends at once when a trial of this number is told of."""

    def __init__(self, path: Path, dies_after: int) -> None:
        super().__init__(path)
        self._dies_after = dies_after

    def progress(self, phase: str, step: int = 0, steps: int = 0, **more: Any) -> None:
        if step >= self._dies_after:
            raise Killed


def begun(here: Sweeps, plan: Plan, spec: Any = SPEC) -> Worker:
    """A sweep whose worker is this test."""
    sweep = here.sweeps.start(spec, SPLIT, RECIPE, plan, "My sweep")
    here.room.end(sweep.id, "stopped")
    return Worker(here.room.folders.sweep(sweep.id))


def searched(here: Sweeps, plan: Plan, spec: Any = SPEC) -> tuple[dict[str, Any], tuple[Trial, ...]]:
    worker = begun(here, plan, spec)
    metrics = Search(worker, here.training).go()
    return metrics, here.sweeps.get(worker.path.name).trials


def test_trials_are_runs_of_the_queue_and_the_best_is_found(here: Sweeps) -> None:
    metrics, trials = searched(here, Plan(space=RATES, trials=6, seed=1))
    assert (metrics["trials"], metrics["done"]) == (6, 6)
    assert trials[0].values == {"learning_rate": SPEC.learning_rate}  # the recipe itself comes first
    best = min(trials, key=lambda one: one.value or 0)
    assert (metrics["best_trial"], metrics["best_value"]) == (best.number, best.value)
    runs = {view.run.id: view for view in here.training.all()}
    for trial in trials:
        view = runs[trial.run]
        assert view.run.name == f"My sweep · trial {trial.number}"
        assert view.run.sweep in view.run.parents
        assert view.run.spec["learning_rate"] == trial.values["learning_rate"]
        assert view.metrics["eval_loss"] == trial.value
        assert set(trial.losses) == {1, 2}
    assert len({trial.values["learning_rate"] for trial in trials}) == 6
    view = here.sweeps.get(view.run.sweep)
    assert view.importance == {"learning_rate": 1.0}


def test_a_killed_worker_goes_on_exactly_where_it_was(here: Sweeps) -> None:
    plan = Plan(space={**RATES, "lora_alpha": "8,16,32"}, trials=5, seed=3)
    _, whole = searched(here, plan)
    worker = begun(here, plan)
    with pytest.raises(Killed):
        Search(Mortal(worker.path, dies_after=2), here.training).go()
    Search(worker, here.training).go()
    again = here.sweeps.get(worker.path.name).trials
    assert [one.values for one in again] == [one.values for one in whole]
    assert [one.value for one in again] == [one.value for one in whole]
    assert len([view for view in here.training.all() if view.run.sweep == worker.path.name]) == 5


def test_trials_that_fail_or_are_refused_are_counted_with_their_reason(here: Sweeps) -> None:
    metrics, trials = searched(here, Plan(space={"r": "3,4"}, trials=2, sampler="grid"))
    assert (metrics["done"], metrics["failed"]) == (1, 1)
    failed = next(one for one in trials if one.state == "failed")
    assert failed.value is None
    assert failed.reason is not None
    assert failed.reason["key"] == "training.not_finite"
    assert metrics["best_trial"] != failed.number


def test_a_trial_that_does_not_fit_is_refused_and_the_others_go_on(here: Sweeps, monkeypatch) -> None:
    card = here.training.card

    def refusing(spec: Any, split: str) -> Any:
        made = card(spec, split)
        if spec.r == 8:
            made = type(made)(
                **{
                    **vars(made),
                    "problems": (Refused("training.too_large", "{memory} {free}", memory=9, free=1),),
                }
            )
        return made

    monkeypatch.setattr(here.training, "card", refusing)
    metrics, trials = searched(here, Plan(space={"r": "4,8"}, trials=2, sampler="grid"))
    assert (metrics["done"], metrics["refused"]) == (1, 1)
    refused = next(one for one in trials if one.state == "refused")
    assert (refused.run, refused.value, refused.reason["key"]) == ("", None, "training.too_large")


def test_a_search_in_which_all_fails_ends_with_the_reason(here: Sweeps) -> None:
    spec = SPEC.model_copy(update={"r": 3})
    with pytest.raises(Refused, match="first 5 trials all failed.*no number at step 1"):
        searched(here, Plan(space=RATES, trials=9, sampler="random"), spec)


def test_a_hopeless_trial_is_given_up_and_counts_as_pruned(here: Sweeps) -> None:
    plan = Plan(space={"learning_rate": "1e-3,1e-2,1e-1", "r": "4,5"}, trials=6, sampler="grid", prune=True)
    worker = begun(here, plan)
    good = [
        Trial(
            number=n, values={"learning_rate": 1e-3, "r": 4}, state="done", value=1.0, losses={1: 2.0, 2: 1.5}
        )
        for n in (1, 2, 3)
    ]
    search = Search(worker, here.training)
    for trial in good:
        search._keep(trial)
    ended = search._tried(Trial(number=4, values={"learning_rate": 1e-1, "r": 5}))
    assert (ended.state, ended.step, ended.value, ended.losses) == ("pruned", 1, None, {1: 4.0})
    assert here.training.get(ended.run).state == "stopped"


def test_a_stopped_sweep_stops_its_run_and_resumes_the_same_trial(here: Sweeps) -> None:
    worker = begun(here, Plan(space=RATES, trials=2), SPEC.model_copy(update={"r": 5}))
    failed: list[type] = []

    def go() -> None:
        try:
            Search(worker, here.training).go()
        except Stopped as stopped:
            failed.append(type(stopped))

    thread = threading.Thread(target=go)
    thread.start()
    while not (runs := [one for one in here.training.all() if one.run.sweep and one.state == "running"]):
        thread.join(0.05)
    JobFolder(worker.path).ask_to_stop()
    thread.join(20)
    assert failed == [Stopped]
    run, job = runs[0].run, runs[0].job
    assert here.training.get(run.id).state in {"stopping", "stopped"}  # and it is gone on with all the same
    (trial,) = here.sweeps.get(worker.path.name).trials
    assert (trial.state, trial.run, trial.value) == ("running", run.id, None)
    (worker.path / "stop").unlink()
    stopper = threading.Timer(1.5, lambda: here.training.stop(run.id))
    stopper.start()
    search = Search(worker, here.training)
    ended = search._tried(trial)
    stopper.join()
    assert here.training.get(run.id).job.id != job.id
    assert (ended.run, ended.state, ended.reason["key"]) == (run.id, "stopped", "sweeps.trial_stopped")
