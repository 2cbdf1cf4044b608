import pytest

from ftkit.errors import BadInput
from ftkit.training.checks.lines import MOST_CHARACTERS, parse_yaml, read_mapping, write_mapping

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("r: 8\n" + "#" * MOST_CHARACTERS, "yaml_too_long"),
        (BOMB, "bad_yaml"),
        ("r: 8\nr: 9", "bad_yaml"),
        ("[" * 5000, "bad_yaml"),
        ("!!python/object/apply:os.system [id]", "bad_yaml"),
        ("day: 2026-13-45", "bad_yaml"),
        ("1: 2", "not_a_mapping"),
        ("- r", "not_a_mapping"),
    ],
)
def test_yaml_of_strangers_is_refused_with_the_reason(text: str, key: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_yaml(text)
    assert caught.value.key == f"training.{key}"


def test_a_mapping_goes_round_as_lines() -> None:
    value = {"neftune_noise_alpha": 5, "fsdp_config": {"min_num_params": 1000}, "fsdp": "full_shard"}
    assert read_mapping(write_mapping(value)) == value
    assert read_mapping(" ") == {} == read_mapping(write_mapping({}))


@pytest.mark.parametrize(
    "value", [{"a": float("nan")}, {"a": object()}, {1: 2}, {"a": {1: 2}}, "a: .inf", "a: 2026-01-01"]
)
def test_values_that_json_has_not_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="extra_arguments: "):
        read_mapping(value)
