"""The bundled model, killed three times while it trains: the same adapter and the same losses as without."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from ftkit.store.files import hash_file
from ftkit.training.spec import RunSpec
from ftkit.workspace import Workspace

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(1800)]


def _kill(workspace: Workspace, run: str, reached: int) -> None:
    """When it has made so many measurements."""
    while len(workspace.training.curves(run)) < reached:
        assert workspace.training.get(run).state in {"starting", "running"}
        time.sleep(0.05)
    pid = workspace.training.get(run).job.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert workspace.training.wait(run).state == "lost"


def _ended(workspace: Workspace, run: str) -> tuple[str, list[dict[str, Any]]]:
    view = workspace.training.wait(run)
    assert view.state == "done", view.job.error
    told = [
        {key: point[key] for key in ("step", "loss", "eval_loss", "tokens") if key in point}
        for point in workspace.training.curves(run)
    ]
    adapter = workspace.folders.run(run) / "adapter" / "adapter_model.safetensors"
    return hash_file(adapter), told


@pytest.mark.parametrize("more", [{}, {"packing": True, "lora_dropout": 0.05}], ids=["fast", "packed"])
def test_three_kills_change_nothing(more: dict[str, Any], workspace: Workspace) -> None:
    split = workspace.splits.split(workspace.data.import_sample("ticket-triage").id)
    recipe = workspace.training.recipe("smollm2-135m/sft-lora")
    short = {"max_steps": 10, "eval_steps": 3, "sample_prompts": 1, "sample_max_new_tokens": 8}
    spec = RunSpec.parse({**recipe.spec.model_dump(), **short, **more})
    calm = workspace.training.start(spec, split.id, recipe.name).id
    unbroken = _ended(workspace, calm)
    broken = workspace.training.start(spec, split.id, recipe.name).id
    for reached in (2, 6, 10):
        _kill(workspace, broken, reached)
        workspace.training.resume(broken)
    assert _ended(workspace, broken) == unbroken
    left: Path = workspace.folders.run(broken) / "checkpoints"
    assert not [path.name for path in left.iterdir() if path.name.startswith((".tmp", "broken"))]
    for run in (calm, broken):
        workspace.training.delete(run)
