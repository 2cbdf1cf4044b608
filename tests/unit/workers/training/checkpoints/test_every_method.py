"""Whatever is trained and how: killed while it saves, or told to end while it measures, it goes on to the same bytes."""

from pathlib import Path
from typing import Any

import pytest

from tests.tiny import make_tiny_adapter, make_tiny_model, make_tiny_t5
from tests.unit.workers.runs import MAPPING, make_split, rows
from tests.unit.workers.training.checkpoints.conftest import Scene
from tests.unit.workers.training.checkpoints.nursery import Fate, Nursery, outcome

pytestmark = [pytest.mark.training, pytest.mark.timeout(1800)]

_PAIRS = {"system": "system", "user": "message", "chosen": "answer", "rejected": "worse"}
_MARKED = {"system": "system", "user": "message", "assistant": "answer", "label": "mark"}
_LONG = {"num_train_epochs": 2, "eval_steps": 3, "logging_steps": 2}
_KINDS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "whole model": (MAPPING, {"use_peft": False, "learning_rate": 1e-3}),
    "dpo": (_PAIRS, {"method": "dpo", "lora_dropout": 0.1, "metric_for_best_model": "eval_rewards/margins"}),
    "dpo of an adapter": (_PAIRS, {"method": "dpo"}),
    "kto": (_MARKED, {"method": "kto", "lora_dropout": 0.1}),
    "encoder-decoder": (MAPPING, {"bf16": False, "lora_dropout": 0.1}),
    "4 bits": (MAPPING, {"load_in_4bit": True, "lora_dropout": 0.1}),
    "dora": (MAPPING, {"use_dora": True, "optim": "adamw_bnb_8bit"}),
    "recomputed": (MAPPING, {"activation_checkpointing": True, "optim": "adafactor", "lora_dropout": 0.1}),
    "the last, not the best": (MAPPING, {"load_best_model_at_end": False, "save_total_limit": 1}),
}


def _scene(kind: str, nursery: Nursery, home: Path) -> Scene:
    mapping, values = _KINDS[kind]
    (make_tiny_t5 if kind == "encoder-decoder" else make_tiny_model)(home / "tiny")
    data = [
        {**row, "worse": "I do not know.", "mark": "good" if n % 2 else "bad"}
        for n, row in enumerate(rows(20))
    ]
    make_split(home / "split", data[:16], data[16:], ("system", "message", "answer", "worse", "mark"))
    adapter = make_tiny_adapter(home / "tiny", home / "adapter") if kind == "dpo of an adapter" else None
    return Scene(nursery, home, {**_LONG, **values}, home / "calm" / "run", [], mapping, adapter).calmly()


@pytest.mark.faults
@pytest.mark.parametrize("kind", list(_KINDS))
def test_each_kind_resumes_exactly(kind: str, nursery: Nursery, tmp_path: Path) -> None:
    scene = _scene(kind, nursery, tmp_path)
    run = scene.again(tmp_path / "broken")
    fates = (
        Fate("train.evaluation", 1, "term"),
        Fate("checkpoint.rename", 2, "kill"),
        Fate("train.step", 1, "term"),
    )
    for fate in fates:
        nursery.run(run, fate)
        assert outcome(run) == ("stopped" if fate.action == "term" else "none"), fate
    scene.restart_and_compare(run)
