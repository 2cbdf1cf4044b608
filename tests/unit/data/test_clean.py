import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkit.data import clean
from ftkit.errors import BadInput


def test_the_names_of_the_steps_are_stable():
    assert set(clean.STEPS) == {
        *(
            "drop_exact_duplicates",
            "drop_near_duplicates",
            "drop_short",
            "drop_long",
            "keep_languages",
            "drop_empty",
        ),
        *("drop_low_quality", "normalise_text", "repair_mojibake", "find_replace", "mask_personal_data"),
        *("neutralise_special_tokens", "filter_rows"),
    }


def test_every_field_has_words_and_numbers_have_bounds():
    for kind in clean.STEPS.values():
        assert kind.title
        assert kind.help
        for name, field in kind.model_fields.items():
            if name != "step":
                assert field.title, (kind, name)
                assert field.description, (kind, name)
            if field.annotation in (int, float):
                assert {"ge", "le"} <= {
                    key[0:2] for rule in field.metadata for key in ("ge", "le", "gt") if hasattr(rule, key)
                } | {"ge"}


def test_a_list_as_yaml_comes_back_the_same_with_a_comment_behind_every_key():
    steps = tuple(kind.model_validate({}) for kind in clean.STEPS.values())
    text = clean.dump(steps)
    assert clean.load(text) == steps
    assert all("  # " in line for line in text.splitlines()[2:])


@given(find=st.text(max_size=80), replace=st.text(max_size=80))
def test_whatever_is_in_a_field_survives_yaml(find, replace):
    steps = clean.parse([{"step": "find_replace", "find": find, "replace": replace}])
    assert clean.load(clean.dump(steps)) == steps


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no steps"),
        ("steps: []", "no steps"),
        ("just text", "no steps"),
        ("steps: {a: 1}", "no steps"),
        ("- nothing", "Step 1: there is no step"),
        ("- step: nonsense", "“nonsense”"),
        (
            "- step: drop_empty\n- step: drop_short\n  minimum: 0",
            "Step 2, drop_short: minimum cannot be used (it must be at least 1)",
        ),
        ("- {step: drop_short, minimum: many}", "text does not fit there"),
        ("- {step: drop_short, unit: pages}", "one of characters, words or tokens"),
        ("- {step: drop_short, colour: red}", "there is no such field"),
        ("- {step: keep_languages, languages: []}", "it must not be empty"),
        ("steps: [", "cannot be read"),
        ("a: &a [1]\nb: *a", "cannot be read"),
        ("!!python/object/apply:os.system ['true']", "cannot be read"),
        ("steps:" + " [" * 5_000, "cannot be read"),
        ("- step: drop_empty\n" * 51, "More than 50 steps"),
    ],
)
def test_a_wrong_list_is_said_with_step_and_field(text, words):
    with pytest.raises(BadInput) as caught:
        clean.load(text)
    assert words in str(caught.value)
