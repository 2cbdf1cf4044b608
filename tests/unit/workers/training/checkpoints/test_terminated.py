"""SIGTERM at any point: the run saves, ends within 10 seconds, and resumes to the same bytes."""

import json
import random
from pathlib import Path

import pytest

from ftkit.workers.training.checkpoints.manifest import examine
from tests.unit.workers.training.checkpoints.conftest import Scene
from tests.unit.workers.training.checkpoints.nursery import Fate, outcome

pytestmark = [pytest.mark.training, pytest.mark.timeout(3600)]

_LIMIT = 10.0


def _terminate_and_resume(scene: Scene, folder: Path, fate: Fate) -> str:
    """The newest checkpoint's name, or nothing where no step was finished."""
    run = scene.again(folder)
    ended = scene.nursery.run(run, fate)
    assert ended.after_signal <= _LIMIT
    if outcome(run) == "done":  # the signal came when all was saved
        scene.assert_same(run)
        return "done"
    assert (ended.status, outcome(run)) == (0, "stopped"), (run / "worker.log").read_text()[-2000:]
    assert not (run / "reserve").exists()
    steps = ended.places.count("train.step")
    saved = list((run / "checkpoints").glob("checkpoint-*")) if steps else []
    told = [examine(path, "run") for path in saved]
    assert [wrong for _, wrong in told if wrong] == []
    newest = max((known["reached"]["step"] for known, _ in told), default=0)
    assert newest == steps, "nothing that was trained is lost"
    name = next((path.name for path in saved if path.name.startswith(f"checkpoint-{newest}")), "")
    scene.restart_and_compare(run, name)
    return name


def test_in_a_validation_it_saves_what_was_trained(packed: Scene, tmp_path: Path) -> None:
    fate = Fate("train.evaluation", 2, "term")
    assert _terminate_and_resume(packed, tmp_path, fate) == "checkpoint-6-unmeasured"


@pytest.mark.faults
def test_in_a_step_in_a_validation_and_in_a_save(packed: Scene, tmp_path: Path) -> None:
    names = [
        _terminate_and_resume(packed, tmp_path / place, Fate(place, nth, "term"))
        for place, nth in (("train.step", 4), ("train.evaluation", 2), ("checkpoint.file", 20))
    ]
    assert names == ["checkpoint-4", "checkpoint-6-unmeasured", "checkpoint-12"]


def test_while_it_loads_it_ends_at_once(packed: Scene, tmp_path: Path) -> None:
    run = packed.again(tmp_path)
    ended = packed.nursery.run(run, Fate("job.progress", 2, "term"))
    assert outcome(run) == "stopped"
    assert ended.after_signal < 2
    assert not (run / "metrics.jsonl").exists()
    packed.restart_and_compare(run)


@pytest.mark.faults
def test_a_validation_that_a_stop_broke_off_counts_for_early_stopping_and_the_best(
    packed: Scene, tmp_path: Path
) -> None:
    """With a share of right tokens that soon stays the same, the run ends early, wherever it was broken off."""
    values = {
        **packed.values,
        "learning_rate": 0.1,
        "early_stopping_patience": 2,
        "metric_for_best_model": "eval_mean_token_accuracy",
    }
    early = packed._replace(values=values, calm=tmp_path / "calm" / "run").calmly()
    result = json.loads((early.calm / "result.json").read_text())["metrics"]
    assert result["ended_early"]
    last = early.places.count("train.evaluation")
    for nth in (last - 1, last):
        _terminate_and_resume(early, tmp_path / f"term-{nth}", Fate("train.evaluation", nth, "term"))
    run = early.again(tmp_path / "killed")
    early.nursery.run(run, Fate("checkpoint.rotated", last, "kill"))
    early.restart_and_compare(run)


@pytest.mark.faults
def test_20_random_points(packed: Scene, tmp_path: Path) -> None:
    chance = random.Random(3)
    for number in range(20):
        nth = 1 + number * len(packed.places) // 20
        _terminate_and_resume(packed, tmp_path / str(number), Fate("*", nth, "term", chance.random() * 0.05))


@pytest.mark.faults
def test_20_random_points_of_the_fast_path(fast: Scene, tmp_path: Path) -> None:
    chance = random.Random(4)
    for number in range(20):
        nth = chance.randint(1, len(fast.places))
        _terminate_and_resume(fast, tmp_path / str(number), Fate("*", nth, "term", chance.random() * 0.02))


@pytest.mark.faults
def test_signal_upon_signal(packed: Scene, tmp_path: Path) -> None:
    """Stopped again and again, also while it makes up for a validation, it gets to the same end."""
    run = packed.again(tmp_path)
    for place in ("train.evaluation", "train.evaluation", "train.step", "samples.append", "train.evaluated"):
        packed.nursery.run(run, Fate(place, 1, "term"))
        assert outcome(run) == "stopped"
    packed.restart_and_compare(run)
