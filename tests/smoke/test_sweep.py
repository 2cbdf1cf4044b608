"""A sweep through real processes: its worker, the queue, TRL on a tiny model; the worker is killed on the way. A few minutes."""

import os
import signal
import time
from pathlib import Path

import pytest

from ftkit.settings import Settings
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.trials import Plan
from ftkit.workspace import Workspace
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(900)]

SPEC = RunSpec(
    model_name_or_path="tiny", max_steps=3, eval_steps=1, per_device_train_batch_size=2, warmup_steps=1, learning_rate=1e-3
)  # fmt: skip


def test_a_sweep_survives_the_end_of_its_worker(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "models" / "tiny")
    with Workspace(Settings.from_environment({**os.environ, "FTKIT_HOME": str(tmp_path)})) as workspace:
        split = workspace.splits.split(workspace.data.import_sample("ticket-triage").id)
        plan = Plan(space={"learning_rate": "1e-4..1e-2:log", "r": "8,16"}, trials=3)
        sweep = workspace.sweeps.start(SPEC, split.id, "smollm2-135m/sft-lora", plan)
        while not (view := workspace.sweeps.get(sweep.id)).trials or not view.trials[-1].run:
            workspace.jobs.tick()
            time.sleep(0.2)
        assert view.job.pid is not None
        os.kill(view.job.pid, signal.SIGKILL)
        assert workspace.sweeps.wait(sweep.id).state == "lost"
        first = view.trials[0]
        workspace.sweeps.resume(sweep.id)
        view = workspace.sweeps.wait(sweep.id)
        assert (view.state, [trial.state for trial in view.trials]) == ("done", ["done"] * 3)
        assert (view.trials[0].run, view.trials[0].values["learning_rate"]) == (first.run, 1e-3)
        assert len(workspace.training.all()) == 3
        assert view.best is not None
        assert view.best.value == min(trial.value or 0 for trial in view.trials)
        assert workspace.training.get(view.best.run).metrics["eval_loss"] == view.best.value
        workspace.sweeps.delete(sweep.id)
        assert workspace.training.all() == []
