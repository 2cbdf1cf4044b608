import random
import statistics

import pytest

from ftkit.training.machine import Machine
from ftkit.training.memory import Lengths, adapter_parameters, estimate, fit, what_would_fit
from ftkit.training.spec import RunSpec
from tests.unit.training.test_card import LAPTOP, MODERN, SMOLLM2


def _total(spec, model, longest, machine) -> int:
    return estimate(spec, model, Lengths.alike(longest), machine).total


def test_adapter_size_is_that_of_peft() -> None:
    # 4,884,480 is what PEFT prints for r=16 on all linear layers of this model.
    assert adapter_parameters(RunSpec(r=16), SMOLLM2) == 4_884_480


# Peaks of whole runs of six steps on the bundled model, by ``python -m tests.bench memory``, on a processor with 16-bit units:
# options, tokens of the longest row, of the average row and their spread, megabytes.
MEASURED = [
    ({"per_device_train_batch_size": 4}, (232, 159, 38), 1948),
    ({"per_device_train_batch_size": 4}, (488, 338, 87), 2755),
    ({"per_device_train_batch_size": 4, "fast_path": False}, (232, 159, 38), 3859),
    ({"per_device_train_batch_size": 2, "bf16": False}, (488, 364, 87), 2116),
    ({"per_device_train_batch_size": 2, "use_peft": False}, (232, 158, 38), 3747),
    (
        {"per_device_train_batch_size": 4, "use_peft": False, "activation_checkpointing": True},
        (488, 338, 87),
        5343,
    ),
    ({"per_device_train_batch_size": 2, "load_in_4bit": True}, (232, 158, 38), 2131),
    ({"per_device_train_batch_size": 2, "method": "dpo"}, (233, 316, 76), 3859),
]


@pytest.mark.parametrize(("options", "lengths", "measured"), MEASURED)
def test_memory_is_near_what_was_measured(options, lengths, measured) -> None:
    longest, mean, spread = lengths
    found = estimate(RunSpec(**options), SMOLLM2, Lengths(longest, 196, mean, spread, batches=6), MODERN)
    assert found.total == pytest.approx(measured, rel=0.1)


def test_with_few_tokens_loading_is_the_peak() -> None:
    # Measured: 1,471 MB once the model is loaded and ready, whatever the rows.
    spec = RunSpec(per_device_train_batch_size=1)
    assert _total(spec, SMOLLM2, 32, MODERN) == pytest.approx(1471, rel=0.1)


def test_the_largest_of_many_batches_is_found_by_simulation() -> None:
    chance = random.Random(3)
    rows = [chance.gauss(200, 50) for _ in range(400)]
    seen = []
    for _ in range(200):
        chance.shuffle(rows)
        seen.append(max(sum(rows[begin : begin + 4]) for begin in range(0, 400, 4)))
    lengths = Lengths(round(max(rows)), 0, sum(rows) / 400, statistics.pstdev(rows), batches=100)
    assert lengths.largest_batch(4) == pytest.approx(statistics.mean(seen), rel=0.03)
    assert Lengths.alike(512).largest_batch(4) == 4 * 512
    assert lengths.largest_batch(1) <= lengths.longest


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
    plain = estimate(RunSpec(), large, Lengths.alike(512), card)
    small = estimate(RunSpec(load_in_4bit=True), large, Lengths.alike(512), card)
    assert plain.weights > 2.5 * small.weights
    assert small.weights > 8_030_000_000 * 0.5 / 2**20


def test_the_change_that_would_make_it_fit_is_the_cheapest_one() -> None:
    spec = RunSpec(per_device_train_batch_size=16)
    needs = _total(spec, SMOLLM2, 512, LAPTOP)
    changes, then = what_would_fit(spec, SMOLLM2, Lengths.alike(512), Machine(cores=2, memory_mb=needs - 500))
    assert changes == {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2}
    assert then <= needs - 500
    assert what_would_fit(spec, SMOLLM2, Lengths.alike(512), Machine(cores=2, memory_mb=300)) is None


def test_a_fit_says_what_would_help_only_where_it_is_needed() -> None:
    spec = RunSpec(per_device_train_batch_size=16)
    roomy = fit(spec, SMOLLM2, Lengths.alike(512), Machine(cores=2, memory_mb=64_000))
    assert (roomy.fits, roomy.change, roomy.as_dict()["needs_with_change_mb"]) == ("fits", {}, None)
    narrow = fit(spec, SMOLLM2, Lengths.alike(512), Machine(cores=2, memory_mb=roomy.memory.total - 500))
    assert narrow.fits == "exceeds"
    assert narrow.change["per_device_train_batch_size"] < 16
    assert narrow.needs_with_change_mb <= roomy.memory.total - 500
