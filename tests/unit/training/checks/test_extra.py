import pytest

from ftkit.training.spec import RunSpec


def keys(method: str = "sft", **extra: object) -> dict[str, str]:
    spec = RunSpec(method=method, extra_arguments=extra)
    return {str(one.values["name"]): one.key.removeprefix("training.extra_") for one in spec.extra_refusals()}


def test_names_that_may_not_be_given_are_refused_one_by_one() -> None:
    found = keys(
        learning_rate=1,
        output_dir="/tmp/x",
        hub_token="s",
        trust_remote_code=True,
        trackio_space_id="a/b",
        deepspeed={"zero_optimization": {"offload_optimizer": {"nvme_path": "/disk"}}},
        neftune_noise_alpha=5,
    )
    assert found == {
        "learning_rate": "is_an_option",
        "output_dir": "is_ours",
        "hub_token": "dangerous",
        "trust_remote_code": "dangerous",
        "trackio_space_id": "dangerous",
        "deepspeed": "path",
    }


def test_an_option_of_another_method_may_be_given() -> None:
    assert keys("dpo", loss_type="ipo") == {"loss_type": "is_an_option"}
    assert keys("sft", loss_type="dft") == {}
    assert keys("sft", train_sampling_strategy="group_by_length") == {}
    assert keys("kto", train_sampling_strategy="random") == {"train_sampling_strategy": "is_ours"}


@pytest.mark.parametrize(
    ("extra", "fast"),
    [
        ({}, True),
        ({"adam_beta2": 0.99, "lr_scheduler_kwargs": {"num_cycles": 2}}, True),
        ({"neftune_noise_alpha": 5}, False),
        ({"adam_beta2": 0.99, "torch_compile": True}, False),
    ],
)
def test_what_may_change_a_step_turns_the_fast_path_off(extra: dict[str, object], fast: bool) -> None:
    assert RunSpec(extra_arguments=extra).may_be_fast is fast
