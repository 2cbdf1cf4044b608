"""The part of the form in which options are chosen to vary, each with its range or list.

Takes the current Gradio context; gives components, and from their values a space as it is written. There are as many rows as fit a
sensible search; unused ones are not shown. It checks nothing.
"""

from collections.abc import Sequence
from typing import Any, get_args, get_origin

import gradio as gr

from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.space import VARIABLE, Choices, suggest, write_value
from ftkit.ui import html
from ftkit.ui.form import counts
from ftkit.ui.i18n import say, t

MOST = 6
_PARTS = 4  # of a row: how, from, to, values
FREE = "," * (MOST - 1)  # no row is used
_HOW = ("linear", "log", "list")


class Varied:
    """Rows of options; ``names`` holds which row is for which, separated by commas, nothing for free ones."""

    def __init__(self) -> None:
        # An unseen field and no state: a validator is not given the states of a visit.
        self.names = gr.Textbox(FREE, visible="hidden")
        self.rows: list[gr.Column] = []
        self.titles: list[gr.HTML] = []
        self.parts: list[Any] = []
        self.removers: list[gr.Button] = []
        for number in range(MOST):
            self._lay_out_row(number)

    @property
    def everything(self) -> list[Any]:
        """What a handler that fills or empties rows has as its outputs."""
        return [self.names, *self.rows, *self.titles, *self.parts]

    @property
    def read_from(self) -> list[Any]:
        """What ``written`` needs."""
        return [self.names, *self.parts]

    def _lay_out_row(self, number: int) -> None:
        with gr.Column(visible=False, elem_classes="ft-varied", elem_id=f"varied-{number}") as row:
            with gr.Row(elem_classes="ft-actions"):
                self.titles.append(gr.HTML())
                self.removers.append(
                    gr.Button(t("sweeps.remove"), size="sm", min_width=90, elem_id=f"varied-{number}-remove")
                )
            with gr.Row(elem_classes="ft-fields ft-numbers"):
                how = gr.Dropdown(
                    choices=[(t(f"sweeps.how.{key}"), key) for key in _HOW], value="list", label=t("sweeps.how.label"),
                    elem_id=f"varied-{number}-how", min_width=140, interactive=True,
                )  # fmt: skip
                low = gr.Number(
                    label=t("sweeps.from"), elem_id=f"varied-{number}-low", min_width=120, interactive=True
                )
                high = gr.Number(
                    label=t("sweeps.to"), elem_id=f"varied-{number}-high", min_width=120, interactive=True
                )
                values = gr.Dropdown(
                    choices=[], multiselect=True, allow_custom_value=True, label=t("sweeps.values"),
                    elem_id=f"varied-{number}-values", min_width=240, interactive=True, elem_classes="ft-wide",
                )  # fmt: skip
        self.rows.append(row)
        self.parts += [how, low, high, values]


def filled(held: str, name: str, spec: RunSpec, lang: str) -> list[Any]:
    """Updates of ``everything`` that add an option in the first free row; nothing changes where there is none."""
    names = held.split(",")
    if not name or name in names or "" not in names:
        return [held, *[gr.skip()] * (MOST * (2 + _PARTS))]
    place = names.index("")
    rows: list[Any] = [gr.skip()] * MOST
    titles: list[Any] = [gr.skip()] * MOST
    parts: list[Any] = [gr.skip()] * (MOST * _PARTS)
    rows[place] = gr.Column(visible=True)
    titles[place] = _title(name, spec, lang)
    parts[place * _PARTS : (place + 1) * _PARTS] = _suggested(name, spec)
    return [",".join([*names[:place], name, *names[place + 1 :]]), *rows, *titles, *parts]


def emptied(held: str, place: int) -> list[Any]:
    """Updates of the names and of one row that take an option out."""
    names = held.split(",")
    return [",".join([*names[:place], "", *names[place + 1 :]]), gr.Column(visible=False)]


def shown_for(how: str) -> list[Any]:
    """Updates of from, to and values for a way of writing."""
    listed = how == "list"
    return [gr.update(visible=not listed), gr.update(visible=not listed), gr.update(visible=listed)]


def written(held: str, parts: Sequence[Any]) -> dict[str, str]:
    """The space as ``sweeps.space`` reads it."""
    space = {}
    for place, name in enumerate(held.split(",")):
        if name:
            how, low, high, values = parts[place * _PARTS : (place + 1) * _PARTS]
            ends = "..".join("" if end is None else write_value(end) for end in (low, high))
            listed = ",".join(str(one) for one in values or ())
            space[name] = listed if how == "list" else ends + (":log" if how == "log" else "")
    return space


def verdicts(held: str, parts: Sequence[Any], found: dict[str, str]) -> list[dict[str, Any]]:
    """One ``gr.validate`` per component of ``read_from``, the message standing where it is seen."""
    fine = gr.validate(True, "")
    said = [fine] * (1 + MOST * _PARTS)
    for place, name in enumerate(held.split(",")):
        if name in found and name:
            seen = 3 if parts[place * _PARTS] == "list" else 1
            said[1 + place * _PARTS + seen] = gr.validate(False, found[name])
    return said


def choices(held: str, spec: RunSpec, lang: str) -> list[tuple[str, str]]:
    """What can still be added: options that have an effect beside these settings."""
    options = spec.model_dump()
    return [
        (f"{say(f'spec.{name}.label', lang)} · {name}", name)
        for name in VARIABLE
        if name not in held.split(",") and counts(name, options)
    ]


def _suggested(name: str, spec: RunSpec) -> list[Any]:
    made, kind = suggest(name, getattr(spec, name)), RunSpec.model_fields[name].annotation
    ranged = kind in (int, float)
    if isinstance(made, Choices):
        how, low, high, chosen = "list", None, None, [write_value(one) for one in made.choices]
        if ranged:
            low, high = min(made.choices), max(made.choices)
    else:
        how, low, high, chosen = "log" if made.log else "linear", made.low, made.high, []
    offered = chosen or ([write_value(getattr(spec, name))] if ranged else [])
    if get_origin(kind) is not None:
        offered = [str(one) for one in get_args(kind)]
    return [
        gr.update(value=how, visible=ranged),
        *(
            gr.update(value=end, visible=ranged and how != "list", precision=0 if kind is int else None)
            for end in (low, high)
        ),
        gr.update(choices=offered, value=chosen, visible=how == "list"),
    ]


def _title(name: str, spec: RunSpec, lang: str) -> str:
    now = say("sweeps.now", lang, value=write_value(getattr(spec, name)))
    return html.heading(say(f"spec.{name}.label", lang), f"{name} · {now}")
