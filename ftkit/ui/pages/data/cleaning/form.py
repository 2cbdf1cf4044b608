"""The forms of the cleaning steps, made from their fields: one panel for each kind of step.

Takes the steps' models, gives Gradio components, and values from and for them. Which step a panel shows is the page's
business.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import gradio as gr
from gradio.components import FormComponent
from pydantic.fields import FieldInfo

from ftkit.data.clean import STEPS
from ftkit.data.cleaning.steps import Step
from ftkit.training.option import bounds
from ftkit.ui.i18n import step_field_key, t

Values = dict[str, Any]
_HIDDEN = "salt"
_LONG_TEXTS = frozenset({"expression"})


def fields_of(kind: type[Step]) -> dict[str, FieldInfo]:
    """The fields of a step that a person fills in: its own first, the columns last, as few people need them."""
    names = [name for name in kind.model_fields if name not in {"step", "columns"}]
    names.sort(key=lambda name: name not in kind.__annotations__)
    return {name: kind.model_fields[name] for name in (*names, "columns")}


class Panels:
    """One panel for each kind of step; at most one of them is shown."""

    def __init__(self) -> None:
        self.columns: dict[str, gr.Column] = {}
        self._fields: dict[tuple[str, str], FormComponent] = {}
        for name, kind in STEPS.items():
            with gr.Column(visible=False, elem_id=f"clean-{name}") as self.columns[name]:
                gr.Markdown(
                    "### " + t(f"steps.{name}.title") + "\n\n" + t(f"steps.{name}.help"),
                    elem_classes="ft-quiet",
                )
                with gr.Row(equal_height=False, elem_classes="ft-fields"):
                    for field, about in fields_of(kind).items():
                        self._fields[name, field] = _widget(name, field, about)

    @property
    def fields(self) -> list[FormComponent]:
        """All widgets, in the order of ``read`` and ``show``."""
        return list(self._fields.values())

    def read(self, name: str, values: Sequence[Any]) -> Values:
        """What the panel of a step holds, as values of the step."""
        given = {key: value for key, value in zip(self._fields, values, strict=True) if key[0] == name}
        return {"step": name} | {
            field: _read(STEPS[name].model_fields[field], value) for (_, field), value in given.items()
        }

    def show(self, step: Mapping[str, Any] | None) -> list[Any]:
        """Updates that show the panel of a step with its values, or none: first the panels, then the widgets."""
        name = step["step"] if step else None
        panels = [gr.Column(visible=one == name) for one in self.columns]
        widgets = [
            _shown(STEPS[kind].model_fields[field], (step or {}).get(field)) if kind == name else gr.skip()
            for kind, field in self._fields
        ]
        return [*panels, *widgets]


def defaults(name: str) -> Values:
    """A new step of a kind."""
    return STEPS[name].model_validate({}).model_dump(mode="json")


def _widget(step: str, name: str, field: FieldInfo) -> FormComponent:
    key = step_field_key(STEPS[step], name)
    common: dict[str, Any] = {
        "label": t(f"{key}.label"),
        "info": t(f"{key}.help"),
        "elem_id": f"clean-{step}-{name}",
        "interactive": True,
        "min_width": 200,
        "value": _shown(field, field.default),
    }
    kind = field.annotation
    if kind is bool:
        return gr.Checkbox(**common)
    if options := _choices(field):
        choices: list[tuple[Any, str]] = [(t(f"{key}.{one}"), one) for one in options]
        if get_origin(kind) is tuple:
            return gr.CheckboxGroup(choices=choices, elem_classes="ft-wide", **common)
        return gr.Dropdown(choices=choices, **common)
    if kind in (int, float):
        low, high = bounds(field)
        precise = {"precision": 0} if kind is int else {"step": 0.05}
        limits = "" if low is None or high is None else f" [{low:g} – {high:g}]"
        return gr.Number(**{**common, **precise, "info": common["info"] + limits})
    if name == _HIDDEN:
        return gr.Textbox(**common, type="password", max_lines=1)
    lines = (2, 6) if name in _LONG_TEXTS else (1, 1)
    return gr.Textbox(**common, lines=lines[0], max_lines=lines[1])


def _choices(field: FieldInfo) -> tuple[str, ...]:
    kind: Any = field.annotation
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    return get_args(kind) if get_origin(kind) is Literal else ()


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple


def _read(field: FieldInfo, value: Any) -> Any:
    if _is_list(field) and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return "" if value is None and field.annotation is str else value


def _shown(field: FieldInfo, value: Any) -> Any:
    if _is_list(field):
        return list(value or ()) if _choices(field) else ", ".join(value or ())
    return value
