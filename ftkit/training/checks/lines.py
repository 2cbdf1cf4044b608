"""YAML of strangers: read within limits, as values only.

Takes text, gives plain values. It knows no option.
"""

import math
from typing import Any

import yaml

from ftkit.errors import BadInput

MOST_CHARACTERS = 65_536
_DEEPEST = 8


class _Loader(yaml.SafeLoader):
    """Plain values; a name that refers to another place, or that stands twice, is a mistake."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> dict[str, Any]:
    """Options from YAML text.

    Raises:
        BadInput: it is too long, not YAML, or not a mapping.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadInput(
            "training.yaml_too_long",
            "The recipe has {length} characters, and {most} are allowed. Take out what is no option.",
            length=len(text),
            most=MOST_CHARACTERS,
        )
    try:
        values = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInput(
            "training.bad_yaml", "This is not YAML: {reason}", reason=error or "it is nested too deeply"
        ) from error
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise BadInput("training.not_a_mapping", "A recipe is a list of 'option: value' lines.")
    return values


def read_mapping(value: Any) -> Any:
    """Lines 'name: value' of a form, or a mapping as it is, if it holds plain values only.

    Raises:
        ValueError: the text is no such list, or a value is none that JSON has.
    """
    if isinstance(value, str):
        if not value.strip():
            return {}
        try:
            value = parse_yaml(value)
        except BadInput as error:
            raise ValueError(f"extra_arguments: write one 'name: value' a line. {error}") from error
    if isinstance(value, dict) and not _is_plain(value):
        raise ValueError("extra_arguments: values are numbers, words, true, false, null, lists and mappings")
    return value


def write_mapping(value: dict[str, Any]) -> str:
    """The lines of a mapping, for a form."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True) if value else ""


def _is_plain(value: Any, depth: int = 0) -> bool:
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v, depth + 1) for k, v in value.items())
    if isinstance(value, list):
        return all(_is_plain(one, depth + 1) for one in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)
