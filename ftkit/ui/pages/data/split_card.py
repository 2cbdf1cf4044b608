"""The part of the data page that splits a dataset, and what it says of a finished split.

Takes records, gives components and ``Markup``. It calls no service.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.records import PARTS, Dataset, Split
from ftkit.ui import html, views
from ftkit.ui.i18n import say, say_phrase, t
from ftkit.ui.parts import section

_NEAR: dict[str, bool | None] = {"auto": None, "yes": True, "no": False}


class SplitCard:
    """Shares and seed; columns, a test set and near-duplicates below "More"."""

    def __init__(self) -> None:
        section("data.split")
        self.table = gr.HTML()
        with gr.Row(elem_classes="ft-fields ft-numbers"):
            shares = [
                gr.Number(
                    share,
                    label=t(f"data.split.{part}.share"),
                    minimum=0,
                    maximum=100,
                    elem_id=f"split-{part}",
                )
                for part, share in zip(PARTS, (80, 10, 10), strict=True)
            ]
            seed = gr.Number(
                42,
                precision=0,
                label=t("data.split.seed"),
                info=t("data.split.seed.help"),
                elem_id="split-seed",
            )
        with gr.Accordion(t("data.split.more"), open=False, elem_id="split-more"):
            with gr.Row(elem_classes="ft-fields"):
                self.choices = [_choice(name) for name in ("group", "stratify")]
            with gr.Row(elem_classes="ft-fields"):
                self.choices.append(_choice("other"))
                near = gr.Radio(
                    [(t(f"data.split.near.{one}"), one) for one in _NEAR],
                    value="auto",
                    label=t("data.split.near"),
                    info=t("data.split.near.help"),
                    elem_id="split-near",
                )
        with gr.Row(elem_classes="ft-actions"):
            self.button = gr.Button(t("data.split.do"), variant="primary", elem_id="split-do", min_width=160)
        self.inputs = [*shares, seed, *self.choices, near]


def _choice(name: str) -> gr.Dropdown:
    return gr.Dropdown(
        [(t("data.split.none"), "")],
        value="",
        label=t(f"data.split.{name}"),
        info=t(f"data.split.{name}.help"),
        elem_id=f"split-{name}",
        interactive=True,
    )


def choices(id_: str, datasets: Sequence[Dataset]) -> list[gr.Dropdown]:
    """What can be chosen for the next split of the dataset with this id."""
    none: list[tuple[Any, str]] = [(t("data.split.none"), "")]
    dataset = next(one for one in datasets if one.id == id_)
    columns = gr.Dropdown(choices=[*none, *((name, name) for name in dataset.columns)], value="")
    tests = [(one.name, one.id) for one in datasets if one.id != id_]
    return [columns, columns, gr.Dropdown(choices=[*none, *tests], value="")]


def near_of(choice: str) -> bool | None:
    """What a choice of the card means to the service."""
    return _NEAR.get(choice)


def report(made: Split, lang: str) -> Markup:
    """What a split holds, what leaks, and what it says about itself."""
    text = say(
        "data.split.ready",
        lang,
        leaks=html.number(made.leaks, lang),
        **{part: html.number(made.sizes.get(part, 0), lang) for part in PARTS},
    )
    train = html.link(html.url("train", split=made.id), say("data.split.go", lang), primary=True)
    kinds = [kind for kind in ("exact", "near", "group") if kind != "group" or made.group]
    leaks = html.facts(
        (say(f"data.split.leak.{kind}", lang), html.number(made.leak_kinds.get(kind, 0), lang))
        for kind in kinds
    )
    return html.join(
        [
            html.notice("bad" if made.leaks else "good", text),
            *(html.notice("info", say_phrase(note, lang)) for note in made.notes),
            views.left_out_note(made, lang),
            html.details(
                say("data.split.leak.title", lang), leaks + html.paragraph(say("data.split.leak.how", lang))
            ),
            html.actions(train),
        ]
    )
