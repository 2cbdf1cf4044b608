"""The fast path against plain TRL: the same rows, the same steps, the same losses, the same adapter."""

from pathlib import Path
from typing import Any

import pytest

from tests.tiny import VOCABULARY
from tests.unit.workers.runs import SHORT, no_run, rows

pytestmark = [
    pytest.mark.training,
    # TRL and transformers about their own names.
    pytest.mark.filterwarnings("ignore:.*deprecated.*:FutureWarning"),
]

_ACCURACY = "eval_mean_token_accuracy"


def _model(kind: str, **values: Any) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = AutoConfig.for_model(
        kind,
        vocab_size=VOCABULARY,
        max_position_embeddings=512,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        **size,
    )
    if kind != "gpt2":
        config.update({"intermediate_size": 64, "num_key_value_heads": 2, "head_dim": 8, **values})
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32)


def _train(
    model: Any, tiny_model: Path, out: Path, fast: bool, share: bool = True, **values: Any
) -> dict[str, Any]:
    from datasets import Dataset

    from ftkit.data.chat import training_row
    from ftkit.training.spec import RunSpec
    from ftkit.workers.loading import load_tokenizer, quiet_peft
    from ftkit.workers.training.arguments import adapter_config, training_arguments
    from ftkit.workers.training.fast.batches import FastCollator
    from ftkit.workers.training.rows import FastTokenizer, tokenise
    from ftkit.workers.training.trainer import FastTrainer, RunTrainer, use_fast_attention
    from tests.unit.workers.runs import MAPPING

    spec = RunSpec.parse({**SHORT, **values})
    tokenizer = FastTokenizer(tiny_model)
    data = [tokenise(training_row(row, MAPPING), tokenizer, spec.completion_only_loss) for row in rows(20)]
    if fast:
        use_fast_attention(model, narrow=values.get("bf16", False))
    make = FastTrainer if fast else RunTrainer
    with quiet_peft():
        trainer = make(
            model=model,
            args=training_arguments(spec, out, validates=True, fast=fast, bf16=values.get("bf16", False)),
            train_dataset=Dataset.from_list([row._asdict() for row in data[:16]]),
            eval_dataset=Dataset.from_list([row._asdict() for row in data[16:]]),
            processing_class=load_tokenizer(tiny_model),
            peft_config=adapter_config(spec),
            data_collator=FastCollator(share) if fast else None,
            interrupted=lambda: None,
            keeping=no_run(),
        )
        trainer.train()
    history = trainer.state.log_history
    return {
        "loss": [entry["loss"] for entry in history if "loss" in entry],
        "grad_norm": [entry["grad_norm"] for entry in history if "grad_norm" in entry],
        "eval_loss": [entry["eval_loss"] for entry in history if "eval_loss" in entry],
        "accuracy": [entry[_ACCURACY] for entry in history if _ACCURACY in entry],
        "tokens": trainer.tokens,
        "weights": {n: p.detach().clone() for n, p in trainer.model.named_parameters() if p.requires_grad},
    }


def _assert_same(fast: dict[str, Any], plain: dict[str, Any], tolerance: float = 2e-4) -> None:
    import torch

    assert fast["tokens"] == plain["tokens"] > 0
    for name in ("loss", "grad_norm", "eval_loss"):
        assert len(fast[name]) == len(plain[name]) > 1
        assert fast[name] == pytest.approx(plain[name], rel=tolerance, abs=1e-5)
    assert fast["weights"].keys() == plain["weights"].keys()
    moved = 0.0
    for name, weight in plain["weights"].items():
        torch.testing.assert_close(fast["weights"][name], weight, rtol=tolerance, atol=20 * tolerance)
        moved += float(weight.abs().sum()) if "lora_B" in name else 0.0
    assert moved > 1, "nothing was trained"


@pytest.mark.parametrize(
    "kind", ["llama", *(pytest.param(kind, marks=pytest.mark.faults) for kind in ("qwen2", "qwen3"))]
)
def test_each_fast_architecture_trains_as_with_trl(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    from ftkit.workers.training.trainer import fits_fast_path

    model = _model(kind)
    assert fits_fast_path(model)
    plain = _train(_model(kind), tiny_model, tmp_path / "plain", fast=False)
    _assert_same(_train(model, tiny_model, tmp_path / "fast", fast=True), plain)


@pytest.mark.parametrize(
    "values",
    [
        {"completion_only_loss": False},
        pytest.param(
            {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2}, marks=pytest.mark.faults
        ),
        pytest.param({"per_device_train_batch_size": 1}, marks=pytest.mark.faults),
        pytest.param(
            {"weight_decay": 0.1, "max_grad_norm": 0.1, "lr_scheduler_type": "linear"},
            marks=pytest.mark.faults,
        ),
    ],
    ids=["all tokens", "accumulation", "single rows", "clipping"],
)
def test_options_act_alike_on_both_paths(values: dict[str, Any], tiny_model: Path, tmp_path: Path) -> None:
    plain = _train(_model("llama"), tiny_model, tmp_path / "plain", fast=False, **values)
    for share in (True, False):
        _assert_same(_train(_model("llama"), tiny_model, tmp_path / str(share), True, share, **values), plain)


@pytest.mark.faults
def test_frozen_weights_in_16_bits_change_nothing_under_autocast(tiny_model: Path, tmp_path: Path) -> None:
    plain = _train(_model("llama"), tiny_model, tmp_path / "plain", fast=False, bf16=True)
    fast = _train(_model("llama"), tiny_model, tmp_path / "fast", fast=True, bf16=True)
    _assert_same(fast, plain, tolerance=2e-2)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("gpt2", {}),
        ("mistral", {"sliding_window": 16}),
        ("llama", {"attention_dropout": 0.1}),
        ("gemma2", {"final_logit_softcapping": 30.0}),
        ("qwen2", {"layer_types": ["full_attention", "sliding_attention"]}),
    ],
)
def test_other_models_are_left_to_trl(kind: str, values: dict[str, Any]) -> None:
    from ftkit.workers.training.trainer import fits_fast_path

    assert not fits_fast_path(_model(kind, **values))


def test_the_validation_loss_does_not_depend_on_the_batch_size(tiny_model: Path, tmp_path: Path) -> None:
    losses = [
        _train(
            _model("llama"), tiny_model, tmp_path / f"{fast}{size}", fast, per_device_eval_batch_size=size
        )["eval_loss"]
        for fast in (True, False)
        for size in (1, 3)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0] == pytest.approx(losses[2], rel=1e-4)
    assert losses[0] == pytest.approx(losses[3], rel=1e-4)


def test_accumulated_batches_train_as_one_large_batch(tiny_model: Path, tmp_path: Path) -> None:
    for fast in (True, False):
        one = _train(
            _model("llama"), tiny_model, tmp_path / f"one{fast}", fast, per_device_train_batch_size=4
        )
        four = _train(
            _model("llama"),
            tiny_model,
            tmp_path / f"four{fast}",
            fast,
            per_device_train_batch_size=1,
            gradient_accumulation_steps=4,
        )
        _assert_same(four, one, tolerance=1e-4)


def test_padded_unpadded_and_packed_rows_have_the_same_loss(tiny_model: Path, tmp_path: Path) -> None:
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from ftkit.data.chat import training_row
    from ftkit.workers.loading import load_tokenizer
    from ftkit.workers.training.rows import FastTokenizer, tokenise
    from tests.unit.workers.runs import MAPPING

    tokenizer = FastTokenizer(tiny_model)
    data = [tokenise(training_row(row, MAPPING), tokenizer)._asdict() for row in rows(12)]
    model = _model("llama")

    def losses(**options: Any) -> tuple[float, int]:
        """Summed over all labelled tokens of all batches."""
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                str(tmp_path), use_cpu=True, bf16=False, report_to="none", train_sampling_strategy="sequential",
                activation_checkpointing=False, per_device_train_batch_size=4, disable_tqdm=True,
                dataset_kwargs={"skip_prepare_dataset": not options.get("packing")}, **options,
            ),
            train_dataset=Dataset.from_list(data),
            processing_class=load_tokenizer(tiny_model),
        )  # fmt: skip
        model.eval()
        total, tokens = 0.0, 0
        for batch in trainer.get_train_dataloader():
            inputs = trainer._prepare_inputs(batch)
            with torch.no_grad():
                output = model(**inputs, use_cache=False, fused_lm_head=True)
            total -= float(output.log_probs.sum())
            tokens += int(output.label_mask.sum())
        return total / tokens, tokens

    padded, tokens = losses(max_length=None)
    unpadded, same = losses(max_length=None, padding_free=True)
    packed, also_same = losses(max_length=400, packing=True)
    assert tokens == same == also_same > 100
    assert unpadded == pytest.approx(padded, rel=1e-4)
    assert packed == pytest.approx(padded, rel=1e-4)


def test_the_share_of_tokens_predicted_right_is_trl_s_own(tiny_model: Path, tmp_path: Path) -> None:
    """TRL's mean over batches is that over tokens where one batch holds all rows."""
    from trl.trainer.sft_trainer import SFTTrainer

    from ftkit.workers.training.trainer import RunTrainer

    options = {"per_device_eval_batch_size": 4, "num_train_epochs": 5}
    fast = _train(_model("llama"), tiny_model, tmp_path / "fast", fast=True, **options)["accuracy"]
    plain = _train(_model("llama"), tiny_model, tmp_path / "plain", fast=False, **options)["accuracy"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunTrainer, "evaluate", SFTTrainer.evaluate)
        trl = _train(_model("llama"), tiny_model, tmp_path / "trl", fast=False, **options)["accuracy"]
    assert 0 < plain[0] < plain[-1] <= 1
    assert fast == pytest.approx(plain, abs=1e-6)
    assert plain == pytest.approx(trl, rel=1e-6)
