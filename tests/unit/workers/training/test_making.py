"""Every method trains on real TRL over a tiny model, and leaves something that loads and answers differently."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.errors import Refused
from ftkit.workers import loading, train
from tests.tiny import make_tiny_adapter
from tests.unit.workers.runs import MAPPING, curve, make_run, make_split, rows

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:.*deprecated.*:FutureWarning"),  # TRL about its own names
]

PAIRS = {"system": "system", "user": "message", "chosen": "answer", "rejected": "worse"}
MARKED = {"system": "system", "user": "message", "assistant": "answer", "label": "mark"}
COLUMNS = ("system", "message", "answer", "worse", "mark")


def _data(number: int) -> list[dict[str, Any]]:
    return [
        {**row, "worse": "I do not know.", "mark": "good" if n % 2 else "bad"}
        for n, row in enumerate(rows(number))
    ]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_split(tmp_path_factory.mktemp("split"), _data(16), _data(20)[16:], COLUMNS)


def _logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=torch.tensor([[5, 6, 7, 8]])).logits.float()


def _moved(tiny_model: Path, run: Path) -> float:
    tuned: Any
    if (run / "adapter").exists():
        tuned = loading.load_with_adapter(tiny_model, run / "adapter", torch.float32)
    else:
        tuned = loading.load_model(run / "model", torch.float32)
    base = loading.load_model(tiny_model, torch.float32)
    return float((_logits(tuned) - _logits(base)).abs().max())


def _losses(run: Path) -> list[float]:
    return [point["loss"] for point in curve(run) if "loss" in point]


@pytest.mark.parametrize(
    "options",
    [
        {"use_peft": False},
        {"use_dora": True},
        pytest.param({"use_rslora": True}, marks=pytest.mark.faults),
        {"load_in_4bit": True},
        pytest.param({"load_in_8bit": True}, marks=pytest.mark.faults),
        {"activation_checkpointing": True},
        {"packing": True, "max_length": 256, "num_train_epochs": 4},
        {"fast_path": False},
    ],
    ids=lambda options: next(iter(options)),
)
def test_plain_fine_tuning_in_each_way(
    options: dict[str, Any], tmp_path: Path, tiny_model: Path, split: Path
) -> None:
    result = train.job(make_run(tmp_path, tiny_model, split, **options))
    assert result["fast_path"] == ("use_rslora" in options)
    losses = _losses(tmp_path)
    assert losses[-1] < losses[0]
    assert _moved(tiny_model, tmp_path) > 0.01


def test_the_fast_path_is_taken_where_it_fits_and_says_so(
    tmp_path: Path, tiny_model: Path, split: Path
) -> None:
    fast = train.job(make_run(tmp_path / "fast", tiny_model, split))
    plain = train.job(make_run(tmp_path / "plain", tiny_model, split, fast_path=False))
    assert (fast["fast_path"], plain["fast_path"]) == (True, False)
    assert _losses(tmp_path / "fast") == pytest.approx(_losses(tmp_path / "plain"), rel=0.02)


def test_a_whole_model_is_a_model_like_any_other(tmp_path: Path, tiny_model: Path, split: Path) -> None:
    train.job(make_run(tmp_path, tiny_model, split, use_peft=False))
    folder = tmp_path / "model"
    assert not (tmp_path / "adapter").exists()
    assert loading.load_tokenizer(folder).chat_template == loading.load_tokenizer(tiny_model).chat_template
    assert json.loads((folder / "config.json").read_text())["model_type"] == "llama"


def test_dpo_from_the_base_learns_to_prefer(tmp_path: Path, tiny_model: Path, split: Path) -> None:
    run = make_run(tmp_path, tiny_model, split, PAIRS, method="dpo", num_train_epochs=3)
    result = train.job(run)
    losses = _losses(tmp_path)
    assert losses[0] == pytest.approx(0.6931, abs=1e-3)  # log 2: model and reference are still the same
    assert losses[-1] < 0.6
    assert result["eval_reward_accuracy"] == 1.0
    assert result["eval_reward_margin"] > 0.1
    assert result["tokens"] > 0
    assert _moved(tiny_model, tmp_path) > 0.01


def test_dpo_goes_on_from_an_adapter_and_leaves_one_for_the_base(
    tmp_path: Path, tiny_model: Path, split: Path
) -> None:
    sft = make_tiny_adapter(tiny_model, tmp_path / "sft", scale=0.1)
    run = make_run(tmp_path / "run", tiny_model, split, PAIRS, method="dpo")
    inputs = {**run.inputs, "adapter": str(sft)}
    (run.path / "inputs.json").write_text(json.dumps(inputs))
    train.job(type(run)(run.path))
    assert _losses(run.path)[0] == pytest.approx(0.6931, abs=1e-3)
    assert {path.name for path in (run.path / "adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    before = loading.load_with_adapter(tiny_model, sft, torch.float32)
    after = loading.load_with_adapter(tiny_model, run.path / "adapter", torch.float32)
    assert float((_logits(after) - _logits(before)).abs().max()) > 0.001
    assert _moved(tiny_model, run.path) > 0.01


@pytest.mark.faults
def test_full_fine_tuning_with_preferences_has_a_reference_of_its_own(
    tmp_path: Path, tiny_model: Path, split: Path
) -> None:
    train.job(make_run(tmp_path, tiny_model, split, PAIRS, method="dpo", use_peft=False, learning_rate=1e-3))
    losses = _losses(tmp_path)
    assert losses[0] == pytest.approx(0.6931, abs=1e-3)
    assert losses[-1] < losses[0]


def test_kto_learns_from_marked_answers(tmp_path: Path, tiny_model: Path, split: Path) -> None:
    result = train.job(make_run(tmp_path, tiny_model, split, MARKED, method="kto", num_train_epochs=2))
    losses = _losses(tmp_path)
    assert losses[-1] < losses[0]
    assert result["rows"] == 16
    assert _moved(tiny_model, tmp_path) > 0.01


def test_a_run_ends_early_when_validation_gets_no_better(tmp_path: Path, tiny_model: Path) -> None:
    foreign = [{**row, "answer": "ÇĞİÖŞÜ ñßøå " * 3} for row in rows(2)]
    split = make_split(tmp_path / "split", rows(16), foreign)
    options = {"learning_rate": 0.05, "num_train_epochs": 8, "early_stopping_patience": 2}
    result = train.job(make_run(tmp_path / "run", tiny_model, split, MAPPING, **options))
    assert result["steps"] < 32
    assert result["ended_early"]
    assert result["steps"] - result["best_step"] == 2 * 2  # two validations, each after two steps


def test_the_best_is_what_the_chosen_metric_says(tmp_path: Path, tiny_model: Path, split: Path) -> None:
    """On these rows the loss gets worse while more tokens are predicted right, so that the two disagree."""
    options = {"learning_rate": 0.05, "num_train_epochs": 4, "eval_steps": 2}
    for name, best, figure in (
        ("eval_loss", min, "eval_loss"),
        ("eval_mean_token_accuracy", max, "eval_token_accuracy"),
    ):
        folder = tmp_path / figure
        result = train.job(make_run(folder, tiny_model, split, metric_for_best_model=name, **options))
        validated = [point for point in curve(folder) if "eval_loss" in point]
        wanted = best(validated, key=lambda point: point[figure])
        assert (result["best_step"], result[figure]) == (wanted["step"], wanted[figure])
        checkpoint = folder / "checkpoints" / f"checkpoint-{wanted['step']}" / "adapter_model.safetensors"
        assert (folder / "adapter" / "adapter_model.safetensors").read_bytes() == checkpoint.read_bytes()


@pytest.mark.parametrize(
    ("mapping", "method", "metric", "figure"),
    [
        pytest.param(
            PAIRS, "dpo", "eval_rewards/accuracies", "eval_reward_accuracy", marks=pytest.mark.faults
        ),
        (MARKED, "kto", "eval_rewards/margins", "eval_reward_margin"),
    ],
)
def test_preferences_have_metrics_of_their_own(
    mapping: dict[str, str],
    method: str,
    metric: str,
    figure: str,
    tmp_path: Path,
    tiny_model: Path,
    split: Path,
) -> None:
    run = make_run(
        tmp_path, tiny_model, split, mapping, method=method, metric_for_best_model=metric, max_steps=4
    )
    result = train.job(run)
    validated = [point for point in curve(tmp_path) if "eval_loss" in point]
    wanted = max(validated, key=lambda point: point[figure])
    assert (result["best_step"], result[figure]) == (wanted["step"], wanted[figure])


def test_a_margin_that_is_never_measured_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    good = [row for row in _data(20) if row["mark"] == "good"]
    one_sided = make_split(tmp_path / "split", _data(8), good[:3], COLUMNS)
    options = {"method": "kto", "metric_for_best_model": "eval_rewards/margins"}
    with pytest.raises(Refused, match="eval_rewards/margins is never measured"):
        train.job(make_run(tmp_path / "run", tiny_model, one_sided, MARKED, **options))


def test_an_upload_that_fails_fails_no_run(
    tmp_path: Path, tiny_model: Path, split: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    upload = {"push_to_hub": True, "hub_model_id": "me/mine"}
    result = train.job(make_run(tmp_path, tiny_model, split, max_steps=1, **upload))
    assert result["hub_error"]["key"] == "training.hub_failed"
    assert (tmp_path / "adapter").exists()


def test_raw_arguments_reach_the_training_and_turn_the_fast_path_off(
    tmp_path: Path, tiny_model: Path, split: Path
) -> None:
    plain = train.job(make_run(tmp_path / "plain", tiny_model, split, fast_path=False, max_steps=3))
    noisy = {"extra_arguments": {"neftune_noise_alpha": 50}, "max_steps": 3}
    result = train.job(make_run(tmp_path / "noisy", tiny_model, split, **noisy))
    assert not result["fast_path"]
    assert result["train_loss"] != pytest.approx(plain["train_loss"], rel=1e-4)


def test_weights_in_4_bits_have_the_same_gradients_after_a_validation(tiny_model: Path) -> None:
    from peft import LoraConfig, get_peft_model

    from ftkit.training.spec import RunSpec
    from ftkit.workers.training.arguments import quantization

    bits = quantization(RunSpec(load_in_4bit=True), torch.bfloat16)
    base: Any = loading.load_model(tiny_model, torch.bfloat16, bits)
    with loading.quiet_peft():
        model = get_peft_model(base, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    ids = torch.arange(3, 43).view(2, 20)

    def gradients() -> list[torch.Tensor]:
        model.train()
        model.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    before = gradients()
    model.eval()
    with torch.no_grad():
        model(input_ids=ids)
    model.generate(input_ids=ids[:1], max_new_tokens=2, do_sample=False)
    for one, other in zip(gradients(), before, strict=True):
        torch.testing.assert_close(one, other)
