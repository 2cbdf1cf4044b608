"""A run's folder as the training room leaves it for the worker, over a tiny model and a tiny split."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ftkit.data.storage import write_rows
from ftkit.training.spec import RunSpec
from ftkit.workers.harness import Worker

SYSTEM = "Sort the support message. Reply with JSON: category, priority, summary."
MAPPING = {"system": "system", "user": "message", "assistant": "answer"}
# A short run: five steps, with a validation after the second, the fourth and the last one.
SHORT: dict[str, Any] = {
    "model_name_or_path": "tiny",
    "num_train_epochs": 1,
    "per_device_train_batch_size": 4,
    "learning_rate": 0.01,
    "warmup_steps": 1,
    "eval_steps": 2,
    "r": 4,
    "lora_alpha": 8,
    "sample_max_new_tokens": 4,
}


def no_run() -> Any:
    """What a trainer without a run around it keeps."""
    from ftkit.workers.training.checkpoints.manifest import Origin
    from ftkit.workers.training.checkpoints.saving import Keeping

    return Keeping(Origin("none", {}, {}, {}), None, dict, lambda: None)


def rows(number: int) -> list[dict[str, str]]:
    words = ("parcel", "kettle", "account", "charged twice", "late", "boil")
    return [
        {
            "system": SYSTEM,
            "message": f"my {words[n % 6]} is {words[(n * 5 + 1) % 6]} " * (1 + n % 3) + str(n),
            "answer": json.dumps({"category": words[n % 6], "priority": "low", "summary": words[n % 4]}),
        }
        for n in range(number)
    ]


def make_split(
    folder: Path,
    train: Sequence[dict[str, Any]],
    validation: Sequence[dict[str, Any]] = (),
    columns: Sequence[str] = ("system", "message", "answer"),
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", train), ("validation", validation), ("test", [])):
        write_rows(folder / f"{name}.parquet", part, columns)
    return folder


def make_run(
    folder: Path, model: Path, split: Path, mapping: dict[str, str] = MAPPING, **values: Any
) -> Worker:
    folder.mkdir(parents=True, exist_ok=True)
    spec = RunSpec.parse({**SHORT, **values})
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec.model_dump(mode="json")))
    inputs = {"split": str(split), "mapping": mapping, "model": str(model), "model_id": "tiny"}
    (folder / "inputs.json").write_text(json.dumps(inputs))
    return Worker(folder)


def samples(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def curve(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
