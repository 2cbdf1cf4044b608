"""Speed figures of this machine, each beside what it is compared with, in one run.

    python -m tests.bench [start] [train] [data]

``start``: how soon ``python app.py`` answers, and its memory. ``train``: one epoch over 64 sample rows with ftkit and with a
plain TRL script, on the bundled model. ``data``: 100,000 rows imported,
checked and split, and how fast pages are meanwhile. Data goes to FTKIT_HOME. Absolute numbers differ from machine to machine and
from minute to minute: read the ratios.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from ftkit.data.bundled import path_of
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.settings import Settings
from ftkit.training.recipes import DEFAULT_RECIPE
from ftkit.workspace import FIRST_SAMPLE, Workspace
from tests.bench.data import bench_data
from tests.bench.page import ROOT, dashboard

ROWS = 64
STARTS = 3


def bench_start() -> dict[str, Any]:
    """Seconds from ``python app.py`` to the first whole page, from the second start on."""
    with tempfile.TemporaryDirectory() as home:
        _start_once(home)
        seconds, megabytes = zip(*(_start_once(home) for _ in range(STARTS)), strict=True)
    return {
        "first_page_seconds": [round(s, 1) for s in seconds],
        "web_process_mb": [round(m) for m in megabytes],
    }


def _start_once(home: str) -> tuple[float, float]:
    begun = time.monotonic()
    with dashboard(FTKIT_HOME=home) as (process, client, link):
        page = client.get(link)
        seconds = time.monotonic() - begun
        assert "<gradio-app" in page.text
        megabytes = psutil.Process(process.pid).memory_info().rss / 2**20
    return seconds, megabytes


def bench_train() -> dict[str, Any]:
    """The same rows, model, adapter and batches with ftkit and with plain TRL."""
    with path_of(FIRST_SAMPLE).open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(ROWS), strict=False)]
    with Workspace(Settings.from_environment()) as workspace, tempfile.TemporaryDirectory() as folder:
        if all(model.id != BUNDLED_ID for model in workspace.models.all()):
            workspace.models.pull(BUNDLED_ID)
            workspace.models.wait(BUNDLED_ID)
        file = Path(folder) / "rows.json"
        file.write_text(json.dumps(rows), encoding="utf-8")
        plain = _plain_trl(workspace.folders.model(BUNDLED_ID), file)
        ours = _with_ftkit(workspace, file)
    return {
        "plain_trl": plain,
        "ftkit": ours,
        "ratio": round(ours["tokens_per_second"] / plain["tokens_per_second"], 2),
    }


def _with_ftkit(workspace: Workspace, file: Path) -> dict[str, Any]:
    split = workspace.splits.split(workspace.data.import_file(file, "Bench").id, (1, 0, 0))
    recipe = workspace.training.recipe(DEFAULT_RECIPE)
    spec = recipe.spec.model_copy(update={"num_train_epochs": 1.0})
    run = workspace.training.start(spec, split.id, recipe.name, "Bench")
    metrics = workspace.training.wait(run.id).metrics
    return {
        name: metrics[name] for name in ("tokens_per_second", "train_loss", "train_seconds", "peak_memory_mb")
    }


def _plain_trl(model: Path, rows: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.plain_trl", str(model), str(rows)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def bench_large_data() -> dict[str, Any]:
    """100,000 rows, imported and checked."""
    with Workspace(Settings.from_environment()) as workspace, tempfile.TemporaryDirectory() as folder:
        return bench_data(workspace, Path(folder))


BENCHES = {"start": bench_start, "train": bench_train, "data": bench_large_data}


def main() -> None:
    """Run the named ones, or all."""
    for name in sys.argv[1:] or BENCHES:
        print(json.dumps({name: BENCHES[name]()}, indent=2), flush=True)


if __name__ == "__main__":
    main()
