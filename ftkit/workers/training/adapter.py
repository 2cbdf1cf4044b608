"""The adapter that a run leaves: checked names before, a clean folder after.

Takes models and the run's folder. It trains nothing.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from ftkit.errors import BadInput
from ftkit.failpoints import reach
from ftkit.models.catalogue import find_entry
from ftkit.store.files import replace_folder


def check_targets(model: Any, names: str | list[str]) -> None:
    """Make sure that the layers that shall get an adapter are there.

    Raises:
        BadInput: one is not, or it is the output layer.
    """
    if isinstance(names, str):
        return
    head = model.get_output_embeddings()
    inner = {name: module for name, module in model.named_modules() if module is not head}
    missing = [n for n in names if not any(name == n or name.endswith(f".{n}") for name in inner)]
    if missing:
        linear = {n.rpartition(".")[2] for n, m in inner.items() if type(m).__name__ in ("Linear", "Conv1D")}
        raise BadInput(
            "training.no_such_layer",
            "This model has no layer {missing} that can get an adapter. Use all-linear, or some of: {known}.",
            missing=", ".join(missing),
            known=", ".join(sorted(linear)),
        )


def save(model: Any, run: Path, model_id: str) -> None:
    """Write ``adapter/`` of a run as a whole, in place of one that an earlier start left.

    Args:
        model: with the adapter.
        run: folder of the run.
        model_id: what the adapter was trained on; written into its config in place of a path of this machine.
    """
    entry = find_entry(model_id)
    config = model.peft_config["default"]
    config.base_model_name_or_path = entry.source if entry else model_id
    fresh, final = run / ".adapter.part", run / "adapter"
    shutil.rmtree(fresh, ignore_errors=True)
    # "auto" would ask the Hub whether the vocabulary has grown.
    model.save_pretrained(fresh, save_embedding_layers=False, selected_adapters=["default"])
    (fresh / "README.md").unlink(missing_ok=True)  # a form with nothing filled in
    _sort_targets(fresh / "adapter_config.json")
    reach("result.save")
    replace_folder(fresh, final)


def _sort_targets(path: Path) -> None:
    """The same run shall give the same bytes; PEFT writes a set in any order."""
    config = json.loads(path.read_text())
    if isinstance(config["target_modules"], list):
        config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
