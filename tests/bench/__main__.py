"""Speed figures of this machine, each beside what it is compared with, in one run.

    python -m tests.bench [start] [train] [evaluate] [compare] [serve] [memory] [data]

``start``: how soon ``python app.py`` answers, and its memory. ``train``: one epoch over 64 rows of the sample, or of the file
that FTKIT_BENCH_ROWS names, with ftkit and with a plain TRL script, on the bundled model. ``evaluate``: 64 rows of the sample
answered by base and tuned model together, and by a plain ``generate`` loop, in float32. ``compare``: answers of base and tuned
model together beside the tuned one alone. ``serve``: 30 questions to a served model at once beside one after another. ``memory``: what the run card says and
what a run takes, over methods, batches and lengths. ``data``: 100,000 rows imported, checked and split, and how fast pages are
meanwhile. Data goes to FTKIT_HOME. Absolute numbers differ from machine to machine and from minute to minute: read the ratios.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from ftkit.data.bundled import path_of
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.settings import Settings
from ftkit.workspace import FIRST_SAMPLE, Workspace
from tests.bench.compare import bench_comparison
from tests.bench.data import bench_data
from tests.bench.evaluate import bench_evaluation
from tests.bench.memory import bench_memory
from tests.bench.page import dashboard
from tests.bench.serve import bench_serving
from tests.bench.train import bench_training

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
    file = os.environ.get("FTKIT_BENCH_ROWS")
    with _with_model() as workspace, tempfile.TemporaryDirectory() as folder:
        return bench_training(workspace, Path(file) if file else path_of(FIRST_SAMPLE), Path(folder))


def bench_evaluate() -> dict[str, Any]:
    """The same rows answered with ftkit and by a plain loop."""
    with _with_model() as workspace, tempfile.TemporaryDirectory() as folder:
        return bench_evaluation(workspace, Path(folder))


def bench_compare() -> dict[str, Any]:
    """Two models asked together, and one alone."""
    with _with_model() as workspace, tempfile.TemporaryDirectory() as folder:
        return bench_comparison(workspace, Path(folder))


def bench_serve() -> dict[str, Any]:
    """Thirty questions at once, and one after another."""
    with _with_model() as workspace:
        return bench_serving(workspace)


def bench_memory_estimate() -> dict[str, Any]:
    """What the run card says and what a run takes."""
    with _with_model() as workspace, tempfile.TemporaryDirectory() as folder:
        return bench_memory(workspace, Path(folder))


@contextmanager
def _with_model() -> Iterator[Workspace]:
    """The workspace of FTKIT_HOME with the bundled model in it."""
    with Workspace(Settings.from_environment()) as workspace:
        if all(model.id != BUNDLED_ID for model in workspace.models.all()):
            workspace.models.pull(BUNDLED_ID)
            workspace.models.wait(BUNDLED_ID)
        yield workspace


def bench_large_data() -> dict[str, Any]:
    """100,000 rows, imported and checked."""
    with Workspace(Settings.from_environment()) as workspace, tempfile.TemporaryDirectory() as folder:
        return bench_data(workspace, Path(folder))


BENCHES = {
    "start": bench_start,
    "train": bench_train,
    "evaluate": bench_evaluate,
    "compare": bench_compare,
    "serve": bench_serve,
    "memory": bench_memory_estimate,
    "data": bench_large_data,
}


def main() -> None:
    """Run the named ones, or all."""
    for name in sys.argv[1:] or BENCHES:
        print(json.dumps({name: BENCHES[name]()}, indent=2), flush=True)


if __name__ == "__main__":
    main()
