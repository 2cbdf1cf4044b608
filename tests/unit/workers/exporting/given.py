"""Export jobs over the tiny model, as the service would queue them."""

import json
from pathlib import Path
from typing import Any

from ftkit.data.storage import write_rows
from ftkit.training.spec import RunSpec
from ftkit.workers.harness import Worker
from tests.tiny import make_tiny_adapter, make_tiny_model, make_tiny_t5

ROWS = [
    {"user": "my parcel is late", "assistant": '{"category": "delivery"}'},
    {"user": "I was charged twice", "assistant": '{"category": "billing"}'},
]


def make_job(home: Path, target: str, *, t5: bool = False, **options: Any) -> Worker:
    """A job folder with its inputs; model, adapter and split are made once a home."""
    model, adapter, split = home / "model", home / "adapter", home / "split"
    if not model.exists():
        (make_tiny_t5 if t5 else make_tiny_model)(model)
        make_tiny_adapter(model, adapter)
        split.mkdir()
        (split / "manifest.json").write_text(
            json.dumps(
                {"sizes": {"train": 471, "validation": 41, "test": 2}, "seed": 42, "leaks": 0, "left_out": 3}
            )
        )
        write_rows(split / "test.parquet", ROWS, ["user", "assistant"])
    folder = home / f"export-{target}"
    folder.mkdir(exist_ok=True)
    inputs = {
        "options": {"target": target, **options},
        "run": {"id": "run1", "name": "My run", "spec": RunSpec.parse({"r": 4}).model_dump(mode="json")},
        "name": "my-run",
        "model": str(model),
        "tuned": str(adapter),
        "split": str(split),
        "mapping": {"user": "user", "assistant": "assistant"},
        "base": json.loads((model / "model.json").read_bytes()),
        "metrics": {"eval_loss": 0.5},
        "data": {"split": "split1", "hash": "sha256:ab"},
    }
    (folder / "inputs.json").write_text(json.dumps(inputs))
    return Worker(folder)
