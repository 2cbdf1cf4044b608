"""The evaluate bench: 64 rows answered by base and tuned model, with ftkit and one after another, by turns in one run.

Takes a workspace, gives seconds, their ratio and how many answers are equal. The tuned model is a short run on other rows of the sample.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from ftkit.data.bundled import path_of
from ftkit.training.recipes import DEFAULT_RECIPE
from ftkit.workspace import FIRST_SAMPLE, Workspace
from tests.bench.page import ROOT

ROWS = 64
ROUNDS = 2
LIMIT = 64  # tokens of an answer
STEPS = 12  # enough for answers that end by themselves
_SIDES = ("base", "tuned")


def bench_evaluation(workspace: Workspace, folder: Path) -> dict[str, Any]:
    """Answers to the same rows by both, ``ROUNDS`` times."""
    job = _job(workspace, folder)
    plain, ours = [], []
    for _ in range(ROUNDS):
        plain.append(_answered("plain", job))
        ours.append(_answered("ftkit", job))
        told = {name: one[-1]["answer_seconds"] for name, one in (("plain", plain), ("ftkit", ours))}
        print(json.dumps(told), file=sys.stderr, flush=True)
    pairs = [
        (one, other)
        for side in _SIDES
        for one, other in zip(plain[0]["answers"][side], ours[0]["answers"][side], strict=True)
    ]
    seconds, cpu = (
        [[run[f"answer_{clock}"] for run in runs] for runs in (plain, ours)]
        for clock in ("seconds", "cpu_seconds")
    )
    return {
        "plain_loop_seconds": seconds[0],
        "ftkit_seconds": seconds[1],
        "ftkit_likelihood_seconds": [run["likelihood_seconds"] for run in ours],
        "speed_ratio": round(median(seconds[0]) / median(seconds[1]), 2),
        "processor_time_ratio": round(median(cpu[0]) / median(cpu[1]), 2),
        "answers": len(pairs),
        "equal_answers": sum(one == other for one, other in pairs),
    }


def _job(workspace: Workspace, folder: Path) -> Path:
    """An evaluation of a short run on rows that it was not trained on."""
    dataset = workspace.data.import_file(path_of(FIRST_SAMPLE), "Bench")
    split = workspace.splits.split(dataset.id, (0.7, 0, 0.3))
    recipe = workspace.training.recipe(DEFAULT_RECIPE)
    spec = recipe.spec.model_copy(update={"max_steps": STEPS})
    run = workspace.training.start(spec, split.id, recipe.name, "Bench")
    view = workspace.training.wait(run.id)
    assert view.state == "done", view.job.error
    rows = pq.read_table(workspace.folders.split(split.id) / "test.parquet").slice(0, ROWS)
    assert len(rows) == ROWS
    (folder / "split").mkdir()
    pq.write_table(rows, folder / "split" / "test.parquet")
    inputs = {
        "split": str(folder / "split"),
        "mapping": split.mapping,
        "part": "test",
        "model": str(workspace.folders.model(run.model)),
        "tuned": str(workspace.folders.tuned(run.id)),
        "seed": 42,
        "max_new_tokens": LIMIT,
        "general": False,
    }
    job = folder / "job"
    job.mkdir()
    (job / "inputs.json").write_text(json.dumps(inputs))
    return job


def _answered(how: str, job: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.answering", how, str(job)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
