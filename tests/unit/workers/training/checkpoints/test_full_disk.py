"""A disk that fills up at any place: the run pauses, its last checkpoint is sound, and it goes on exactly once there is room."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.workers.training.checkpoints.manifest import examine
from tests.unit.workers.training.checkpoints.conftest import Scene
from tests.unit.workers.training.checkpoints.nursery import CALM, Fate, outcome

pytestmark = [pytest.mark.training, pytest.mark.timeout(3600)]

SITES = [
    ("checkpoint.written", 7),
    ("checkpoint.file", 9),
    ("checkpoint.file", 12),
    ("checkpoint.manifest", 3),
    ("checkpoint.rename", 3),
    ("metrics.append", 9),
    ("samples.append", 4),
    ("job.progress", 12),
    ("result.save", 1),
    ("job.result", 1),
]


def _assert_paused(run: Path, had_saved: bool) -> None:
    assert outcome(run) == "paused", (run / "worker.log").read_text()[-2000:]
    error = json.loads((run / "result.json").read_text())["error"]
    assert error["key"] == "jobs.disk_full"
    assert int(error["values"]["needed"]) > 0
    left = list((run / "checkpoints").iterdir()) if (run / "checkpoints").exists() else []
    assert [path.name for path in left if not path.name.startswith("checkpoint-")] == []
    assert [examine(path, "run")[1] for path in left if examine(path, "run")[1]] == []
    assert bool(left) == had_saved


def test_a_full_disk_pauses_the_run(packed: Scene, tmp_path: Path) -> None:
    run = packed.again(tmp_path)
    packed.nursery.run(run, Fate("job.result", 1, "raise:ENOSPC"))
    _assert_paused(run, had_saved=True)
    packed.restart_and_compare(run)


@pytest.mark.faults
@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT"])
@pytest.mark.parametrize(("place", "nth"), SITES)
def test_each_site(place: str, nth: int, error: str, packed: Scene, tmp_path: Path) -> None:
    run = packed.again(tmp_path)
    packed.nursery.run(run, Fate(place, nth, f"raise:{error}"))
    _assert_paused(run, had_saved=True)
    packed.restart_and_compare(run)


@pytest.mark.faults
def test_a_log_that_cannot_be_written_pauses_it_too(packed: Scene, tmp_path: Path) -> None:
    run = packed.again(tmp_path)
    packed.nursery.run(run, CALM, log="/dev/full")
    (run / "worker.log").touch()
    _assert_paused(run, had_saved=False)
    packed.restart_and_compare(run)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB for checkpoints."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a file system of its own needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], check=False)
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    "left", [60, *(pytest.param(left, marks=pytest.mark.faults) for left in (30, 90, 120))]
)  # kilobytes
def test_a_real_disk_that_is_full(left: int, packed: Scene, small_disk: Path) -> None:
    """Each library says it in its own way: Python, PyTorch's writer of archives, and that of safetensors in Rust."""
    run = packed.again(small_disk)
    packed.nursery.run(run, Fate("checkpoint.rotated", 2, "kill"))
    filler = small_disk / "filler"
    filler.write_bytes(os.urandom(shutil.disk_usage(small_disk).free - left * 1024))
    packed.nursery.run(run)
    _assert_paused(run, had_saved=True)
    assert len(list((run / "checkpoints").iterdir())) == 2
    filler.unlink()
    packed.restart_and_compare(run)
