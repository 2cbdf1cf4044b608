"""The train worker over a tiny model: real TRL, real files, stops, crashes and resumes."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ftkit.errors import BadInput, Refused
from ftkit.settings import Settings
from ftkit.workers import train
from ftkit.workers.harness import Stopped, Worker
from tests.tiny import make_tiny_model
from tests.unit.workers.runs import curve, make_run, make_split, rows

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:.*deprecated.*:FutureWarning"),  # TRL about its own names
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_split(tmp_path_factory.mktemp("split"), rows(20), rows(24)[20:])


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, model: Path, split: Path
) -> tuple[Path, dict[str, Any]]:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("finished")
    result = train.job(make_run(folder, model, split))
    return folder, dict(result)


def _adapter(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


class Interrupted(Worker):
    """A worker that something happens to when it reports a step."""

    def __init__(self, path: Path, step: int, crash: bool = False) -> None:
        super().__init__(path)
        self._at = step
        self._crash = crash

    def progress(self, phase: str, step: int = 0, steps: int = 0, **more: Any) -> None:
        super().progress(phase, step, steps, **more)
        if phase == "training" and step == self._at:
            if self._crash:
                raise MemoryError("killed")
            self.folder.ask_to_stop()


def test_a_run_leaves_an_adapter_curves_and_figures(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, result = finished
    points = curve(folder)
    trained = [point for point in points if "loss" in point]
    validated = [point for point in points if "eval_loss" in point]
    assert [point["step"] for point in trained] == [1, 2, 3, 4, 5]
    assert [point["step"] for point in validated] == [2, 4, 5]
    assert set(trained[0]) == {
        *("time", "step", "epoch", "loss", "learning_rate", "grad_norm", "tokens", "tokens_per_second"),
        *("train_seconds", "memory_mb"),
    }
    assert result["eval_loss"] == min(point["eval_loss"] for point in validated)
    assert result["train_loss"] == pytest.approx(sum(point["loss"] for point in trained) / 5)
    assert result["train_loss"] < trained[0]["loss"]
    assert (result["steps"], result["rows"], result["rows_left_out"], result["rows_empty"]) == (5, 20, 0, 0)
    assert result["tokens_per_second"] == pytest.approx(result["tokens"] / result["train_seconds"], rel=0.05)
    # The kernel adds up a process's pages in batches: two looks may differ by a few megabytes.
    assert result["peak_memory_mb"] + 20 >= max(point["memory_mb"] for point in trained) > 100
    names = {path.name for path in (folder / "adapter").iterdir()}
    assert names == {"adapter_config.json", "adapter_model.safetensors"}
    config = (folder / "adapter" / "adapter_config.json").read_text()
    assert json.loads(config)["base_model_name_or_path"] == "tiny"
    assert str(folder.parent) not in config


def test_the_tokens_are_those_that_were_counted(
    finished: tuple[Path, dict[str, Any]], model: Path, split: Path
) -> None:
    from ftkit.workers.data.tokens import count

    folder, result = finished
    inputs = json.loads((folder / "inputs.json").read_text())
    rules = {"part": "train", "max_length": 512, "completion_only_loss": True, "method": "sft"}
    question = {**inputs, **rules, "cache": str(folder / "cache")}
    assert result["tokens"] == count(question)["tokens"] == curve(folder)[-2]["tokens"]


def test_the_adapter_changes_the_model(finished: tuple[Path, dict[str, Any]], model: Path) -> None:
    import torch

    from ftkit.workers.loading import ADAPTER, BASE, load_with_adapter

    tuned = load_with_adapter(model, finished[0] / "adapter")
    ids = torch.tensor([[5, 6, 7, 8]] * 2)
    with torch.no_grad():
        base, changed = tuned(input_ids=ids, adapter_names=[BASE, ADAPTER]).logits
    assert (base - changed).abs().max() > 0.01


def test_the_best_checkpoint_is_what_stays(tmp_path: Path, model: Path) -> None:
    # The validation rows have answers of which training teaches the opposite: their loss can only rise.
    foreign = [{**row, "answer": "ÇĞİÖŞÜ ñßøå " * 3} for row in rows(2)]
    folder = make_split(tmp_path / "split", rows(16), foreign)
    run = make_run(tmp_path, model, folder, learning_rate=0.05, num_train_epochs=2)
    result = train.job(run)
    validated = [point for point in curve(tmp_path) if "eval_loss" in point]
    best = min(validated, key=lambda point: point["eval_loss"])
    assert best is not validated[-1]
    assert (result["best_step"], result["eval_loss"]) == (best["step"], best["eval_loss"])
    kept = tmp_path / "checkpoints" / f"checkpoint-{best['step']}" / "adapter_model.safetensors"
    assert _adapter(tmp_path) == kept.read_bytes()


def test_without_keeping_the_best_the_last_one_stays(tmp_path: Path, model: Path, split: Path) -> None:
    result = train.job(make_run(tmp_path, model, split, load_best_model_at_end=False))
    assert (result["best_step"], result["eval_loss"]) == (5, curve(tmp_path)[-1]["eval_loss"])


def test_without_validation_rows_there_is_no_validation_loss(tmp_path: Path, model: Path) -> None:
    result = train.job(make_run(tmp_path, model, make_split(tmp_path / "split", rows(8))))
    assert result["eval_loss"] is None
    assert [point["step"] for point in curve(tmp_path)] == [1, 2]
    assert _adapter(tmp_path)


def test_long_rows_are_left_out_and_counted(tmp_path: Path, model: Path) -> None:
    data = [
        *rows(8),
        {"system": "", "message": "my kettle " * 200, "answer": "yes"},
        {"message": "a", "answer": ""},
    ]
    result = train.job(make_run(tmp_path, model, make_split(tmp_path / "split", data), max_length=200))
    assert (result["rows"], result["rows_left_out"], result["rows_empty"]) == (8, 1, 1)


def test_nothing_to_train_on_is_refused(tmp_path: Path, model: Path, split: Path) -> None:
    with pytest.raises(Refused) as caught:
        train.job(make_run(tmp_path, model, split, max_length=16))
    assert caught.value.key == "training.no_rows"


@pytest.mark.parametrize("names", ["q_proj,nothing", "lm_head"])
def test_layers_that_cannot_get_an_adapter_are_named(
    names: str, tmp_path: Path, model: Path, split: Path
) -> None:
    with pytest.raises(BadInput, match="gate_proj") as caught:
        train.job(make_run(tmp_path, model, split, target_modules=names))
    assert caught.value.key == "training.no_such_layer"


def test_only_the_named_layers_are_trained(tmp_path: Path, model: Path, split: Path) -> None:
    from safetensors import safe_open

    train.job(make_run(tmp_path, model, split, target_modules="q_proj, v_proj", max_steps=2, r=3))
    with safe_open(tmp_path / "adapter" / "adapter_model.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    assert {name.split(".")[-3] for name in shapes} == {"q_proj", "v_proj"}
    assert all(3 in shape for shape in shapes.values())


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, model: Path, split: Path) -> None:
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "model"
    shutil.copytree(model, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"][0] = math.inf
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    run = make_run(tmp_path / "run", broken, split)
    with pytest.raises(BadInput, match="loss is nan at step 1") as caught:
        train.job(run)
    assert caught.value.key == "training.loss_diverged"
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
    assert not (tmp_path / "run" / "adapter").exists()


def test_a_gradient_that_is_no_number_is_named() -> None:
    from ftkit.workers.training.trainer import check_gradient

    check_gradient(1e30, 2.0, 1)
    check_gradient(0.0, 0.0, 1)
    with pytest.raises(BadInput, match="gradient is inf at step 7"):
        check_gradient(math.inf, 2.0, 7)


def test_a_learning_rate_that_throws_the_weights_away_stops_the_run(
    tmp_path: Path, model: Path, split: Path
) -> None:
    with pytest.raises(BadInput, match="at step [2345]") as caught:
        train.job(make_run(tmp_path, model, split, learning_rate=1e9))
    assert caught.value.key in {"training.gradient_vanished", "training.loss_diverged"}
    assert not (tmp_path / "adapter").exists()


@pytest.mark.parametrize(
    "values",
    [
        {"packing": True, "max_length": 300, "num_train_epochs": 4},
        {"lora_dropout": 0.1},
        pytest.param({"optim": "adafactor"}, marks=pytest.mark.faults),
        pytest.param({"optim": "adamw_bnb_8bit"}, marks=pytest.mark.faults),
    ],
    ids=str,
)
def test_other_ways_to_train_work(values: dict[str, Any], tmp_path: Path, model: Path, split: Path) -> None:
    result = train.job(make_run(tmp_path, model, split, **values))
    assert result["train_loss"] < curve(tmp_path)[0]["loss"]


def test_plain_texts_are_learned_whole(tmp_path: Path, model: Path) -> None:
    data = [{"text": row["answer"]} for row in rows(12)]
    folder = make_split(tmp_path / "split", data, data[:2], columns=["text"])
    result = train.job(make_run(tmp_path, model, folder, mapping={"text": "text"}))
    assert result["rows"] == 12
    assert result["eval_loss"] < curve(tmp_path)[0]["loss"]


def test_a_stop_saves_and_resuming_ends_at_the_same_bytes(
    tmp_path: Path, model: Path, split: Path, finished: tuple[Path, dict[str, Any]]
) -> None:
    make_run(tmp_path, model, split)
    with pytest.raises(Stopped):
        train.job(Interrupted(tmp_path, step=3))
    assert (tmp_path / "checkpoints" / "checkpoint-3" / "trainer_state.json").exists()
    assert _adapter(tmp_path) != _adapter(finished[0])
    (tmp_path / "stop").unlink()
    result = train.job(Worker(tmp_path))
    assert _adapter(tmp_path) == _adapter(finished[0])
    assert _without_time(tmp_path) == _without_time(finished[0])
    same = ("train_loss", "eval_loss", "best_step", "steps", "tokens", "rows")
    assert {name: result[name] for name in same} == {name: finished[1][name] for name in same}


def test_a_stop_during_validation_saves_at_once(
    tmp_path: Path, model: Path, split: Path, finished: tuple[Path, dict[str, Any]]
) -> None:
    make_run(tmp_path, model, split)
    with pytest.raises(Stopped):
        train.job(Interrupted(tmp_path, step=2))
    assert [point["step"] for point in curve(tmp_path)] == [1, 2]
    assert (tmp_path / "checkpoints" / "checkpoint-2-unmeasured" / "trainer_state.json").exists()
    assert (tmp_path / "adapter").exists()
    (tmp_path / "stop").unlink()
    train.job(Worker(tmp_path))
    assert _without_time(tmp_path) == _without_time(finished[0])
    assert _adapter(tmp_path) == _adapter(finished[0])


def test_after_a_crash_the_newest_whole_checkpoint_goes_on(
    tmp_path: Path, model: Path, split: Path, finished: tuple[Path, dict[str, Any]]
) -> None:
    make_run(tmp_path, model, split)
    with pytest.raises(MemoryError):
        train.job(Interrupted(tmp_path, step=5, crash=True))
    broken = tmp_path / "checkpoints" / "checkpoint-4"
    (broken / "trainer_state.json").unlink()
    train.job(Worker(tmp_path))
    assert (tmp_path / "checkpoints" / "broken-1-checkpoint-4").exists()
    (event,) = Worker(tmp_path).folder.events()
    assert (event["event"], event["values"]["reason"]) == (
        "checkpoint_set_aside",
        "trainer_state.json is missing",
    )
    assert _adapter(tmp_path) == _adapter(finished[0])
    assert _without_time(tmp_path) == _without_time(finished[0])


@pytest.mark.faults
@pytest.mark.timeout(600)  # two processes that import everything
def test_a_killed_process_resumes_in_a_new_one_to_the_same_bytes(
    tmp_path: Path, model: Path, split: Path, finished: tuple[Path, dict[str, Any]]
) -> None:
    """Also across processes the seed decides: hash seeds and the order of sets do not."""
    make_run(tmp_path, model, split)
    (tmp_path / "job.json").write_text(json.dumps({"nonce": "n"}))
    environment = Settings.from_environment().worker_environment()
    command = [sys.executable, "-m", "ftkit.workers.train", str(tmp_path)]
    first = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (tmp_path / "checkpoints" / "checkpoint-2").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "DONE").exists()
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["outcome"] == "done", done.stderr.decode()[-2000:]
    assert _adapter(tmp_path) == _adapter(finished[0])
    config = (tmp_path / "adapter" / "adapter_config.json").read_bytes()
    assert config == (finished[0] / "adapter" / "adapter_config.json").read_bytes()
    assert _without_time(tmp_path) == _without_time(finished[0])


def test_another_seed_gives_another_adapter(
    tmp_path: Path, model: Path, split: Path, finished: tuple[Path, dict[str, Any]]
) -> None:
    train.job(make_run(tmp_path, model, split, seed=7))
    assert _adapter(tmp_path) != _adapter(finished[0])


def _without_time(folder: Path) -> list[dict[str, Any]]:
    changing = ("time", "tokens_per_second", "train_seconds", "memory_mb")
    return [{k: v for k, v in point.items() if k not in changing} for point in curve(folder)]
