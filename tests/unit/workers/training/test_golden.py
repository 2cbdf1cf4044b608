"""Fifty steps of training as they were when the libraries were pinned: a change of the mathematics shows here first.

In 64 bits, where processors differ by far less than the tolerance. After a change that is meant, write the curves anew:
``python -m tests.unit.workers.training.test_golden``.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.workers import loading, train
from ftkit.workers.training import making
from tests.tiny import make_tiny_model
from tests.unit.workers.runs import MAPPING, curve, make_run, make_split, rows

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:.*deprecated.*:FutureWarning"),  # TRL about its own names
]

CURVES = Path(__file__).parent / "golden"
STEPS = 50
PAIRS = {"system": "system", "user": "message", "chosen": "answer", "rejected": "worse"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "sft": {"fast_path": False},
    "sft-fast": {},
    "dpo": {"method": "dpo", "per_device_train_batch_size": 2, "learning_rate": 1e-4, "warmup_steps": 10},
}


def _curve(name: str, model: Path, folder: Path) -> dict[str, list[float]]:
    """Losses and gradient lengths of all steps."""
    data = [{**row, "worse": f"I do not know number {n}."} for n, row in enumerate(rows(16))]
    split = make_split(folder / "split", data, (), ("system", "message", "answer", "worse"))
    options = {"max_steps": STEPS, "bf16": False, "learning_rate": 0.002, **_OPTIONS[name]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "_load", lambda _spec, path, _narrow: loading.load_model(path, torch.float64))
        train.job(
            make_run(folder / "run", model, split, PAIRS if name == "dpo" else MAPPING, r=16, **options)
        )
    points = curve(folder / "run")
    return {key: [point[key] for point in points] for key in ("loss", "grad_norm")}


@pytest.mark.parametrize("name", _OPTIONS)
def test_the_curve_is_the_one_on_file(name: str, tiny_model: Path, tmp_path: Path) -> None:
    found, wanted = _curve(name, tiny_model, tmp_path), json.loads((CURVES / f"{name}.json").read_text())
    for key, values in wanted.items():
        assert len(found[key]) == STEPS
        apart = [one - other for one, other in zip(found[key], values, strict=True)]
        scale = max(1.0, *values)
        assert max(map(abs, apart)) <= 1e-6 * scale, key
        assert abs(sum(apart) / STEPS) <= 1e-7 * scale, key


def test_the_fast_path_has_the_same_curve() -> None:
    plain, fast = (json.loads((CURVES / f"{name}.json").read_text()) for name in ("sft", "sft-fast"))
    for key in plain:
        assert fast[key] == pytest.approx(plain[key], rel=1e-5, abs=1e-6), key


if __name__ == "__main__":
    CURVES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        tiny = make_tiny_model(Path(home) / "tiny")
        for golden in _OPTIONS:
            told = json.dumps(_curve(golden, tiny, Path(home) / golden), indent=1)
            (CURVES / f"{golden}.json").write_text(told + "\n")
