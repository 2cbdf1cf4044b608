import shlex
from typing import get_origin

import gradio as gr
import pytest

from ftkit.cli.runs import change_options
from ftkit.training.option import bounds
from ftkit.training.spec import RunSpec
from ftkit.ui import form
from ftkit.ui.i18n import LANGUAGES

DEFAULT = RunSpec()
KINDS = {bool: gr.Checkbox, int: gr.Number, float: gr.Number, str: gr.Textbox, dict: gr.Textbox}


@pytest.fixture(scope="module")
def widgets() -> dict[str, gr.components.FormComponent]:
    with gr.Blocks():
        return form.build("simple") | form.build("advanced")


def out_of_bounds() -> list[tuple[str, float, str]]:
    cases = []
    for name, field in RunSpec.model_fields.items():
        low, high = bounds(field)
        if low is not None:
            cases.append((name, low - 1, "low"))
        if high is not None:
            cases.append((name, high + 1, "high"))
    return cases


def test_every_option_has_exactly_one_widget(widgets) -> None:
    with gr.Blocks():
        simple, advanced = form.build("simple"), form.build("advanced")
    assert set(simple) | set(advanced) == set(RunSpec.model_fields)
    assert not set(simple) & set(advanced)
    assert "learning_rate" in simple
    assert "lora_alpha" in advanced


@pytest.mark.parametrize("name", RunSpec.model_fields)
def test_a_widget_fits_the_type_of_its_option_and_starts_at_its_default(name: str, widgets) -> None:
    made = widgets[name]
    kind = RunSpec.model_fields[name].annotation
    kind = get_origin(kind) or kind
    assert isinstance(made, KINDS.get(kind, gr.Dropdown) if name != form.MODEL else gr.Dropdown)
    assert made.value == form.shown_value(DEFAULT, name)
    assert made.elem_id == f"spec-{name}"
    assert f"spec.{name}.label" in str(made.label)
    assert f"spec.{name}.help" in str(made.info)


def test_choices_are_those_of_the_option(widgets) -> None:
    assert [value for _, value in widgets["lr_scheduler_type"].choices] == [
        "linear",
        "cosine",
        "cosine_with_restarts",
        "polynomial",
        "constant",
        "constant_with_warmup",
        "inverse_sqrt",
    ]


def test_the_bounds_stand_in_the_help(widgets) -> None:
    assert "[16 – 131072]" in str(widgets["max_length"].info)


def test_values_of_the_widgets_make_the_spec_that_was_shown() -> None:
    extra = {"neftune_noise_alpha": 5, "fsdp_config": {"xla": False}}
    changes = {"r": 8, "packing": True, "target_modules": "q_proj,v_proj", "extra_arguments": extra}
    spec = DEFAULT.model_copy(update=changes)
    assert RunSpec.parse(form.read(form.show(spec))) == spec


@pytest.mark.parametrize(("name", "value", "side"), out_of_bounds())
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_value_out_of_bounds_is_said_at_its_field(name: str, value: float, side: str, lang: str) -> None:
    found = form.mistakes({**DEFAULT.model_dump(), name: value}, lang)
    assert set(found) == {name}
    low, high = bounds(RunSpec.model_fields[name])
    assert f" {low if side == 'low' else high:.12g}" in f" {found[name]}"
    assert "{" not in found[name]


@pytest.mark.parametrize(
    ("name", "value", "english", "turkish"),
    [
        ("r", None, "Enter a value.", "Bir değer girin."),
        ("r", 2.5, "Must be a whole number.", "Tam sayı olmalı."),
        ("target_modules", "", "Must not be empty.", "Boş olamaz."),
        (
            "optim",
            "lion",
            "Must be one of adamw_torch_fused, adamw_torch, adafactor, adamw_bnb_8bit, paged_adamw_8bit, sgd.",
            "Şunlardan biri olmalı: adamw_torch_fused, adamw_torch, adafactor, adamw_bnb_8bit, paged_adamw_8bit, sgd.",
        ),
    ],
)
def test_mistakes_are_said_in_the_readers_language(name, value, english, turkish) -> None:
    options = {**DEFAULT.model_dump(), name: value}
    assert form.mistakes(options, "en") == {name: english}
    assert form.mistakes(options, "tr") == {name: turkish}


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"packing": True, "max_length": 9000}, "max_length"),
        ({"load_in_4bit": True, "use_peft": False}, "use_peft"),
        ({"load_in_4bit": True, "load_in_8bit": True}, "load_in_8bit"),
        ({"start_from_run": "abc", "use_peft": False}, "start_from_run"),
        ({"method": "kto", "per_device_train_batch_size": 1}, "per_device_train_batch_size"),
        ({"early_stopping_patience": 2, "load_best_model_at_end": False}, "early_stopping_patience"),
        ({"push_to_hub": True, "hub_model_id": "a b"}, "hub_model_id"),
        ({"push_to_hub": True}, "hub_model_id"),
        ({"extra_arguments": "just words"}, "extra_arguments"),
        ({"metric_for_best_model": "eval_rewards/margins"}, "metric_for_best_model"),
    ],
)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_rule_over_two_fields_is_said_at_the_one_to_change(options, place, lang) -> None:
    (found,) = form.mistakes({**DEFAULT.model_dump(), **options}, lang).items()
    assert found[0] == place
    assert not found[1].startswith("train.mistake")
    assert (lang == "tr") == any(sign in found[1] for sign in "ığşçöü")


def test_fields_are_shown_where_they_count() -> None:
    def seen(**options) -> set[str]:
        updates = form.visible({**DEFAULT.model_dump(), **options})
        return {name for name, update in zip(form.DEPENDENT, updates, strict=True) if update["visible"]}

    assert "beta" not in seen()
    assert {"r", "packing"} <= seen()
    assert "r" not in seen(use_peft=False)
    assert {"beta", "loss_type"} <= seen(method="dpo")
    assert not {"packing", "desirable_weight"} & seen(method="dpo")
    assert {"beta", "desirable_weight"} <= seen(method="kto")


def test_every_mistake_is_said_at_once_and_only_there() -> None:
    options = {**DEFAULT.model_dump(), "r": 0, "learning_rate": -2}
    verdicts = dict(zip(form.FIELDS, form.verdicts(options, "en"), strict=True))
    refused = {name for name, verdict in verdicts.items() if not verdict["is_valid"]}
    assert refused == {"r", "learning_rate"}
    assert verdicts["r"]["message"] == "Must be at least 1."


def test_the_command_spells_out_what_differs_from_the_recipe() -> None:
    spec = DEFAULT.model_copy(update={"max_steps": 20, "packing": True, "target_modules": "q_proj, v_proj"})
    words = shlex.split(form.command("smollm2-135m/sft-lora", spec, DEFAULT, "abc"))
    assert words == [
        *["ftkit", "train", "smollm2-135m/sft-lora", "--split", "abc"],
        *["--set", "max_steps=20", "--set", "target_modules=q_proj, v_proj", "--set", "packing=true"],
    ]
    assert "--set" not in form.command("recipe", DEFAULT, DEFAULT, "abc")


def test_a_mapping_in_the_command_is_read_back() -> None:
    spec = RunSpec(extra_arguments={"neftune_noise_alpha": 5, "optim_args": "a=1"})
    words = shlex.split(form.command("recipe", spec, DEFAULT, "abc"))
    assert change_options({}, [words[-1]]) == spec
