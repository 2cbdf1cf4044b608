from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ftkit.records import Model
from ftkit.training.card import TokenCounts, count_steps, make_card
from ftkit.training.machine import Machine
from ftkit.training.spec import RunSpec

SMOLLM2 = Model(
    id="smollm2-135m-instruct",
    name="SmolLM2-135M-Instruct",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    source="bundled",
    parameters=134_515_008,
    context_length=8192,
    architecture={"hidden": 576, "layers": 30, "intermediate": 1536, "key_value": 192, "vocabulary": 49152},
)
COUNTS = TokenCounts(rows=100, tokens=15_000, trained_tokens=4_000, longest=256, left_out=0, empty=0)
LAPTOP = Machine(cores=2, memory_mb=24_000)
MODERN = Machine(cores=2, memory_mb=24_000, bf16=True)


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({"num_train_epochs": 2, "per_device_train_batch_size": 4}, 50),
        ({"num_train_epochs": 1, "per_device_train_batch_size": 3}, 34),
        ({"num_train_epochs": 1.5, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}, 20),
        ({"max_steps": 7}, 7),
    ],
)
def test_steps_are_counted_as_the_trainer_does(changes: dict[str, float], steps: int) -> None:
    assert count_steps(RunSpec(**changes), 100) == steps


def test_a_card_that_fits_has_no_problems() -> None:
    card = make_card(RunSpec(), COUNTS, SMOLLM2, LAPTOP, None)
    assert (card.fits, card.problems, card.warnings) == ("fits", (), ())
    assert (card.steps, card.effective_batch, card.tokens) == (50, 4, 30_000)
    assert card.seconds_from == "estimate"


def test_earlier_runs_tell_the_time() -> None:
    card = make_card(RunSpec(), COUNTS, SMOLLM2, LAPTOP, 200.0)
    assert card.seconds_from == "earlier runs"
    assert card.seconds == pytest.approx((120, 195))


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ({"use_peft": False}, 1.5),
        ({"activation_checkpointing": True}, 1.5),
        ({"method": "dpo"}, 1.5),
        ({"method": "dpo", "use_peft": False}, 2),
        ({"method": "kto"}, 2.5),
    ],
)
def test_the_estimate_knows_what_a_method_computes(options: dict[str, object], times: float) -> None:
    adapter = make_card(RunSpec(), COUNTS, SMOLLM2, LAPTOP, None).seconds
    other = make_card(RunSpec(**options), COUNTS, SMOLLM2, LAPTOP, None).seconds
    assert other == pytest.approx([times * one for one in adapter])


def test_too_little_memory_is_refused_with_what_to_change() -> None:
    card = make_card(RunSpec(), COUNTS, SMOLLM2, Machine(cores=2, memory_mb=900), None)
    assert card.fits == "exceeds"
    assert [p.key for p in card.problems] == ["training.too_large"]
    assert "choose a smaller one" in str(card.problems[0])
    card = make_card(
        RunSpec(per_device_train_batch_size=64), COUNTS, SMOLLM2, Machine(cores=2, memory_mb=6_000), None
    )
    assert [p.key for p in card.problems] == ["training.too_large_so_change"]
    assert "per_device_train_batch_size=16, gradient_accumulation_steps=4" in str(card.problems[0])


def test_nothing_to_learn_is_refused() -> None:
    none = replace(COUNTS, rows=0, tokens=0, trained_tokens=0, left_out=90, empty=10)
    masked = replace(COUNTS, trained_tokens=0)
    assert [p.key for p in make_card(RunSpec(), none, SMOLLM2, LAPTOP, None).problems] == ["training.no_rows"]
    assert [p.key for p in make_card(RunSpec(), masked, SMOLLM2, LAPTOP, None).problems] == [
        "training.nothing_to_learn"
    ]


def test_rows_left_out_are_said() -> None:
    card = make_card(
        RunSpec(),
        replace(COUNTS, left_out=3, empty=2, reasons=((7, "there is no answer"),)),
        SMOLLM2,
        LAPTOP,
        None,
    )
    assert card.left_out == 5
    assert [w.key for w in card.warnings] == ["training.some_left_out", "training.some_empty"]
    assert card.as_dict()["warnings"][0].startswith("3 of 105 rows")


def test_what_the_disk_and_the_trackers_cannot_do_is_refused() -> None:
    spec = RunSpec(report_to="trackio", use_peft=False)
    bare = replace(LAPTOP, memory_mb=64_000, disk_mb=1_000)
    found = make_card(spec, COUNTS, SMOLLM2, bare, None).problems
    keys = [p.key for p in found]
    assert "pip install '.[trackers]'" in str(found[0])
    assert keys == ["training.no_tracker", "training.not_enough_disk"]
    ready = replace(bare, disk_mb=10_000, trackers=frozenset({"trackio"}))
    assert make_card(spec, COUNTS, SMOLLM2, ready, None).problems == ()


def test_a_small_model_in_4_bits_is_warned_of() -> None:
    card = make_card(RunSpec(load_in_4bit=True), COUNTS, SMOLLM2, LAPTOP, None)
    assert [w.key for w in card.warnings] == ["training.small_model_in_4_bits"]


def test_rows_with_secrets_wait_for_a_yes() -> None:
    counts = replace(COUNTS, secrets=2, secret_places=("row 3: use [SECRET]",))
    (problem,) = make_card(RunSpec(), counts, SMOLLM2, LAPTOP, None).problems
    assert str(problem).startswith("2 training rows hold keys or passwords (row 3: use [SECRET])")
    assert make_card(RunSpec(allow_secrets=True), counts, SMOLLM2, LAPTOP, None).problems == ()


def test_disarmed_rows_are_counted() -> None:
    (warning,) = make_card(RunSpec(), replace(COUNTS, disarmed=4), SMOLLM2, LAPTOP, None).warnings
    assert str(warning).startswith("4 of 100 rows hold control tokens")
