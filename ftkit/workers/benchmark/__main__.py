"""The benchmark worker: base and tuned model of a run on the same tasks of lm-evaluation-harness.

Takes ``inputs.json`` (tasks, tasks_folder, limit, chat, model, tuned, seed), writes ``<side>.jsonl`` with every answer and, last,
``report.json``. Both sides are asked the same rows with the same seed. It keeps nothing of a start that was stopped.
"""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ftkit.evaluation.benchmarks.comparison import compare
from ftkit.store.files import hash_file, read_json, write_bytes, write_json
from ftkit.workers import loading
from ftkit.workers.benchmark.asking import ask
from ftkit.workers.benchmark.results import answers_of, side_of, signature_of
from ftkit.workers.benchmark.tasks import load_tasks
from ftkit.workers.evaluation.sides import Side, groups, load_group
from ftkit.workers.harness import Worker, run

_LIBRARIES = ("lm_eval", "torch", "transformers", "peft", "datasets")
BASE, TUNED = "base", "tuned"


def benchmark(worker: Worker) -> dict[str, Any]:
    """Ask both sides; the result's metrics say how many tasks and metrics there are."""
    inputs = worker.inputs
    worker.progress("tasks")
    folder = Path(inputs["tasks_folder"]) if inputs["tasks_folder"] else None
    tasks = load_tasks(inputs["tasks"], folder)
    base, tuned = Path(inputs["model"]), Path(inputs["tuned"])
    sides, signatures = {}, {}
    for group in groups([Side(BASE, None), Side(TUNED, tuned)]):
        worker.progress("loading")
        panel, tokenizer = load_group(base, group), loading.load_tokenizer(base)
        for side in group:
            worker.raise_if_stopped()
            with panel.as_side(side) as model:
                found = ask(worker, f"benchmark_{side.name}", (model, tokenizer), tasks)
            sides[side.name], signatures[side.name] = side_of(found), signature_of(found)
            write_bytes(worker.path / f"{side.name}.jsonl", "".join(answers_of(found)).encode())
        del panel
        loading.give_back_memory()
    worker.progress("scoring")
    lines = compare(sides[BASE], sides[TUNED], inputs["seed"])
    report = {
        "tasks": list(inputs["tasks"]),
        "limit": inputs["limit"],
        "chat": inputs["chat"],
        "lines": lines,
        "signature": _signature(inputs, signatures[BASE], base, tuned),
    }
    write_json(worker.path / "report.json", report)
    return {"tasks": len(sides[BASE]), "lines": len(lines)}


def _signature(
    inputs: Mapping[str, Any], tasks: Mapping[str, Any], base: Path, tuned: Path
) -> dict[str, Any]:
    """What two reports must have in common to be compared."""
    return {
        "tasks": tasks,
        "model": base.name,
        "model_hash": (read_json(base / "model.json") or {}).get("content_hash", ""),
        "tuned_hashes": [hash_file(file) for file in sorted(tuned.glob("*.safetensors"))],
        "limit": inputs["limit"],
        "chat": inputs["chat"],
        "seed": inputs["seed"],
        "dtype": str(loading.answer_dtype()).removeprefix("torch."),
        "device": str(loading.device()),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


if __name__ == "__main__":
    run(benchmark)
