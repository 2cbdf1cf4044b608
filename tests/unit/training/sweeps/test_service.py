"""The sweeps' service over a real store and jobs that only this test ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.records import Evaluation
from ftkit.store.files import write_json
from ftkit.training.sweeps.trials import Found, Plan, Trial
from tests.finished_run import NOW, SleepingLauncher
from tests.unit.training.sweeps.rooms import SPEC, SPLIT, Sweeps, open_sweeps

PLAN = Plan(space={"learning_rate": "1e-4..1e-2:log", "r": "4,8"}, trials=4)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Sweeps]:
    with open_sweeps(tmp_path, SleepingLauncher()) as made:
        yield made


def test_a_sweep_is_started_once_for_a_click(here: Sweeps) -> None:
    made = here.sweeps.start(SPEC, SPLIT, "smollm2-135m/sft-lora", PLAN, request="click")
    assert here.sweeps.start(SPEC, SPLIT, "smollm2-135m/sft-lora", PLAN, request="click") == made
    assert made.parents == (SPLIT, "tiny")
    assert made.space == {"learning_rate": "0.0001..0.01:log", "r": "4,8"}
    view = here.sweeps.get(made.id)
    assert (view.job.lane, view.state, view.best, view.ended) == ("sweep", "starting", None, 0)
    assert [one.sweep for one in here.sweeps.all()] == [made]


def test_what_cannot_work_is_refused_with_every_mistake(here: Sweeps) -> None:
    wrong = Plan(space={"r": "0,8"}, trials=0)
    with pytest.raises(BadInput, match=r"r: 0 is out of bounds(.|\n)*trials: The number"):
        here.sweeps.start(SPEC, SPLIT, "smollm2-135m/sft-lora", wrong)
    with pytest.raises(NotFound, match="ftkit models pull"):
        here.sweeps.start(
            SPEC.model_copy(update={"model_name_or_path": "absent"}), SPLIT, "smollm2-135m/sft-lora", PLAN
        )
    assert here.sweeps.all() == []


def test_a_sweep_goes_with_its_runs_unless_something_was_made_of_them(here: Sweeps) -> None:
    made = here.sweeps.start(SPEC, SPLIT, "smollm2-135m/sft-lora", PLAN)
    with pytest.raises(Refused, match="Stop it first"):
        here.sweeps.delete(made.id)
    run = here.training.start(SPEC, SPLIT, "smollm2-135m/sft-lora", "t", request="1", sweep=made.id)
    assert run.parents == (SPLIT, "tiny", made.id)
    here.room.end(run.id, metrics={})
    here.room.end(made.id, metrics={})
    with pytest.raises(Refused, match="finished"):
        here.sweeps.resume(made.id)
    report = Evaluation(
        id="e1", name="e", created_at=NOW, parents=(run.id,), run=run.id, split=SPLIT, part="test"
    )
    here.room.artefacts.add(report)
    with pytest.raises(Refused, match="evaluation e1 was made from the run t"):
        here.sweeps.delete(made.id)
    assert here.training.get(run.id)
    here.room.artefacts.delete(report)
    here.sweeps.delete(made.id)
    assert not here.room.folders.sweep(made.id).exists()
    for gone in (lambda: here.sweeps.get(made.id), lambda: here.training.get(run.id)):
        with pytest.raises(NotFound):
            gone()


def test_the_best_and_the_time_left_are_told(here: Sweeps) -> None:
    made = here.sweeps.start(SPEC, SPLIT, "smollm2-135m/sft-lora", PLAN)
    trials = (
        Trial(number=1, values={"learning_rate": 1e-3, "r": 4}, state="done", value=2.0, seconds=10),
        Trial(number=2, values={"learning_rate": 1e-2, "r": 4}, state="done", value=1.5, seconds=20),
    )
    write_json(here.room.folders.sweep(made.id) / "found.json", Found(trials=trials).model_dump(mode="json"))
    view = here.sweeps.get(made.id)
    assert view.best == trials[1]
    assert view.seconds_left == 30
    assert view.trials == trials
