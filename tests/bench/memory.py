"""The memory bench: the run card's estimate beside the peak of a real run, over methods, batches and lengths.

Takes a workspace with the bundled model, gives megabytes and their ratio. A run of six steps shows the peak.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

from ftkit.models.catalogue import BUNDLED_ID
from ftkit.workspace import Workspace

# Names of configurations, and what they change. Rows have from a third of the tokens that ``max_length`` allows up to all.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "lora, 4 x 256": {"per_device_train_batch_size": 4, "max_length": 256},
    "lora, 4 x 512": {"per_device_train_batch_size": 4, "max_length": 512},
    "lora without fast path, 4 x 256": {
        "per_device_train_batch_size": 4,
        "max_length": 256,
        "fast_path": False,
    },
    "lora, 32 bits, 2 x 512": {"per_device_train_batch_size": 2, "max_length": 512, "bf16": False},
    "full, 2 x 256": {"use_peft": False, "per_device_train_batch_size": 2, "max_length": 256},
    "full, recomputed, 4 x 512": {
        "use_peft": False,
        "activation_checkpointing": True,
        "per_device_train_batch_size": 4,
        "max_length": 512,
    },
    "qlora, 2 x 256": {"load_in_4bit": True, "per_device_train_batch_size": 2, "max_length": 256},
    "dpo, 2 x 256": {"method": "dpo", "per_device_train_batch_size": 2, "max_length": 256},
    "dpo full, 1 x 256": {
        "method": "dpo",
        "use_peft": False,
        "per_device_train_batch_size": 1,
        "max_length": 256,
    },
}
_STEPS = 6
_TEXT = "the shop sent a parcel late and the kettle is broken so please tell me when it will come back"
_WORDS = _TEXT.split()


def bench_memory(workspace: Workspace, folder: Path) -> dict[str, Any]:
    """Estimate and measured peak of each configuration."""
    found: dict[str, Any] = {}
    for name, options in CONFIGURATIONS.items():
        spec = workspace.training.recipe("smollm2-135m/sft-lora").spec.model_copy(
            update={"max_steps": _STEPS, "gradient_accumulation_steps": 1, **options}
        )
        file = folder / "rows.jsonl"
        rows = _rows(options["max_length"], 2 * _STEPS * spec.per_device_train_batch_size, spec.method)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        split = workspace.splits.split(workspace.data.import_file(file, name).id, (1, 0, 0))
        card = workspace.training.card(spec, split.id)
        run = workspace.training.start(spec, split.id, "smollm2-135m/sft-lora", name)
        view = workspace.training.wait(run.id)
        assert view.state == "done", view.job.error
        measured = view.metrics["peak_memory_mb"]
        found[name] = {
            "longest": card.longest,
            "tokens_a_row": round(card.tokens / card.steps / card.effective_batch),
            "estimated_mb": card.memory_mb,
            "measured_mb": measured,
            "ratio": round(card.memory_mb / measured, 2),
            "fast_path": view.metrics["fast_path"],
        }
        print(json.dumps({name: found[name]}), file=sys.stderr, flush=True)
    return {"model": BUNDLED_ID, **found}


def _rows(tokens: int, count: int, method: str) -> list[dict[str, str]]:
    """Rows of a third of ``tokens`` up to all: most of these words are one token."""
    chance = random.Random(7)
    rows = []
    for number in range(count):
        words = round((tokens - 60) * (1 if number == 0 else chance.uniform(1 / 3, 1)))
        text = [chance.choice(_WORDS) for _ in range(words)]
        half = words // 2
        row = {"instruction": f"Question {number}: " + " ".join(text[:half])}
        if method == "sft":
            row["output"] = " ".join(text[half:])
        else:
            row |= {"chosen": " ".join(text[half:]), "rejected": " ".join(reversed(text[half:]))}
        rows.append(row)
    return rows
