import pytest

from ftkit.errors import BadInput
from ftkit.training.option import bounds
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps import space
from ftkit.training.sweeps.space import Choices, Span

BASE = RunSpec()


@pytest.mark.parametrize(
    ("name", "text", "dimension"),
    [
        ("learning_rate", "1e-5..1e-3:log", Span(low=1e-5, high=1e-3, log=True)),
        ("learning_rate", "1e-5..1e-3:log:7", Span(low=1e-5, high=1e-3, log=True, points=7)),
        ("weight_decay", " 0 .. 0.1 ", Span(low=0, high=0.1)),
        ("r", "4..64", Span(low=4, high=64, whole=True)),
        ("r", "4, 8,16", Choices(choices=(4, 8, 16))),
        ("use_dora", "true,False", Choices(choices=(True, False))),
        ("lr_scheduler_type", "linear,cosine", Choices(choices=("linear", "cosine"))),
        ("lora_dropout", "0,0.05", Choices(choices=(0.0, 0.05))),
    ],
)
def test_what_is_written_is_read_and_written_again(name: str, text: str, dimension: space.Dimension) -> None:
    assert space.read_dimension(name, text) == dimension
    assert space.read_dimension(name, space.write_dimension(dimension)) == dimension


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("learning_rate", "1e-3..1e-5", "sweeps.empty_range"),
        ("weight_decay", "0..0.1:log", "sweeps.log_from_zero"),
        ("learning_rate", "1e-5..1e-3:lo", "sweeps.unreadable"),
        ("learning_rate", "1e-5..", "sweeps.unreadable"),
        ("learning_rate", "nan,1", "sweeps.unreadable"),
        ("r", "4,many", "sweeps.unreadable"),
        ("r", "4.5..8", "sweeps.unreadable"),
        ("use_dora", "false..true", "sweeps.unreadable"),
        ("r", "", "sweeps.unreadable"),
        ("r", "8", "sweeps.few_choices"),
        ("r", "8,8", "sweeps.few_choices"),
        ("r", "0,8", "sweeps.out_of_bounds"),
        ("lora_dropout", "0.1..10", "sweeps.out_of_bounds"),
        ("lr_scheduler_type", "linear,zigzag", "sweeps.no_choice"),
        ("use_peft", "true,false", "sweeps.not_variable"),
        ("max_length", "128,256", "sweeps.not_variable"),
        ("target_modules", "a,b", "sweeps.not_variable"),
        ("rr", "4,8", "sweeps.no_option"),
        ("beta", "0.1,0.2", "sweeps.no_effect"),
        ("load_in_8bit", "true,false", "sweeps.against_rule"),
    ],
)
def test_a_mistake_is_named(name: str, text: str, key: str) -> None:
    base = BASE.model_copy(update={"load_in_4bit": True}) if name == "load_in_8bit" else BASE
    error = space.problem(name, text, base, {name: text})
    assert isinstance(error, BadInput)
    assert error.key == key


def test_every_option_that_may_vary_has_a_suggestion_without_mistakes() -> None:
    assert {"learning_rate", "r", "lora_alpha", "weight_decay", "warmup_steps"} <= set(space.VARIABLE)
    for name in space.VARIABLE:
        for method in ("sft", "dpo", "kto"):
            base = RunSpec(method=method)
            text = space.write_dimension(space.suggest(name, getattr(base, name)))
            error = space.problem(name, text, base, {name: text})
            assert error is None or error.key in {"sweeps.no_effect", "sweeps.against_rule"}, (
                name,
                text,
                str(error),
            )


def test_suggestions_lie_around_the_value() -> None:
    assert space.suggest("learning_rate", 5e-4) == Span(low=5e-5, high=5e-3, log=True)
    assert space.suggest("r", 16) == Choices(choices=(4, 8, 16, 32, 64))
    assert space.suggest("r", 512).choices[-1] == bounds(RunSpec.model_fields["r"])[1]
    assert space.suggest("use_dora", False) == Choices(choices=(False, True))


def test_a_grid_is_every_combination_in_an_order_of_the_seed() -> None:
    made = {"learning_rate": Span(low=1e-5, high=1e-3, log=True, points=3), "r": Choices(choices=(4, 8))}
    found = space.grid(made, 1)
    assert len(found) == space.grid_size(made) == 6
    assert {one["learning_rate"] for one in found} == {1e-5, 1e-4, 1e-3}
    assert found == space.grid(made, 1) != space.grid(made, 2)
    assert space.size(made) is None
    assert space.size({"r": Span(low=1, high=4, whole=True), "use_dora": Choices(choices=(True, False))}) == 8
    assert space.grid_size({"r": Span(low=1, high=3, whole=True)}) == 3


def test_values_are_short_and_stay_inside() -> None:
    span = Span(low=1.2344e-5, high=1e-3, log=True)
    assert space.fit(span, 3.456789e-4) == 3.457e-4
    assert space.fit(span, 1.2344e-5) == span.low
    assert space.fit(Span(low=1, high=4, whole=True), 3) == 3
