import pytest

from ftkit.training.machine import Machine
from ftkit.training.memory import adapter_parameters, estimate, fit, what_would_fit
from ftkit.training.spec import RunSpec
from tests.unit.training.test_card import LAPTOP, MODERN, SMOLLM2


def _total(spec, model, longest, machine) -> int:
    return estimate(spec, model, longest, machine).total


def test_adapter_size_is_that_of_peft() -> None:
    # 4,884,480 is what PEFT prints for r=16 on all linear layers of this model.
    assert adapter_parameters(RunSpec(r=16), SMOLLM2) == 4_884_480


def test_memory_is_near_what_was_measured_and_not_below() -> None:
    # Measured: 2,245 MB at the peak of a whole run with batches of 4 rows of at most 178 tokens, in 32 bits. The longest
    # rows rarely meet in one batch, so the estimate lies above it, never below.
    estimate = _total(RunSpec(per_device_train_batch_size=4), SMOLLM2, 178, LAPTOP)
    assert 2245 <= estimate <= 1.5 * 2245


@pytest.mark.parametrize(("batch", "longest", "measured"), [(4, 178, 3531), (1, 512, 3276), (4, 512, 4859)])
def test_memory_is_near_what_was_measured_in_16_bits(batch: int, longest: int, measured: int) -> None:
    estimate = _total(RunSpec(per_device_train_batch_size=batch), SMOLLM2, longest, MODERN)
    assert estimate == pytest.approx(measured, rel=0.1)


def test_memory_grows_with_batch_and_length() -> None:
    small = _total(RunSpec(per_device_train_batch_size=1), SMOLLM2, 128, MODERN)
    assert _total(RunSpec(per_device_train_batch_size=8), SMOLLM2, 128, MODERN) > small
    assert _total(RunSpec(per_device_train_batch_size=1), SMOLLM2, 512, MODERN) > small


@pytest.mark.parametrize(
    ("options", "smaller"),
    [
        ({"use_peft": False}, {}),
        ({"use_peft": False}, {"use_peft": False, "optim": "adafactor"}),
        ({"method": "dpo"}, {}),
        ({"method": "dpo", "use_peft": False}, {"method": "dpo"}),
        ({"fast_path": False}, {}),
        ({}, {"activation_checkpointing": True, "fast_path": False, "per_device_train_batch_size": 2}),
    ],
)
def test_what_needs_more(options, smaller) -> None:
    assert _total(RunSpec(**options), SMOLLM2, 512, LAPTOP) > _total(RunSpec(**smaller), SMOLLM2, 512, LAPTOP)


def test_four_bits_make_a_large_model_small() -> None:
    shape = {"hidden": 4096, "layers": 32, "intermediate": 14336, "key_value": 1024, "vocabulary": 128256}
    large = SMOLLM2.model_copy(update={"parameters": 8_030_000_000, "architecture": shape})
    card = Machine(cores=16, memory_mb=80_000, gpu="a card", bf16=True)
    plain = estimate(RunSpec(), large, 512, card)
    small = estimate(RunSpec(load_in_4bit=True), large, 512, card)
    assert plain.weights > 2.5 * small.weights
    assert small.weights > 8_030_000_000 * 0.5 / 2**20


def test_the_change_that_would_make_it_fit_is_the_cheapest_one() -> None:
    spec = RunSpec(per_device_train_batch_size=16)
    needs = _total(spec, SMOLLM2, 512, LAPTOP)
    changes, then = what_would_fit(spec, SMOLLM2, 512, Machine(cores=2, memory_mb=needs - 500))
    assert changes == {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2}
    assert then <= needs - 500
    assert what_would_fit(spec, SMOLLM2, 512, Machine(cores=2, memory_mb=300)) is None


def test_a_fit_says_what_would_help_only_where_it_is_needed() -> None:
    spec = RunSpec(per_device_train_batch_size=16)
    roomy = fit(spec, SMOLLM2, 512, Machine(cores=2, memory_mb=64_000))
    assert (roomy.fits, roomy.change, roomy.as_dict()["needs_with_change_mb"]) == ("fits", {}, None)
    narrow = fit(spec, SMOLLM2, 512, Machine(cores=2, memory_mb=roomy.memory.total - 500))
    assert narrow.fits == "exceeds"
    assert narrow.change["per_device_train_batch_size"] < 16
    assert narrow.needs_with_change_mb <= roomy.memory.total - 500
