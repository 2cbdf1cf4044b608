"""The space that a sweep searches: which options vary, and between which values.

Takes it as written (``1e-5..1e-3:log``, ``4,8,16``), gives checked dimensions, the grid over them and ranges that suit an
option. It chooses no trial: the sweep worker does.
"""

import itertools
import math
import random
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from ftkit.errors import BadInput, FtkitError
from ftkit.records import Record
from ftkit.training.option import bounds, needs, shown
from ftkit.training.spec import RunSpec

Value = bool | int | float | str

# Options outside these groups change what is measured, or how often, and not how well the model learns.
_GROUPS = frozenset({"schedule", "adapter", "preference"})
_FIGURES = 4  # of a number that is tried: enough to tell trials apart, few enough to type again
_POINTS = 5  # of a range on a grid
_FACTOR = 10  # around a value on a log scale
_RANKS = (0.25, 0.5, 1, 2, 4)


class Span(Record):
    """All numbers from ``low`` to ``high``, both included; ``points`` of them on a grid, 0 for a usual number."""

    low: float
    high: float
    log: bool = False
    whole: bool = False
    points: int = 0


class Choices(Record):
    """One of some values."""

    choices: tuple[Value, ...]


Dimension = Span | Choices
Space = Mapping[str, Dimension]


def _may_vary(name: str) -> bool:
    field = RunSpec.model_fields[name]
    plain = field.annotation in (bool, int, float) or get_origin(field.annotation) is Literal
    return plain and shown(field)["group"] in _GROUPS


VARIABLE: tuple[str, ...] = tuple(name for name in RunSpec.model_fields if _may_vary(name))


def read_dimension(name: str, text: str) -> Dimension:
    """What is written for one option: ``low..high``, ``low..high:log``, ``low..high:log:7`` (seven points of a grid), or a list.

    Raises:
        BadInput: it cannot be read, or is no range.
    """
    if ".." not in text:
        return _read_list(name, text)
    kind = RunSpec.model_fields[name].annotation
    ends, *flags = (part.strip() for part in text.split(":"))
    points = [int(flag) for flag in flags if flag.isdecimal()]
    known = all(flag.isdecimal() or flag in {"log", "linear"} for flag in flags) and len(points) <= 1
    if kind not in (int, float) or not known:
        raise _unreadable(name, text)
    low, high = (float(_read_value(name, end)) for end in (ends.partition("..")[0], ends.partition("..")[2]))
    if low >= high:
        raise BadInput(
            "sweeps.empty_range",
            "{low} is not below {high}. Write the smaller number first.",
            low=f"{low:g}",
            high=f"{high:g}",
        )
    if "log" in flags and low <= 0:
        raise BadInput(
            "sweeps.log_from_zero",
            "A log scale cannot begin at {low}. Begin above 0, or leave the log scale out.",
            low=f"{low:g}",
        )
    return Span(low=low, high=high, log="log" in flags, whole=kind is int, points=points[0] if points else 0)


def write_dimension(dimension: Dimension) -> str:
    """A dimension as ``read_dimension`` takes it."""
    if isinstance(dimension, Choices):
        return ",".join(write_value(value) for value in dimension.choices)
    ends = f"{write_value(dimension.low)}..{write_value(dimension.high)}"
    points = f":{dimension.points}" if dimension.points else ""
    return ends + (":log" if dimension.log else "") + points


def write_value(value: Value) -> str:
    """A value as YAML and the command line take it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def problem(name: str, text: str, base: RunSpec, varied: Mapping[str, str]) -> FtkitError | None:
    """What is wrong with one option of a space; None where nothing is.

    Args:
        name: the option.
        text: its values as written.
        base: the options that trials begin from.
        varied: the whole space as written.
    """
    if name not in RunSpec.model_fields:
        return BadInput("sweeps.no_option", "There is no option {name}.", name=name)
    if name not in VARIABLE:
        return BadInput(
            "sweeps.not_variable",
            "{name} cannot be varied: trials with other values of it could not be compared.",
            name=name,
        )
    rule = needs(RunSpec.model_fields[name])
    if rule and rule["option"] not in varied and getattr(base, rule["option"]) not in rule["values"]:
        return BadInput(
            "sweeps.no_effect",
            "{name} has no effect here: {option} is {value}.",
            name=name,
            option=rule["option"],
            value=write_value(getattr(base, rule["option"])),
        )
    try:
        dimension = read_dimension(name, text)
    except BadInput as error:
        return error
    ends = dimension.choices if isinstance(dimension, Choices) else (dimension.low, dimension.high)
    return next(filter(None, (_outside(name, value, base) for value in ends)), None)


def size(space: Space) -> int | None:
    """How many different trials there are; None where there is no end of them."""
    sizes = [_size(dimension) for dimension in space.values()]
    return None if None in sizes else math.prod(one for one in sizes if one is not None)


def grid_size(space: Space) -> int:
    """How many trials its grid has."""
    return math.prod(len(_ticks(dimension)) for dimension in space.values())


def grid(space: Space, seed: int) -> list[dict[str, Value]]:
    """Every combination of the grid, in an order that the seed makes: a part of it is spread over the whole."""
    found = [
        dict(zip(space, values, strict=True)) for values in itertools.product(*map(_ticks, space.values()))
    ]
    random.Random(seed).shuffle(found)  # noqa: S311 - an order, no secret
    return found


def fit(dimension: Dimension, value: Value) -> Value:
    """A proposed value as it is tried: numbers with few figures, inside the range."""
    if isinstance(dimension, Choices) or isinstance(value, str | bool):
        return value
    if dimension.whole:
        return int(value)
    return min(max(float(f"{value:.{_FIGURES}g}"), dimension.low), dimension.high)


def holds(space: Space, values: Mapping[str, Any]) -> bool:
    """Whether these values lie in the space."""
    return all(
        values[name] in one.choices if isinstance(one, Choices) else one.low <= values[name] <= one.high
        for name, one in space.items()
    )


def suggest(name: str, value: Value) -> Dimension:
    """Values worth trying around the one that an option has."""
    field = RunSpec.model_fields[name]
    if field.annotation is bool:
        return Choices(choices=(False, True))
    if isinstance(value, str):
        return Choices(choices=get_args(field.annotation))
    low, high = (
        math.inf * sign if end is None else end for sign, end in zip((-1, 1), bounds(field), strict=True)
    )
    if isinstance(value, int):
        if value <= 0:
            return Span(low=max(low, value + (value < 0) * 2), high=min(high, value + 101), whole=True)
        return Choices(
            choices=tuple(sorted({int(max(low, min(high, value * by))) for by in _RANKS if value * by >= 1}))
        )
    if value <= 0:
        return Span(low=max(low, 0.0), high=min(high, 0.1))
    if value >= 1:
        return Span(low=max(low, value / 2), high=min(high, value * 2))
    return Span(low=value / _FACTOR, high=min(high, value * _FACTOR), log=True)


def _read_list(name: str, text: str) -> Choices:
    values = tuple(_read_value(name, part) for part in text.split(","))
    if len(set(values)) < max(2, len(values)):
        raise BadInput(
            "sweeps.few_choices",
            "Write at least two different values, each once; {given} was given.",
            given=repr(text),
        )
    return Choices(choices=values)


def _read_value(name: str, text: str) -> Any:
    kind, text = RunSpec.model_fields[name].annotation, text.strip()
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        if kind is int:
            return int(text)
        if kind is float and math.isfinite(float(text)):
            return float(text)
    except (KeyError, ValueError) as error:
        raise _unreadable(name, text) from error
    if kind is float or not text:
        raise _unreadable(name, text)
    return text


def _unreadable(name: str, text: str) -> BadInput:
    kind = RunSpec.model_fields[name].annotation
    if kind is bool:
        example = "true,false"
    elif kind in (int, float):
        example = "4,8,16 / 4..64" if kind is int else "1e-5..1e-3:log / 0,0.05,0.1"
    else:
        example = ",".join(map(str, get_args(kind)[:2]))
    return BadInput(
        "sweeps.unreadable",
        "{given} cannot be read. Write it like {example}.",
        given=repr(text),
        example=example,
    )


def _outside(name: str, value: Value, base: RunSpec) -> FtkitError | None:
    """Why a run could not have this value, by the option's own bounds and the rules between options."""
    try:
        RunSpec.model_validate({**base.model_dump(), name: value})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = RunSpec.model_fields[name]
        if not first["loc"]:
            return BadInput(
                "sweeps.against_rule",
                "With {value}: {reason}",
                value=write_value(value),
                reason=first["msg"].removeprefix("Value error, "),
            )
        if get_origin(field.annotation) is Literal:
            return BadInput(
                "sweeps.no_choice",
                "{value} is none of {known}.",
                value=value,
                known=", ".join(get_args(field.annotation)),
            )
        low, high = bounds(field)
        return BadInput(
            "sweeps.out_of_bounds",
            "{value} is out of bounds: {low} to {high}.",
            value=write_value(value),
            low=low,
            high=high,
        )
    return None


def _size(dimension: Dimension) -> int | None:
    if isinstance(dimension, Choices):
        return len(dimension.choices)
    return int(dimension.high - dimension.low) + 1 if dimension.whole else None


def _ticks(dimension: Dimension) -> tuple[Value, ...]:
    """The values of a dimension on the grid."""
    if isinstance(dimension, Choices):
        return dimension.choices
    count = dimension.points or _POINTS
    if dimension.whole:
        count = min(count, int(dimension.high - dimension.low) + 1)
    steps = [index / (count - 1) if count > 1 else 0.5 for index in range(count)]
    if dimension.log:
        found = [dimension.low * (dimension.high / dimension.low) ** step for step in steps]
    else:
        found = [dimension.low + (dimension.high - dimension.low) * step for step in steps]
    return tuple(dict.fromkeys(fit(dimension, round(one) if dimension.whole else one) for one in found))
