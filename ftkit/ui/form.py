"""The form of a run, made from ``RunSpec``: one widget per field, nothing written twice.

Takes the spec's fields, gives Gradio components and, from their values, mistakes by field. It starts nothing.
"""

import json
import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast, get_args, get_origin

import gradio as gr
from gradio.components import FormComponent
from gradio.context import LocalContext
from markupsafe import Markup
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from ftkit.records import Split
from ftkit.training.checks.lines import write_mapping
from ftkit.training.option import bounds, needs, shown
from ftkit.training.spec import RunSpec
from ftkit.ui import html
from ftkit.ui.i18n import Caller, language, say, t

# In the order of the form and of every list of values that goes through it.
FIELDS: tuple[str, ...] = tuple(RunSpec.model_fields)
_DEFAULT = RunSpec()
DEFAULTS: Mapping[str, Any] = _DEFAULT.model_dump()
GROUPS: tuple[str, ...] = ("model", "schedule", "adapter", "preference", "data", "watch", "publish")
MODEL = "model_name_or_path"
# Those that count only beside certain values of others, and those others.
DEPENDENT: tuple[str, ...] = tuple(name for name in FIELDS if needs(RunSpec.model_fields[name]))
DECIDING: tuple[str, ...] = tuple(
    dict.fromkeys(needs(RunSpec.model_fields[name])["option"] for name in DEPENDENT)
)
# Where the message of a rule over several fields is shown, where it is not the field that it begins with.
_RULE_FIELD = {"packing": "max_length"}
_KNOWN_MISTAKES = frozenset(
    {
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "string_too_short",
        "literal_error",
        "int_from_float",
    }
)


def level_of(name: str) -> str:
    """``simple`` or ``advanced``."""
    return shown(RunSpec.model_fields[name])["level"]


def build(level: str) -> dict[str, FormComponent]:
    """The widgets of a level, inside the current Gradio context; the advanced ones under headings."""
    names = [name for name in FIELDS if level_of(name) == level]
    if level == "simple":
        return _grid(names)
    made: dict[str, FormComponent] = {}
    for group in GROUPS:
        if members := [name for name in names if _group(name) == group]:
            with gr.Column(elem_classes="ft-group"):
                gr.Markdown("### " + t(f"train.group.{group}"))
                made |= _grid(members)
    return made


def widget(name: str) -> FormComponent:
    """The widget of one field, with its title, help, bounds and default."""
    field = RunSpec.model_fields[name]
    common: dict[str, Any] = {
        "value": field.default,
        "label": _label(name, field),
        "info": _info(name, field),
        "elem_id": f"spec-{name}",
        "interactive": True,
        "min_width": 220,
        "visible": counts(name, DEFAULTS),
    }
    kind = field.annotation
    if name == MODEL:
        return gr.Dropdown(
            choices=[field.default], allow_custom_value=True, **common
        )  # choices of the visit come later
    if kind is bool:
        return gr.Checkbox(**common)
    if get_origin(kind) is Literal:
        return gr.Dropdown(choices=list(get_args(kind)), **common)
    if kind is int:
        return gr.Number(precision=0, **common)
    if kind is float:
        return gr.Number(step=_step(float(field.default)), **common)
    if get_origin(kind) is dict:
        lines = {
            "lines": 3,
            "max_lines": 12,
            "elem_classes": "ft-mono",
            "placeholder": "neftune_noise_alpha: 5",
        }
        return gr.Textbox(**{**common, **lines, "value": ""})
    return gr.Textbox(max_lines=1, **common)


def read(values: Sequence[Any]) -> dict[str, Any]:
    """Values of all widgets, in the order of ``FIELDS``, as options."""
    return dict(zip(FIELDS, values, strict=True))


def show(spec: RunSpec) -> list[Any]:
    """Values for all widgets, in the order of ``FIELDS``."""
    return [shown_value(spec, name) for name in FIELDS]


def show_raw(options: Mapping[str, Any]) -> list[Any]:
    """Values for all widgets from untyped options, as far as a widget can show them; the rest is left empty."""
    return [_raw(name, options[name]) if name in options else shown_value(_DEFAULT, name) for name in FIELDS]


def _raw(name: str, value: Any) -> Any:
    kind = RunSpec.model_fields[name].annotation
    if kind is bool:
        return value if isinstance(value, bool) else DEFAULTS[name]
    if kind in (int, float):
        try:
            return None if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            return None
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if isinstance(value, dict):
        return write_mapping(value)
    return "" if value is None else str(value)


def shown_value(spec: RunSpec, name: str) -> Any:
    """The value of an option as its widget shows it."""
    value = getattr(spec, name)
    return write_mapping(value) if isinstance(value, dict) else value


def counts(name: str, options: Mapping[str, Any]) -> bool:
    """Whether an option has any effect beside these values of the others."""
    rule = needs(RunSpec.model_fields[name])
    return not rule or options.get(rule["option"]) in rule["values"]


def visible(options: Mapping[str, Any]) -> list[Any]:
    """For each field of ``DEPENDENT``, an update that shows it where it counts beside these options."""
    return [gr.update(visible=counts(name, options)) for name in DEPENDENT]


def mistakes(options: Mapping[str, Any], lang: str) -> dict[str, str]:
    """What is wrong, by field, in words; empty when the options make a spec."""
    try:
        RunSpec.model_validate(dict(options))
    except ValidationError as error:
        found: dict[str, str] = {}
        for one in error.errors(include_url=False):
            message = one["msg"].removeprefix("Value error, ")
            rule = message.partition(":")[0]
            place = str(one["loc"][0]) if one["loc"] else _RULE_FIELD.get(rule, rule)
            found.setdefault(place, _sentence(place, one["type"], one.get("ctx") or {}, message, lang))
        return found
    return {}


def verdicts(options: Mapping[str, Any], lang: str) -> list[dict[str, Any]]:
    """One ``gr.validate`` per field, in the order of ``FIELDS``."""
    found = mistakes(options, lang)
    return [gr.validate(name not in found, found.get(name, "")) for name in FIELDS]


def command(recipe: str, spec: RunSpec, base: RunSpec, split: str) -> str:
    """The command line that starts the same run: what differs from the recipe is spelt out."""
    words = ["ftkit", "train", recipe, "--split", split]
    for name in FIELDS:
        value = getattr(spec, name)
        if value != getattr(base, name):
            words += ["--set", f"{name}={_as_yaml(value)}"]
    return shlex.join(words)


def _as_yaml(value: Any) -> str:
    """A value on one line, as ``--set`` reads it."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def split_choice(split: Split, name: str, lang: str) -> str:
    """A split in a list to choose from, with the name of its dataset."""
    made = split.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    return say("train.split.choice", lang, name=name, rows=html.number(split.sizes["train"], lang), made=made)


def no_split(lang: str) -> Markup:
    """The way to a first split, where a page needs one."""
    return html.empty(
        say("train.empty.title", lang),
        say("train.empty.text", lang),
        html.link("/data", say("train.empty.link", lang), primary=True),
    )


def _grid(names: Iterable[str]) -> dict[str, FormComponent]:
    with gr.Row(equal_height=False, elem_classes="ft-fields"):
        return {name: widget(name) for name in names}


def _group(name: str) -> str:
    return shown(RunSpec.model_fields[name])["group"]


def _label(name: str, field: FieldInfo) -> Any:
    unit = shown(field)["unit"]
    label = t(f"spec.{name}.label")
    return label + " (" + t(f"train.unit.{unit}") + ")" if unit else label


def _info(name: str, field: FieldInfo) -> Any:
    low, high = bounds(field)
    text = t(f"spec.{name}.help")
    if low is None or high is None:
        return text
    most = f"{high:g}" if isinstance(high, float) else str(high)
    return text + f" [{low:g} – {most}]"


def _sentence(name: str, kind: str, context: Mapping[str, Any], message: str, lang: str) -> str:
    if kind in _KNOWN_MISTAKES:
        limits = {key: f"{context[key]:.12g}" for key in ("gt", "ge", "lt", "le") if key in context}
        choices = ", ".join(map(str, get_args(RunSpec.model_fields[name].annotation)))
        return say(f"train.mistake.{kind}", lang, **limits, expected=choices)
    if kind.endswith(("_type", "_parsing")):
        return say("train.mistake.missing", lang)
    if kind == "value_error":
        return say(f"train.mistake.{message.partition(':')[0]}", lang)
    return message


def _step(default: float) -> float:
    """What the arrows of a number field add: one unit of the default's first figure."""
    return float(10 ** math.floor(math.log10(default))) if default else 0.01


def reader() -> str:
    """The language of the caller, where Gradio passes no request: in a validator."""
    return language(cast("Caller | None", LocalContext.request.get(None)))
