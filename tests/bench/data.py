"""The data bench: a large file imported and checked, with time and peak memory.

Takes a folder, gives figures. The rows are made from the samples, with other words, so that they are long, different and
look like text.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, TypeVar

import psutil

from ftkit.data.bundled import path_of, samples
from ftkit.data.health.personal import PersonalData
from ftkit.data.health.service import CheckOptions
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.workspace import Workspace
from tests.bench.page import pages_asked

ROWS = 100_000
BYTES_A_ROW = 1_050
PERSONAL_ROWS = 20_000
_SAMPLED_EVERY = 0.2  # seconds

T = TypeVar("T")


def bench_data(workspace: Workspace, folder: Path, rows: int = ROWS) -> dict[str, Any]:
    """Import, check without and with personal data; peak memory of the worker with all its processes."""
    file = folder / "large.jsonl"
    write_large(file, rows, seed=time.time_ns())  # the same rows would be found checked already
    models = {model.id for model in workspace.models.all()}
    model = BUNDLED_ID if BUNDLED_ID in models else next(iter(models), "")
    figures: dict[str, Any] = {"rows": rows, "file_mb": round(file.stat().st_size / 1e6), "model": model}
    dataset, figures["import_seconds"], figures["import_peak_mb"] = _measured(
        lambda: workspace.data.import_file(file)
    )

    def check(personal: bool) -> Any:
        return workspace.health.wait(
            workspace.health.start(dataset.id, CheckOptions(model=model, personal=personal)).id
        )

    for name, personal in (("check", False), ("check_with_personal", True)):
        with pages_asked(f"/data?dataset={dataset.id}") as (beside, seconds):
            view, figures[f"{name}_seconds"], figures[f"{name}_peak_mb"] = _measured(
                lambda p=personal: check(p), beside
            )
        figures[f"{name}_page_p95_ms"] = round(quantiles(seconds, n=20)[-1] * 1000)
        assert view.report is not None, view.job.error
        figures[f"{name}_findings"] = len(view.report.findings)
    figures["personal_rows_per_second"] = _personal_rate(file)
    return figures


def write_large(file: Path, rows: int, seed: int) -> None:
    """Rows of questions and answers, a few of them copies and a few with personal data."""
    dice = random.Random(seed)
    words = sorted(
        {word for one in samples() for word in path_of(one.name).read_text("utf-8").split() if word.isalpha()}
    )
    with file.open("w", encoding="utf-8") as stream:
        kept: list[dict[str, str]] = []
        for number in range(rows):
            row = {"instruction": _text(dice, words, 40), "output": _text(dice, words, 130)}
            if number % 50 == 0 and kept:
                row = dict(dice.choice(kept))
                row["output"] += " Again."
            if number % 100 == 1:
                row["output"] += (
                    f" Write to reader{number}@example.com or call 0532 {number % 900 + 100} 45 67."
                )
            if number % 40 == 0:
                kept.append(row)
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def _text(dice: random.Random, words: list[str], count: int) -> str:
    return " ".join(dice.choices(words, k=count)).capitalize() + "."


def _personal_rate(file: Path) -> int:
    finder = PersonalData()
    with file.open(encoding="utf-8") as stream:
        texts = [
            " ".join(json.loads(line).values()) for line, _ in zip(stream, range(PERSONAL_ROWS), strict=False)
        ]
    begun = time.monotonic()
    for text in texts:
        finder.find(text)
    return round(len(texts) / (time.monotonic() - begun))


def _measured(work: Callable[[], T], beside: int = 0) -> tuple[T, float, int]:
    """What the work gives, its seconds, and its peak memory without the process ``beside``."""
    begun = time.monotonic()
    with _peak(beside) as peak:
        made = work()
    return made, round(time.monotonic() - begun, 1), round(max(peak) / 2**20)


@contextmanager
def _peak(beside: int) -> Iterator[list[int]]:
    """Memory of this process's children together, as often as looked at; shared pages count once (PSS)."""
    seen, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLED_EVERY):
            total = 0
            for process in psutil.Process().children(recursive=True):
                if process.pid == beside:
                    continue
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            seen.append(total)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
