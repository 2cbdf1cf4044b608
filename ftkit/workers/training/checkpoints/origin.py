"""What a run is made of, as its checkpoints write it down: options, data, model, libraries and machine.

Takes the worker's inputs and the spec, gives an ``Origin``. It hashes the rows, and of a base model what tells it from others, but
not its weights once more.
"""

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import ftkit
from ftkit.store.files import hash_file, hash_value, read_json
from ftkit.training.spec import RunSpec
from ftkit.workers.training.checkpoints.manifest import Origin

_LIBRARIES = (
    *("torch", "transformers", "trl", "peft", "accelerate", "datasets", "numpy", "safetensors"),
    "bitsandbytes",
)


def origin_of(run: Path, inputs: Mapping[str, Any], spec: RunSpec) -> Origin:
    """What this run is made of now.

    Args:
        run: its folder.
        inputs: of its worker.
        spec: its options.
    """
    split = Path(inputs["split"])
    data = {name: hash_file(split / f"{name}.parquet") for name in ("train", "validation")}
    data["mapping"] = hash_value(inputs["mapping"])
    data["model"] = _model(Path(inputs["model"]))
    if inputs.get("adapter"):
        data["adapter"] = hash_file(Path(inputs["adapter"]) / "adapter_model.safetensors")
    return Origin(run.name, spec.model_dump(mode="json"), data, dict(_versions()))


def _model(folder: Path) -> str:
    """The hash that it was given when it came, and its files as they are now."""
    record = read_json(folder / "model.json") or {}
    small = {path.name: hash_file(path) for path in folder.glob("*.json") if path.name != "model.json"}
    weights = {path.name: path.stat().st_size for path in folder.glob("*.safetensors")}
    return hash_value([record.get("content_hash", ""), small, weights])


def _versions() -> Iterator[tuple[str, str]]:
    yield "ftkit", ftkit.__version__
    yield "python", platform.python_version()
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
    card = torch.cuda.is_available()
    yield "processor", torch.cuda.get_device_name() if card else torch.backends.cpu.get_cpu_capability()
    yield "threads", str(torch.get_num_threads())
