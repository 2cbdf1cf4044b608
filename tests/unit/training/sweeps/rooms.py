"""A data folder with a split and a model of which no weight is ever read, and trials that take no time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftkit.jobs.launch import Launcher
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.training.service import TrainingService
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.service import SweepService
from tests.finished_run import MODEL, SPLIT, Room, add_run, open_room

ROOT = Path(__file__).parents[4]
FAKES = "tests.unit.training.sweeps.fakes"
SPEC = RunSpec(model_name_or_path=MODEL, max_steps=2, eval_steps=1, learning_rate=1e-2)
COUNTED = {
    "rows": 8, "tokens": 400, "trained_tokens": 200, "longest": 50, "left_out": 0, "empty": 0, "disarmed": 0, "secrets": 0,
    "reasons": [], "secret_places": [],
}  # fmt: skip


class Counted(TrainingService):
    """As if the tokens of every split had been counted before."""

    def _token_counts(self, spec, split):
        from ftkit.training.card import TokenCounts

        return TokenCounts(**{**COUNTED, "reasons": (), "secret_places": ()})


class Sweeps:
    """The parts of the workspace that sweeps need."""

    def __init__(self, room: Room, environment: dict[str, str]) -> None:
        self.room = room
        self.training = Counted(
            artefacts=room.artefacts,
            folders=room.folders,
            jobs=room.jobs,
            recipes_folder=ROOT / "recipes",
            environment=environment,
            clock=room.clock,
            new_id=room.new_id,
        )
        self.sweeps = SweepService(
            room.artefacts, room.folders, room.jobs, self.training, room.clock, room.new_id
        )


@contextmanager
def open_sweeps(home: Path, launcher: Launcher | None = None) -> Iterator[Sweeps]:
    """With trials of ``fakes/train.py``, or a launcher of the test's own."""
    settings = Settings.from_environment({"FTKIT_HOME": str(home), "PYTHONPATH": str(ROOT)})
    environment = settings.worker_environment()
    with open_room(home, launcher or Launcher(environment, FAKES)) as room:
        room.artefacts.delete(add_run(room))
        write_json(
            room.folders.model(MODEL) / "model.json",
            {
                "id": MODEL,
                "name": "Tiny",
                "created_at": "2026-01-01T00:00:00Z",
                "source": "here",
                "parameters": 1000,
                "architecture": {
                    "hidden": 64,
                    "layers": 2,
                    "intermediate": 128,
                    "key_value": 32,
                    "vocabulary": 400,
                },
            },
        )
        yield Sweeps(room, environment)
        for job in room.jobs.unfinished():
            room.jobs.stop(job.artefact)
            room.jobs.wait(job.artefact, 20)


__all__ = ["SPEC", "SPLIT", "Sweeps", "open_sweeps"]
