from dataclasses import replace

import pytest

from ftkit.errors import Refused
from ftkit.training.encoder_decoder import adapter_parameters, check
from ftkit.training.machine import Machine
from ftkit.training.memory import Lengths, estimate, what_would_fit
from ftkit.training.spec import RunSpec
from tests.unit.training.test_card import COUNTS, LAPTOP, SMOLLM2, make_card

SHAPE = {
    "hidden": 512,
    "layers": 8,
    "decoder_layers": 8,
    "heads": 6,
    "intermediate": 1024,
    "key_value": 384,
    "vocabulary": 32128,
}
FLAN_T5 = SMOLLM2.model_copy(
    update={"name": "Flan-T5 Small", "parameters": 76_961_152, "architecture": SHAPE}
)
QUESTION = {"user": "text", "assistant": "summary"}


@pytest.mark.parametrize(("names", "parameters"), [("q,v", 688_128), ("all-linear", 2_555_904)])
def test_adapter_size_is_that_of_peft(names: str, parameters: int) -> None:
    # As counted in a model of this shape with an adapter on it.
    assert adapter_parameters(RunSpec(r=16, target_modules=names), FLAN_T5) == parameters


@pytest.mark.parametrize(
    ("options", "asked", "answered", "measured"),
    [
        ({"per_device_train_batch_size": 4, "target_modules": "q,v"}, 512, 64, 2811),
        ({"per_device_train_batch_size": 2}, 256, 64, 1460),
        ({"per_device_train_batch_size": 2, "use_peft": False}, 256, 64, 2168),
        ({"per_device_train_batch_size": 8, "target_modules": "q,v"}, 128, 128, 2686),
    ],
    ids=["long questions", "all layers", "full", "long answers"],
)
def test_memory_is_near_what_was_measured(
    options: dict[str, int], asked: int, answered: int, measured: int
) -> None:
    # Peaks of three steps in 32 bits on random weights of this shape.
    needs = estimate(RunSpec(**options), FLAN_T5, Lengths.alike(asked, answered), LAPTOP).total
    assert needs == pytest.approx(measured, rel=0.15)


def test_short_answers_and_recomputing_need_less() -> None:
    whole = estimate(RunSpec(), FLAN_T5, Lengths.alike(512), LAPTOP).total
    assert estimate(RunSpec(), FLAN_T5, Lengths.alike(512, 32), LAPTOP).total < whole
    assert (
        estimate(RunSpec(activation_checkpointing=True), FLAN_T5, Lengths.alike(512, 32), LAPTOP).total
        < whole
    )


def test_what_would_fit_knows_how_long_the_answers_are() -> None:
    spec = RunSpec(per_device_train_batch_size=16)
    machine = Machine(cores=2, memory_mb=estimate(spec, FLAN_T5, Lengths.alike(512, 64), LAPTOP).total - 500)
    found = what_would_fit(spec, FLAN_T5, Lengths.alike(512, 64), machine)
    assert found is not None
    assert found[0]["per_device_train_batch_size"] == 8


@pytest.mark.parametrize(
    ("options", "mapping", "key"),
    [
        ({"method": "dpo"}, {"user": "q", "chosen": "a", "rejected": "b"}, "training.encoder_method"),
        ({"method": "kto"}, QUESTION, "training.encoder_method"),
        ({}, {"text": "text"}, "training.encoder_text"),
        ({"packing": True}, QUESTION, "training.encoder_packing"),
        ({"completion_only_loss": False}, QUESTION, "training.encoder_loss"),
    ],
)
def test_what_it_cannot_do_is_refused(options: dict[str, object], mapping: dict[str, str], key: str) -> None:
    with pytest.raises(Refused) as caught:
        check(RunSpec.model_validate(options), mapping, FLAN_T5)
    assert caught.value.key == key
    assert "Flan-T5 Small" in str(caught.value)
    check(RunSpec.model_validate(options), mapping, SMOLLM2)


@pytest.mark.parametrize(
    "mapping", [QUESTION, {"messages": "m", "text": "t"}, {"prompt": "a", "completion": "b"}]
)
def test_what_it_can_do_passes(mapping: dict[str, str]) -> None:
    check(RunSpec(), mapping, FLAN_T5)


def test_a_token_passes_half_of_the_model() -> None:
    whole = make_card(RunSpec(), COUNTS, FLAN_T5, LAPTOP, None).seconds
    plain = FLAN_T5.model_copy(update={"architecture": SMOLLM2.architecture})
    assert make_card(RunSpec(), COUNTS, plain, LAPTOP, None).seconds == pytest.approx([2 * s for s in whole])


def test_signs_without_a_token_are_told() -> None:
    counts = replace(COUNTS, unknown=7, unknown_signs="{ } ş")
    (warning,) = make_card(RunSpec(), counts, FLAN_T5, LAPTOP, None).warnings
    assert str(warning).startswith("7 of 100 rows hold signs that Flan-T5 Small has no token for ({ } ş)")
