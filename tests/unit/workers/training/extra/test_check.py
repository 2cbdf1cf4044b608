"""Raw arguments against the real configs of TRL."""

from typing import Any

import pytest

from ftkit.workers.training.extra.check import check

pytestmark = pytest.mark.training  # importing TRL takes seconds


def found(method: str = "sft", **extra: Any) -> dict[str, str]:
    errors = check({"method": method, "encoder_decoder": False, "extra_arguments": extra})
    return {e["values"].get("name", ""): e["key"].removeprefix("training.extra_") for e in errors}


@pytest.mark.parametrize(
    ("method", "extra"),
    [
        ("sft", {"neftune_noise_alpha": 5, "adam_beta2": 0.99, "label_smoothing_factor": 0.1}),
        ("sft", {"lr_scheduler_kwargs": {"num_cycles": 2}, "loss_type": "dft"}),
        ("sft", {"accelerator_config": {"split_batches": False}, "torch_empty_cache_steps": None}),
        ("dpo", {"label_smoothing": 0.1, "precompute_ref_log_probs": True}),
        ("kto", {"precompute_ref_log_probs": True}),
    ],
)
def test_what_trl_takes_is_taken(method: str, extra: dict[str, Any]) -> None:
    assert found(method, **extra) == {}


def test_unknown_names_and_wrong_values_come_at_once() -> None:
    errors = check(
        {
            "method": "sft",
            "encoder_decoder": False,
            "extra_arguments": {
                "neftune_noise_alfa": 5,
                "qqq": 1,
                "adam_beta1": "much",
                "deepspeed": "ds.json",
                "torch_compile": "yes",
                "use_liger_kernel": True,
            },
        }
    )
    said = {error["values"]["name"]: error["text"].format(**error["values"]) for error in errors}
    assert said["neftune_noise_alfa"].endswith("Did you mean neftune_noise_alpha?")
    assert "nor one like it" in said["qqq"]
    assert said["adam_beta1"] == "extra_arguments: adam_beta1 cannot be 'much'. It takes: float."
    assert "dict" in said["deepspeed"]
    assert "It takes: bool" in said["torch_compile"]
    assert "liger-kernel" in said["use_liger_kernel"]


def test_an_argument_of_one_method_is_unknown_to_another() -> None:
    assert found("sft", label_smoothing=0.1) == {"label_smoothing": "unknown"}


def test_what_the_config_itself_refuses_is_said() -> None:
    (error,) = check(
        {
            "method": "sft",
            "encoder_decoder": False,
            "extra_arguments": {"warmup_steps": 3, "torch_compile_mode": "x", "debug": "nonsense"},
        }
    )
    assert error["key"] == "training.extra_refused"
    assert "nonsense" in error["values"]["reason"]


def test_an_encoder_decoder_model_has_its_own_arguments() -> None:
    def known(**extra: Any) -> list[str]:
        question = {"method": "sft", "encoder_decoder": True, "extra_arguments": extra}
        return [error["key"] for error in check(question)]

    assert known(label_smoothing_factor=0.1) == []
    assert known(packing_strategy="bfd") in (["training.extra_unknown"], ["training.extra_unlike_any"])
