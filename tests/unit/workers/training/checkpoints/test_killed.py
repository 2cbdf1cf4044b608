"""kill -9 anywhere, then resume: the same adapter to the last byte, the same losses, the same answers."""

import random
from itertools import islice, permutations
from pathlib import Path

import pytest

from tests.unit.workers.training.checkpoints.conftest import Scene
from tests.unit.workers.training.checkpoints.nursery import Fate, outcome

pytestmark = [pytest.mark.training, pytest.mark.timeout(3600)]


def _kill_and_resume(scene: Scene, folder: Path, *fates: Fate) -> None:
    run = scene.again(folder)
    for fate in fates:
        ended = scene.nursery.run(run, fate)
        assert (ended.status, outcome(run)) == (-9, "none"), fate
    scene.restart_and_compare(run)


def _in_save(scene: Scene) -> list[int]:
    """Which places of the unbroken run lie in the save window, counted from 1."""
    return [number for number, place in enumerate(scene.places, 1) if place.startswith("checkpoint.")]


@pytest.mark.parametrize(
    ("place", "nth"),
    [pytest.param("train.step", 17, marks=pytest.mark.faults), ("checkpoint.file", 25)],
    ids=["step", "save"],
)
def test_a_killed_run_resumes_to_the_same_bytes(place: str, nth: int, packed: Scene, tmp_path: Path) -> None:
    """Step 17 is made again from the checkpoint of step 15, which lies between two points of the curve."""
    _kill_and_resume(packed, tmp_path, Fate(place, nth, "kill"))


def test_the_fast_path_resumes_to_the_same_bytes_after_two_kills(fast: Scene, tmp_path: Path) -> None:
    _kill_and_resume(
        fast, tmp_path, Fate("train.step", 8, "kill", 0.01), Fate("checkpoint.manifest", 2, "kill")
    )


@pytest.mark.faults
def test_25_random_steps(packed: Scene, tmp_path: Path) -> None:
    chance = random.Random(1)
    steps = packed.places.count("train.step")
    for number in range(25):
        fate = Fate("train.step", chance.randint(1, steps - 1), "kill", chance.random() * 0.05)
        twice = [Fate("train.step", 1, "kill", chance.random() * 0.05)] if number % 3 == 0 else []
        _kill_and_resume(packed, tmp_path / str(number), fate, *twice)


@pytest.mark.faults
def test_the_borders_of_epochs(packed: Scene, tmp_path: Path) -> None:
    steps = packed.places.count("train.step")
    assert steps % 3 == 0, "three epochs"
    border = steps // 3
    for step in (border - 1, border, border + 1, 2 * border, steps):
        _kill_and_resume(packed, tmp_path / str(step), Fate("train.step", step, "kill"))


@pytest.mark.faults
def test_100_points_in_the_save_window(packed: Scene, tmp_path: Path) -> None:
    chance = random.Random(2)
    points = _in_save(packed)
    kinds = {packed.places[number - 1] for number in points}
    assert kinds == {
        f"checkpoint.{name}"
        for name in ("written", "file", "manifest", "rename", "renamed", "rotate", "rotated")
    }
    for number in range(100):
        # Half of them at a place, all kinds of place in turn; half of them some moments behind one.
        later = chance.random() * 0.004 if number % 2 else 0.0
        nth = points[number * len(points) // 100]
        _kill_and_resume(packed, tmp_path / str(number), Fate("*", nth, "kill", later))


@pytest.mark.faults
def test_the_fast_path_at_40_places(fast: Scene, tmp_path: Path) -> None:
    for number in range(40):
        nth = 1 + number * len(fast.places) // 40
        _kill_and_resume(fast, tmp_path / str(number), Fate("*", nth, "kill"))


@pytest.mark.faults
def test_kill_upon_kill_gets_to_the_end(packed: Scene, tmp_path: Path) -> None:
    places = ("checkpoint.rename", "train.evaluated", "checkpoint.renamed", "samples.append")
    for order in islice(permutations(places), 0, 24, 5):
        _kill_and_resume(packed, tmp_path / "-".join(order), *(Fate(place, 2, "kill") for place in order))
