"""A run that nothing disturbs, and runs like it to disturb: shuffled rows, packed, with dropout, accumulated and answering."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.tiny import make_tiny_model
from tests.unit.workers.runs import MAPPING, curve, make_run, make_split, rows, samples
from tests.unit.workers.training.checkpoints.nursery import Nursery, outcome

# Points of the curves lie between checkpoints, so that what is added up since the last one must survive, too.
PACKED: dict[str, Any] = {
    "packing": True,
    "max_length": 256,
    "lora_dropout": 0.1,
    "num_train_epochs": 3,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 2,
    "eval_steps": 3,
    "logging_steps": 2,
}
FAST: dict[str, Any] = {"lora_dropout": 0.1, "num_train_epochs": 2, "eval_steps": 3, "logging_steps": 2}
_CHANGING = ("time", "tokens_per_second", "train_seconds", "memory_mb", "peak_memory_mb")


class Scene(NamedTuple):
    """Where runs are made from: ``calm`` is the unbroken one, ``places`` those that it came to."""

    nursery: Nursery
    home: Path
    values: dict[str, Any]
    calm: Path
    places: list[str]
    mapping: dict[str, str] = MAPPING
    adapter: Path | None = None

    def again(self, folder: Path) -> Path:
        """The folder of another run with the same id."""
        run = folder / "run"
        worker = make_run(run, self.home / "tiny", self.home / "split", self.mapping, **self.values)
        if self.adapter is not None:
            inputs = {**worker.inputs, "adapter": str(self.adapter)}
            (run / "inputs.json").write_text(json.dumps(inputs))
        return run

    def calmly(self) -> "Scene":
        """Let the unbroken run happen."""
        self.again(self.calm.parent)
        ended = self.nursery.run(self.calm)
        assert outcome(self.calm) == "done", (self.calm / "worker.log").read_text()[-2000:]
        return self._replace(places=ended.places)

    def assert_same(self, run: Path, stopped: str = "") -> None:
        """The run ended as the unbroken one did, to the last bit.

        ``stopped`` is the checkpoint that a stop made: it may be among the kept ones, in the place of one of the others.
        """
        assert outcome(run) == "done", (run / "worker.log").read_text()[-2000:]
        made = "adapter" if (self.calm / "adapter").exists() else "model"
        for file in (self.calm / made).iterdir():
            assert (run / made / file.name).read_bytes() == file.read_bytes(), file.name
        assert _steady(curve(run)) == _steady(curve(self.calm))
        if (self.calm / "samples.jsonl").exists():
            assert samples(run) == samples(self.calm)
        ended, calm = (json.loads((f / "result.json").read_text())["metrics"] for f in (run, self.calm))
        assert _steady([ended]) == _steady([calm])
        left, kept = ({path.name for path in (f / "checkpoints").iterdir()} for f in (run, self.calm))
        assert left - kept <= {stopped}
        assert len(left) == len(kept)
        assert not (run / "reserve").exists()

    def restart_and_compare(self, run: Path, stopped: str = "") -> None:
        """Start the run once more, and let it end."""
        self.nursery.run(run)
        self.assert_same(run, stopped)
        shutil.rmtree(run)


def _steady(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in point.items() if k not in _CHANGING} for point in points]


@pytest.fixture(scope="package")
def nursery() -> Iterator[Nursery]:
    with Nursery() as made:
        yield made


def _scene(nursery: Nursery, home: Path, values: dict[str, Any]) -> Scene:
    make_tiny_model(home / "tiny")
    make_split(home / "split", rows(48), rows(54)[48:])
    return Scene(nursery, home, values, home / "calm" / "run", []).calmly()


@pytest.fixture(scope="package")
def packed(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return _scene(nursery, tmp_path_factory.mktemp("packed"), PACKED)


@pytest.fixture(scope="package")
def fast(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return _scene(nursery, tmp_path_factory.mktemp("fast"), FAST)
