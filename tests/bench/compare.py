"""The compare bench: base and tuned answers together beside the tuned answer alone, through the generator of the compare page.

Takes a workspace with the bundled model, gives the ratios of time and memory. The tuned model is a short run on other rows of the
sample. Both do the same steps: an answer ends only at its limit.

    python -m tests.bench.compare memory|time INPUTS SIDES

INPUTS is a file with what is asked, SIDES how many sides answer where memory is measured.
"""

import json
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from ftkit.data.bundled import path_of
from ftkit.training.recipes import DEFAULT_RECIPE
from ftkit.workspace import FIRST_SAMPLE, Workspace
from tests.bench.page import ROOT

ROWS = 8
LIMIT = 96  # tokens of an answer
STEPS = 8
_WAYS = ("alone", "together")


def bench_comparison(workspace: Workspace, folder: Path) -> dict[str, Any]:
    """The tuned model alone and beside its base, by turns for each row, in one process; memory in one process each."""
    inputs = folder / "inputs.json"
    inputs.write_text(json.dumps(_inputs(workspace)))
    seconds = _measured("time", inputs)
    peaks = {way: _measured("memory", inputs, way)["peak_mb"] for way in _WAYS}

    def ratio(clock: str) -> float:
        pairs = zip(seconds[f"together_{clock}"], seconds[f"alone_{clock}"], strict=True)
        return round(median(both / alone for both, alone in pairs), 2)

    return {
        **seconds,
        "rows": ROWS,
        "tokens": LIMIT,
        "time_ratio": ratio("seconds"),
        "processor_time_ratio": ratio("cpu_seconds"),
        "peak_mb": peaks,
        "memory_ratio": round(peaks["together"] / peaks["alone"], 2),
    }


def _inputs(workspace: Workspace) -> dict[str, Any]:
    dataset = workspace.data.import_file(path_of(FIRST_SAMPLE), "Bench")
    split = workspace.splits.split(dataset.id, (0.7, 0, 0.3))
    recipe = workspace.training.recipe(DEFAULT_RECIPE)
    spec = recipe.spec.model_copy(update={"max_steps": STEPS})
    run = workspace.training.start(spec, split.id, recipe.name, "Bench")
    view = workspace.training.wait(run.id)
    assert view.state == "done", view.job.error
    prompts = [list(one.prompt) for one in workspace.splits.examples(split.id, "test", ROWS)]
    assert len(prompts) == ROWS
    model = str(workspace.folders.model(run.model))
    return {"model": model, "tuned": str(workspace.folders.tuned(run.id)), "prompts": prompts}


def _measured(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.compare", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


class _Asking:
    """The resident generator without its socket."""

    def __init__(self, inputs: dict[str, Any]) -> None:
        from ftkit.workers.answers import streaming
        from ftkit.workers.generate import Generator

        streaming.greedy = partial(streaming.greedy, min_new_tokens=LIMIT)  # type: ignore[attr-defined]
        self._inputs = inputs
        self._generator = Generator()

    def answer(self, way: str, prompt: list[dict[str, str]], limit: int = LIMIT) -> None:
        """Ask one side, or two."""
        from ftkit.workers.generate import Asked

        tuned = {
            "name": "tuned",
            "model": self._inputs["model"],
            "tuned": self._inputs["tuned"],
            "strength": 1,
        }
        sides = [tuned] if way == "alone" else [{**tuned, "name": "base", "tuned": None}, tuned]
        request = {
            "sides": sides, "conversations": [prompt] * len(sides), "sampling": {"max_new_tokens": limit},
        }  # fmt: skip
        said = self._generator.answer(Asked.of(request), lambda _: True)
        assert all(one.tokens == limit for one in said)


def measure_time(inputs: dict[str, Any]) -> dict[str, Any]:
    """Seconds of each row, on the wall and of the processor, each way by turns."""
    asking = _Asking(inputs)
    for way in _WAYS:
        asking.answer(way, inputs["prompts"][0])  # loads, and makes room
    found: dict[str, list[float]] = {}
    for number, prompt in enumerate(inputs["prompts"]):
        for way in _WAYS if number % 2 else reversed(_WAYS):
            wall, processor = time.monotonic(), time.process_time()
            asking.answer(way, prompt)
            found.setdefault(f"{way}_seconds", []).append(round(time.monotonic() - wall, 2))
            found.setdefault(f"{way}_cpu_seconds", []).append(round(time.process_time() - processor, 2))
    return found


def measure_memory(inputs: dict[str, Any], way: str) -> dict[str, Any]:
    """The most memory that the process ever had."""
    asking = _Asking(inputs)
    for prompt in inputs["prompts"][:2]:
        asking.answer(way, prompt)
    return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


if __name__ == "__main__":
    _, what, file, *way = sys.argv
    content = json.loads(Path(file).read_text())
    print(json.dumps(measure_time(content) if what == "time" else measure_memory(content, way[0])))
