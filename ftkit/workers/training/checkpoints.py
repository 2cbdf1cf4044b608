"""Checkpoints of a run: which one to go on from, and the measurements that belong to it.

A worker that is killed while it saves leaves half a checkpoint, under its final name. Takes the folders, gives the
newest whole checkpoint. It loads none.
"""

import json
import re
from pathlib import Path
from typing import Any

from ftkit.jobs.folder import JobFolder
from ftkit.store.files import write_bytes

_NAME = re.compile(r"checkpoint-(\d+)")
_NEEDED = ("optimizer.pt", "scheduler.pt", "rng_state.pth")
_WEIGHTS = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json")


def newest(folder: Path) -> Path | None:
    """The newest whole checkpoint; broken ones are renamed, so that no library takes them."""
    found = sorted(_numbered(folder).items(), reverse=True)
    whole = None
    for step, path in found:
        if is_whole(path, step):
            whole = whole or path
        else:
            _set_aside(path)
    return whole


def is_whole(path: Path, step: int) -> bool:
    """Whether everything was written; the trainer's state comes last."""
    try:
        state = json.loads((path / "trainer_state.json").read_bytes())
    except (OSError, ValueError):
        return False
    return (
        state.get("global_step") == step
        and all((path / name).exists() for name in _NEEDED)
        and any((path / name).exists() for name in _WEIGHTS)
    )


def step_of(path: Path) -> int:
    """The step after which a checkpoint was saved."""
    found = _NAME.fullmatch(path.name)
    assert found is not None, path  # noqa: S101
    return int(found[1])


def go_back(folder: JobFolder, step: int) -> dict[str, Any]:
    """Drop measurements and sample answers made after ``step``: those steps will be made again.

    Returns:
        The last measurement of training that is kept, or an empty one.
    """
    measured, _ = folder.measurements()
    kept = [m for m in measured if m.get("step", 0) <= step]
    _rewrite(folder.metrics, kept)
    # A run that begins anew answers anew before its first step.
    _rewrite(folder.samples, [s for s in folder.sampled() if step and s.get("step", 0) <= step])
    return next((m for m in reversed(kept) if "loss" in m), {})


def _rewrite(path: Path, values: list[dict[str, Any]]) -> None:
    if path.exists():
        write_bytes(path, "".join(json.dumps(value, allow_nan=False) + "\n" for value in values).encode())


def _numbered(folder: Path) -> dict[int, Path]:
    names = ((path, _NAME.fullmatch(path.name)) for path in folder.glob("checkpoint-*"))
    return {int(found[1]): path for path, found in names if found}


def _set_aside(path: Path) -> None:
    number = 1
    while (target := path.with_name(f"broken-{number}-{path.name}")).exists():
        number += 1
    path.rename(target)
