"""The train bench: the same rows, model, adapter and batches with ftkit and with plain TRL, by turns in one run.

Takes a workspace and a file of rows, gives figures and their ratios. It changes no option of a recipe but the epochs.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from ftkit.data.chat import training_row
from ftkit.data.storage import iterate_rows
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.training.recipes import DEFAULT_RECIPE
from ftkit.workspace import Workspace
from tests.bench.page import ROOT

ROWS = 64
ROUNDS = 2
_FIGURES = ("tokens_per_second", "train_loss", "train_seconds", "peak_memory_mb", "steps")


def bench_training(workspace: Workspace, file: Path, folder: Path) -> dict[str, Any]:
    """One epoch over the first rows of a file, by both, ``ROUNDS`` times."""
    first = folder / "rows.json"
    first.write_text(json.dumps(_first_rows(file)), encoding="utf-8")
    split = workspace.splits.split(workspace.data.import_file(first, "Bench").id, (1, 0, 0))
    as_trl = folder / "trl.json"
    part = workspace.folders.split(split.id) / "train.parquet"
    as_trl.write_text(json.dumps([training_row(row, split.mapping) for row in iterate_rows(part)]))
    model = workspace.folders.model(BUNDLED_ID)
    plain, ours = [], []
    for _ in range(ROUNDS):
        plain.append(_plain_trl(model, as_trl))
        ours.append(_with_ftkit(workspace, split.id))
        print(json.dumps({"plain_trl": plain[-1], "ftkit": ours[-1]}), file=sys.stderr, flush=True)
    return {
        "plain_trl": plain,
        "ftkit": ours,
        "speed_ratio": round(_of(ours, "tokens_per_second") / _of(plain, "tokens_per_second"), 2),
        "memory_ratio": round(_of(ours, "peak_memory_mb") / _of(plain, "peak_memory_mb"), 2),
        "loss_difference_percent": round(100 * (_of(ours, "train_loss") / _of(plain, "train_loss") - 1), 3),
        "extra_seconds_around_the_loop": round(_around(ours) - _around(plain), 1),
    }


def _first_rows(file: Path) -> list[dict[str, Any]]:
    text = file.read_text(encoding="utf-8")
    rows = json.loads(text) if text.lstrip().startswith("[") else list(map(json.loads, text.splitlines()))
    return rows[:ROWS]


def _of(runs: list[dict[str, Any]], name: str) -> float:
    return median(run[name] for run in runs)


def _around(runs: list[dict[str, Any]]) -> float:
    """Seconds of the whole process, from its start to the saved adapter, that are not steps."""
    return median(run["process_seconds"] - run["train_seconds"] for run in runs)


def _with_ftkit(workspace: Workspace, split: str) -> dict[str, Any]:
    recipe = workspace.training.recipe(DEFAULT_RECIPE)
    spec = recipe.spec.model_copy(update={"num_train_epochs": 1.0})
    workspace.training.card(spec, split)  # counts the tokens, which is no part of the run
    run = workspace.training.start(spec, split, recipe.name, "Bench")
    view = workspace.training.wait(run.id)
    assert view.job.started_at is not None, view.job.error
    assert view.job.finished_at is not None, view.job.error
    seconds = (view.job.finished_at - view.job.started_at).total_seconds()
    return {**{name: view.metrics[name] for name in _FIGURES}, "process_seconds": round(seconds, 2)}


def _plain_trl(model: Path, rows: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.plain_trl", str(model), str(rows)]
    begun = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "process_seconds": round(time.monotonic() - begun, 2)}
