"""Cleaning: the steps there are, and lists of them as YAML.

Takes and gives steps as values, YAML with a comment behind every key. The order of the steps is the person's. Running them
is the part of ``ftkit.data.cleaning.running``.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from ftkit.data.cleaning.changes import FindReplace, NeutraliseSpecialTokens, NormaliseText, RepairMojibake
from ftkit.data.cleaning.duplicates import DropExactDuplicates, DropNearDuplicates
from ftkit.data.cleaning.expression import FilterRows
from ftkit.data.cleaning.filters import DropEmpty, DropLong, DropLowQuality, DropShort, KeepLanguages
from ftkit.data.cleaning.personal import MaskPersonalData
from ftkit.data.cleaning.steps import Step
from ftkit.data.phrases import kind_of_value, phrase
from ftkit.errors import BadInput

LIST_LIMIT = 50
_YAML_LIMIT = 200_000  # characters
# What YAML takes for a line break or does not allow at all; JSON writes these as they are.
_UNWRITTEN = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

_ALL: tuple[type[Step], ...] = (
    RepairMojibake,
    NormaliseText,
    FindReplace,
    NeutraliseSpecialTokens,
    MaskPersonalData,
    DropEmpty,
    DropShort,
    DropLong,
    DropLowQuality,
    KeepLanguages,
    FilterRows,
    DropExactDuplicates,
    DropNearDuplicates,
)
STEPS: Mapping[str, type[Step]] = {kind.model_fields["step"].default: kind for kind in _ALL}


def parse(values: Any) -> tuple[Step, ...]:
    """Steps of a list of mappings, as YAML and the page give them.

    Raises:
        BadInput: it is no list of steps, or a value does not fit; the sentence names step and field.
    """
    if isinstance(values, Mapping):
        values = values.get("steps")
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise BadInput(
            "clean.no_steps", "There are no steps. Give a list under “steps:”, each with its name as “step:”."
        )
    if len(values) > LIST_LIMIT:
        raise BadInput("clean.too_many_steps", "More than {limit} steps. Use fewer.", limit=LIST_LIMIT)
    return tuple(_step(number, value) for number, value in enumerate(values, start=1))


def load(text: str) -> tuple[Step, ...]:
    """Steps of a YAML text.

    Raises:
        BadInput: it is no YAML, or no list of steps.
    """
    if len(text) > _YAML_LIMIT or "*" in text and "&" in text and _has_alias(text):
        raise BadInput(
            "clean.bad_yaml",
            "The list of steps cannot be read: {problem}. Correct it.",
            problem="size, aliases",
        )
    try:
        return parse(yaml.safe_load(text))
    except (yaml.YAMLError, RecursionError) as error:
        problem = " ".join(str(error).split())[:200]
        raise BadInput(
            "clean.bad_yaml", "The list of steps cannot be read: {problem}. Correct it.", problem=problem
        ) from error


def dump(steps: Iterable[Step]) -> str:
    """Steps as YAML with a comment behind every key; ``load`` reads it."""
    lines = ["# Cleaning steps; they run from top to bottom.", "steps:"]
    for step in steps:
        kind = type(step)
        for place, (name, about) in enumerate(_named_first(kind)):
            value = _UNWRITTEN.sub(_escaped, json.dumps(getattr(step, name), ensure_ascii=False))
            comment = kind.help if name == "step" else about
            lines.append(f"{'  - ' if place == 0 else '    '}{name}: {value}  # {' '.join(comment.split())}")
    return "\n".join(lines) + "\n"


def _step(number: int, value: Any) -> Step:
    name = value.get("step") if isinstance(value, Mapping) else None
    if not isinstance(name, str) or name not in STEPS:
        raise BadInput(
            "clean.unknown_step",
            "Step {number}: there is no step “{name}”. Use one of: {known}.",
            number=number,
            name=name,
            known=", ".join(STEPS),
        )
    try:
        return STEPS[name].model_validate(dict(value))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInput(
            "clean.bad_field",
            "Step {number}, {name}: {field} cannot be used ({problem}). Correct it.",
            number=number,
            name=name,
            field=".".join(map(str, first["loc"])) or "?",
            problem=_problem(first),
        ) from error


def _problem(error: Any) -> str:
    """A mistake of pydantic in a sentence of ours."""
    limits = error.get("ctx") or {}
    kind = error["type"]
    if kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
        (limit,) = (limits[key] for key in ("gt", "ge", "lt", "le") if key in limits)
        return phrase(f"mistake_{kind}", limit=limit)
    if kind == "literal_error":
        return phrase("mistake_one_of", known=str(limits["expected"]).replace("'", ""))
    if kind in {"too_short", "string_too_short"}:
        return phrase("mistake_empty")
    if kind == "extra_forbidden":
        return phrase("mistake_no_field")
    return phrase("mistake_wrong", found=kind_of_value(error.get("input")))


def _named_first(kind: type[Step]) -> Iterator[tuple[str, str]]:
    yield "step", ""
    for name, about in kind.model_fields.items():
        if name != "step":
            yield name, about.description or ""


def _escaped(match: re.Match[str]) -> str:
    return f"\\U{ord(match[0]):08x}"


def _has_alias(text: str) -> bool:
    """Aliases can blow a small text up to gigabytes."""
    return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text))
