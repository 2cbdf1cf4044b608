"""The error analysis of an evaluation: its rows by outcome, confusion, slice, kind of error and tag, one of them in full.

``?evaluation=`` chooses the evaluation; all that is filtered, the page of the list and the opened ``row`` stand in the address
too, so that a view can be linked and reloaded. Rows are tagged and corrected here, and sent onwards as a new dataset.
"""

from typing import Any, Literal

import gradio as gr
from markupsafe import Markup

from ftkit.errors import BadInput
from ftkit.evaluation.errors.selection import SORTS, Selection
from ftkit.evaluation.errors.service import Looked
from ftkit.evaluation.errors.tagging import LONGEST, SUGGESTED
from ftkit.evaluation.measuring.scores import json_object
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.evaluation.errors import names
from ftkit.ui.evaluation.errors.overview import Overview
from ftkit.ui.evaluation.errors.rows import Rows, Source
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, destination, go, page_heading, section
from ftkit.workspace import Workspace

# The ticked rows of the page that is shown; they stand in its HTML and in no component.
_TICKED = "document.querySelectorAll('#errors-rows .ft-tick:checked')"
_WITH_TICKS = (
    f"(first, second, third) => [first, second, third, [...{_TICKED}].map(one => one.value).join(',')]"
)
_SECTIONS = ("confusion", "errors", "slices", "tags")


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("mistakes")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._ticks = gr.Textbox(visible="hidden")
        self._note = gr.HTML(elem_id="errors-note")
        with gr.Column(visible=False) as self._body:
            with gr.Column(elem_classes="ft-card"):
                self._lay_out_choice()
            with gr.Column(visible=False, elem_classes="ft-card", elem_id="errors-row") as self._row_card:
                self._lay_out_row()
            with gr.Column(elem_classes="ft-card"):
                section("mistakes.rows")
                self._conditions = gr.HTML(elem_id="errors-conditions")
                self._rows = gr.HTML(elem_id="errors-rows")
                self._lay_out_sending()
            self._sections = {}
            for name in _SECTIONS:
                with gr.Column(elem_classes="ft-card") as card:
                    section(f"mistakes.{name}")
                    self._sections[name] = (card, gr.HTML(elem_id=f"errors-{name}"))
        self._wire()

    def _lay_out_choice(self) -> None:
        self._head = gr.HTML(elem_id="errors-head")
        with gr.Row(elem_classes="ft-fields"):
            self._measure = gr.Dropdown(
                label=t("mistakes.measure"),
                info=t("mistakes.measure.help"),
                elem_id="errors-measure",
                min_width=240,
            )
            self._sort = gr.Dropdown(
                choices=[(t(f"mistakes.sort.{name}"), name) for name in SORTS],
                label=t("mistakes.sort"),
                elem_id="errors-sort",
                min_width=240,
            )

    def _lay_out_row(self) -> None:
        self._opened = gr.HTML(elem_id="errors-opened")
        self._tags = gr.CheckboxGroup(
            label=t("mistakes.tags.row"), info=t("mistakes.tags.help"), elem_id="errors-tags-of"
        )
        with gr.Row(elem_classes="ft-save"):
            self._own_tag = gr.Textbox(
                label=t("mistakes.tags.own"), max_length=LONGEST, max_lines=1, elem_id="errors-own-tag"
            )
            self._add_tag = gr.Button(t("mistakes.tags.add"), elem_id="errors-add-tag", min_width=140)
        self._answer = gr.Textbox(
            label=t("mistakes.answer"),
            info=t("mistakes.answer.help"),
            lines=2,
            max_lines=12,
            elem_id="errors-answer",
        )
        with gr.Row(elem_classes="ft-actions"):
            self._save_answer = gr.Button(
                t("mistakes.answer.save"), elem_id="errors-save-answer", min_width=180
            )

    def _lay_out_sending(self) -> None:
        with (
            gr.Accordion(t("mistakes.ticked"), open=False, elem_id="errors-ticked"),
            gr.Row(elem_classes="ft-save"),
        ):
            self._ticked_tag = gr.Dropdown(
                choices=[(t(f"mistakes.tag.{tag.replace(' ', '_')}"), tag) for tag in SUGGESTED],
                value=SUGGESTED[0],
                allow_custom_value=True,
                label=t("mistakes.ticked.tag"),
                elem_id="errors-ticked-tag",
            )
            self._tag_ticked = gr.Button(t("mistakes.ticked.do"), elem_id="errors-tag-ticked", min_width=180)
        with gr.Accordion(t("mistakes.send"), open=False, elem_id="errors-send-part"):
            self._warning = gr.HTML(elem_id="errors-warning")
            self._which = gr.Radio(
                choices=[(t("mistakes.send.all"), "all"), (t("mistakes.send.ticked"), "ticked")],
                value="all",
                label=t("mistakes.send.which"),
                info=t("mistakes.send.which.help"),
                elem_id="errors-which",
            )
            self._name = gr.Textbox(label=t("mistakes.send.name"), max_lines=1, elem_id="errors-send-name")
            self._sure = gr.Checkbox(label=t("mistakes.send.sure"), visible=False, elem_id="errors-sure")
            with gr.Row(elem_classes="ft-actions"):
                self._send = gr.Button(
                    t("mistakes.send.do"), variant="primary", elem_id="errors-send", min_width=180
                )

    def _wire(self) -> None:
        htmls = [part for pair in self._sections.values() for part in pair]
        listed = [self._rows, self._sections["tags"][1]]
        of_row = [self._row_card, self._opened, self._tags, self._answer]
        shown = [
            self._note,
            self._body,
            self._head,
            self._measure,
            self._sort,
            self._conditions,
            self._warning,
            self._sure,
        ]
        arrived = gr.on(
            fn=handler(self._open),
            outputs=[*shown, *listed],
            api_name="mistakes_open",
            show_progress="hidden",
        )
        arrived.success(
            handler(self._open_row), outputs=of_row, api_name="mistakes_row", show_progress="hidden"
        )
        arrived.success(
            handler(self._survey), outputs=htmls, api_name="mistakes_survey", show_progress="hidden"
        )
        for box, name in ((self._measure, "measure"), (self._sort, "sort")):
            chosen = box.input(
                handler(self._choose), [self._measure, self._sort], self._where, api_name=f"mistakes_{name}"
            )
            go(chosen, self._where, f"mistakes_{name}_go")
        self._wire_actions(listed)

    def _wire_actions(self, listed: list[gr.HTML]) -> None:
        row_seen = [self._opened, self._tags, *listed]
        self._tags.input(
            handler(self._set_tags), self._tags, row_seen, api_name="mistakes_tags", show_progress="hidden"
        )
        gr.on(
            [self._add_tag.click, self._own_tag.submit],
            handler(self._add_own),
            self._own_tag,
            [self._own_tag, *row_seen],
            api_name="mistakes_add_tag",
            show_progress="hidden",
        )
        self._save_answer.click(
            handler(self._correct), self._answer, row_seen, api_name="mistakes_answer", show_progress="hidden"
        )
        self._tag_ticked.click(
            handler(self._tag_all_ticked),
            [self._ticked_tag, self._name, self._sure, self._ticks],
            listed,
            js=_WITH_TICKS,
            api_name="mistakes_tag_ticked",
        )
        sent = self._send.click(
            handler(self._send_on),
            [self._which, self._name, self._sure, self._ticks],
            self._where,
            js=_WITH_TICKS,
            api_name="mistakes_send",
        )
        go(sent, self._where, "mistakes_send_go")

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        if not asked(request, "evaluation"):
            return [_nothing(lang), *[gr.skip()] * 9]
        looked, selection = self._look(request)
        overview = Overview(looked, selection, lang)
        report, analysis = looked.report, looked.analysis
        choices = [(names.measure_name(one, report, lang), one.name) for one in analysis.measures]
        is_test = looked.view.evaluation.part == "test"
        return [
            "",
            gr.Column(visible=True),
            overview.head(),
            gr.Dropdown(choices, value=analysis.measure(selection.measure).name),
            gr.Dropdown(value=selection.sort),
            overview.conditions(),
            html.notice("warn", say("mistakes.send.test", lang)) if is_test else "",
            gr.Checkbox(visible=is_test),
            *self._listed(request, looked, selection),
        ]

    def _open_row(self, request: gr.Request) -> Any:
        """The row that the address opens; its tags and its right answer can be changed."""
        row = _row(request)
        if row is None or not asked(request, "evaluation"):
            return gr.skip()
        looked, selection = self._look(request)
        opened, tags = self._row_seen(request, looked, selection, row)
        sample = next((one for one in looked.analysis.samples if one["row"] == row), None)
        answer = looked.answers.get(row, sample["reference"] if sample else "")
        return [gr.Column(visible=True), opened, tags, answer]

    def _survey(self, request: gr.Request) -> Any:
        """Everything below the rows; it takes longer than they do."""
        if not asked(request, "evaluation"):
            return gr.skip()
        looked, selection = self._look(request)
        overview = Overview(looked, selection, language(request))
        found = {name: getattr(overview, name)() for name in _SECTIONS}
        return [part for text in found.values() for part in (gr.Column(visible=bool(text)), text)]

    def _choose(self, request: gr.Request, measure: str, sort: str) -> str:
        _, selection = self._look(request)
        return names.address(asked(request, "evaluation"), selection.having(measure=measure, sort=sort))

    def _set_tags(self, request: gr.Request, wanted: list[str]) -> list[Any]:
        looked, row = self._looked_row(request)
        had = looked.tags.get(row, ())
        id_ = asked(request, "evaluation")
        for tag in set(wanted) - set(had):
            self._workspace.mistakes.tag(id_, [row], tag, _who(request))
        for tag in set(had) - set(wanted):
            self._workspace.mistakes.untag(id_, row, tag)
        return self._again(request, row)

    def _add_own(self, request: gr.Request, tag: str) -> list[Any]:
        _, row = self._looked_row(request)
        self._workspace.mistakes.tag(asked(request, "evaluation"), [row], tag, _who(request))
        return ["", *self._again(request, row)]

    def _correct(self, request: gr.Request, answer: str) -> list[Any]:
        """Keep the right answer; one that is the reference takes the correction back."""
        looked, row = self._looked_row(request)
        sample = next(one for one in looked.analysis.samples if one["row"] == row)
        kept = "" if answer == sample["reference"] else answer
        self._workspace.mistakes.correct(asked(request, "evaluation"), row, kept)
        lang = language(request)
        if kept and json_object(kept) is None and json_object(sample["reference"]) is not None:
            gr.Warning(say("mistakes.answer.not_json", lang))
        else:
            gr.Info(say("mistakes.answer.saved" if kept else "mistakes.answer.back", lang), title="✓")
        return self._again(request, row)

    def _tag_all_ticked(
        self, request: gr.Request, tag: str, _name: str, _sure: bool, ticks: str
    ) -> list[Any]:
        rows = _ticked(ticks)
        self._workspace.mistakes.tag(asked(request, "evaluation"), rows, tag or "", _who(request))
        looked, selection = self._look(request)
        return self._listed(request, looked, selection)

    def _send_on(
        self, request: gr.Request, which: Literal["all", "ticked"], name: str, sure: bool, ticks: str
    ) -> str:
        looked, selection = self._look(request)
        rows = _ticked(ticks) if which == "ticked" else [one.row for one in looked.chosen(selection)]
        if which == "all" and ticks and (ticked := _ticked(ticks)):
            raise BadInput(
                "errors.ticked_and_all",
                "{ticked} rows are ticked, but all {rows} rows of this view are chosen. Choose the ticked ones, or untick them.",
                ticked=len(ticked),
                rows=len(rows),
            )
        made = self._workspace.send_rows(asked(request, "evaluation"), rows, name, use_test_rows=sure)
        return html.url("data", dataset=made.id)

    def _look(self, request: gr.Request) -> tuple[Looked, Selection]:
        looked = self._workspace.mistakes.look(asked(request, "evaluation"))
        return looked, Selection.parse({name: asked(request, name) for name in Selection.model_fields})

    def _looked_row(self, request: gr.Request) -> tuple[Looked, int]:
        row = _row(request)
        looked, _ = self._look(request)
        if row is None or all(one["row"] != row for one in looked.analysis.samples):
            raise BadInput("errors.open_a_row", "No row is opened. Open one in the list first.")
        return looked, row

    def _again(self, request: gr.Request, row: int) -> list[Any]:
        """Everything that shows what people said of a row."""
        looked, selection = self._look(request)
        return [*self._row_seen(request, looked, selection, row), *self._listed(request, looked, selection)]

    def _row_seen(self, request: gr.Request, looked: Looked, selection: Selection, row: int) -> list[Any]:
        lang = language(request)
        known = any(one["row"] == row for one in looked.analysis.samples)
        source = (
            Source(*self._workspace.mistakes.source(asked(request, "evaluation"), row))
            if known
            else Source(None, row)
        )
        mine = looked.tags.get(row, ())
        every = dict.fromkeys([*SUGGESTED, *looked.tag_counts(), *mine])
        tags = gr.CheckboxGroup([(names.tag_name(tag, lang), tag) for tag in every], value=list(mine))
        return [Rows(looked, selection, lang).opened(row, source), tags]

    def _listed(self, request: gr.Request, looked: Looked, selection: Selection) -> list[Markup]:
        lang = language(request)
        page = asked(request, "page")
        rows = Rows(looked, selection, lang).page(int(page) if page.isdecimal() else 1, _row(request))
        return [rows, Overview(looked, selection, lang).tags()]


def _row(request: gr.Request) -> int | None:
    """The opened row of the address."""
    row = asked(request, "row")
    return int(row) if row.isdecimal() and len(row) < 10 else None  # noqa: PLR2004 - more rows than any part has


def _ticked(ticks: str) -> list[int]:
    """Rows that are ticked on the page.

    Raises:
        BadInput: none is.
    """
    rows = [int(one) for one in (ticks or "").split(",") if one.isdecimal() and len(one) < 10]  # noqa: PLR2004 - as above
    if not rows:
        raise BadInput("errors.nothing_ticked", "No row is ticked. Tick one in the list first.")
    return rows


def _who(request: gr.Request) -> str:
    return str(getattr(request, "username", None) or "")


def _nothing(lang: str) -> Markup:
    return html.empty(
        say("mistakes.empty.title", lang),
        say("mistakes.empty.text", lang),
        html.link("/evaluate", say("mistakes.empty.link", lang), primary=True),
    )
