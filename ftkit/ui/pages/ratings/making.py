"""The form of a new study: models, task, prompts, raters, guidelines, and what it will cost people.

``?sides=`` (names with commas between), ``?split=``, ``?part=`` and ``?run=`` fill it in. Takes the workspace, gives components;
a click makes one study and goes to it.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.ratings.sides.names import Side
from ftkit.ratings.studies.options import MOST_SIDES, PROTOCOLS
from ftkit.records import PARTS
from ftkit.ui import form as run_form
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, t
from ftkit.ui.parts import asked, destination, follow, go, section
from ftkit.ui.ratings import form
from ftkit.ui.ratings.cost import cost, sentence
from ftkit.workspace import Workspace

_ROWS, _OVERLAP, _LONGEST = 60, 3, 256


class MakingSection:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="study-new") as self.card:
            section("ratings.new")
            what = self._lay_out_what()
            prompts = self._lay_out_prompts()
            raters = self._lay_out_raters()
            self._cost = gr.HTML(elem_id="study-cost")
            self._mistakes = gr.HTML(elem_id="study-mistakes")
            self._tried = gr.State(None)  # what the fields said when the study could not be made
            with gr.Row(elem_classes="ft-actions"):
                self._start = gr.Button(
                    t("ratings.start"), variant="primary", elem_id="study-start", min_width=180
                )
        self._fields: list[Any] = [*what, *prompts, *raters]
        self._wire()

    def _lay_out_what(self) -> list[Any]:
        self._name = gr.Textbox(
            label=t("ratings.name.label"), info=t("ratings.name.help"), max_lines=1, max_length=200, elem_id="study-name"
        )  # fmt: skip
        self._sides = gr.Dropdown(
            multiselect=True, max_choices=MOST_SIDES, label=t("ratings.sides.label"), info=t("ratings.sides.help"),
            elem_id="study-sides",
        )  # fmt: skip
        self._protocol = gr.Radio(
            choices=[(t(f"ratings.protocol.{one}"), one) for one in PROTOCOLS], value=PROTOCOLS[0],
            label=t("ratings.protocol.label"), elem_id="study-protocol", elem_classes="ft-steps-list",
        )  # fmt: skip
        self._about = gr.HTML(elem_id="study-about", elem_classes="ft-quiet")
        return [self._name, self._sides, self._protocol]

    def _lay_out_prompts(self) -> list[Any]:
        self._source = gr.Radio(
            choices=[(t(f"ratings.source.{one}"), one) for one in form.SOURCES], value=form.SOURCES[0],
            label=t("ratings.source.label"), elem_id="study-source",
        )  # fmt: skip
        with gr.Row(elem_classes="ft-fields") as self._of_split:
            self._split = gr.Dropdown(
                allow_custom_value=True, label=t("ratings.split.label"), elem_id="study-split", min_width=260
            )
            self._part = gr.Radio(
                choices=[(t(f"ratings.part.{one}"), one) for one in reversed(PARTS)], value="test",
                label=t("ratings.part.label"), info=t("ratings.part.help"), elem_id="study-part",
            )  # fmt: skip
        with gr.Row(elem_classes="ft-fields", visible=False) as self._of_dataset:
            self._dataset = gr.Dropdown(
                allow_custom_value=True, label=t("ratings.dataset.label"), elem_id="study-dataset", min_width=260
            )  # fmt: skip
        self._texts = gr.Textbox(
            label=t("ratings.texts.label"), placeholder=t("ratings.texts.hint"), lines=4, max_lines=14,
            max_length=200_000, visible=False, elem_id="study-texts",
        )  # fmt: skip
        return [self._source, self._split, self._part, self._dataset]

    def _lay_out_raters(self) -> list[Any]:
        with gr.Row(elem_classes="ft-fields"):
            self._rows = gr.Number(
                _ROWS, precision=0, label=t("ratings.rows.label"), info=t("ratings.rows.help"), elem_id="study-rows"
            )  # fmt: skip
            self._overlap = gr.Number(
                _OVERLAP, precision=0, label=t("ratings.overlap.label"), info=t("ratings.overlap.help"),
                elem_id="study-overlap",
            )  # fmt: skip
            self._gold = gr.Number(
                0, precision=0, label=t("ratings.gold.label"), info=t("ratings.gold.help"), elem_id="study-gold"
            )  # fmt: skip
        with gr.Row(elem_classes="ft-fields", visible=False) as self._marks:
            criteria = gr.Textbox(
                label=t("ratings.criteria.label"), info=t("ratings.criteria.help"), lines=3, max_lines=8,
                max_length=1000, elem_id="study-criteria",
            )  # fmt: skip
            points = gr.Number(
                5, precision=0, label=t("ratings.points.label"), info=t("ratings.points.help"), elem_id="study-points"
            )  # fmt: skip
        self._criteria = criteria
        self._guidelines = gr.Textbox(
            label=t("ratings.guidelines.label"), info=t("ratings.guidelines.help"), lines=6, max_lines=16,
            max_length=20_000, elem_id="study-guidelines",
        )  # fmt: skip
        with gr.Row(elem_classes="ft-fields"):
            self._reference = gr.Checkbox(
                label=t("ratings.reference.label"),
                info=t("ratings.reference.help"),
                elem_id="study-reference",
            )
            editing = gr.Checkbox(
                True,
                label=t("ratings.editing.label"),
                info=t("ratings.editing.help"),
                elem_id="study-editing",
            )
        with gr.Accordion(t("ratings.advanced"), open=False, elem_id="study-advanced"), gr.Row(elem_classes="ft-fields"):  # fmt: skip
            longest = gr.Number(
                _LONGEST, precision=0, label=t("ratings.longest.label"), info=t("ratings.longest.help"),
                elem_id="study-longest",
            )  # fmt: skip
            temperature = gr.Number(
                0, label=t("ratings.temperature.label"), info=t("ratings.temperature.help"), step=0.1,
                elem_id="study-temperature",
            )  # fmt: skip
            seed = gr.Number(
                42, precision=0, label=t("ratings.seed.label"), info=t("ratings.seed.help"), elem_id="study-seed"
            )  # fmt: skip
        self._counts: list[Any] = [criteria, points, longest, temperature, seed]
        first = [self._rows, self._texts, self._overlap, self._gold, criteria, points]
        return [*first, self._guidelines, self._reference, editing, longest, temperature, seed]

    def _wire(self) -> None:
        gr.on(
            fn=handler(self._open),
            outputs=[self.card, self._name, self._sides, self._split, self._part, self._dataset, self._criteria,
                     self._guidelines, self._about],
            api_name="ratings_form_open", show_progress="hidden",
        ).success(handler(self._look), [self._tried, *self._fields], [self._cost, self._mistakes], api_name="ratings_form_cost", show_progress="hidden")  # fmt: skip
        edits = [
            self._name.blur, self._guidelines.blur, self._sides.input, self._protocol.input, self._source.input,
            self._split.input, self._part.input, self._dataset.input, self._rows.input, self._texts.input,
            self._overlap.input, self._gold.input, *(field.input for field in self._counts),
        ]  # fmt: skip
        told = [self._cost, self._mistakes]
        follow(
            edits, handler(self._look), [self._tried, *self._fields], told, "ratings_form_look", quiet=True
        )
        follow(
            [self._protocol.input], handler(self._explain), [self._protocol, self._guidelines],
            [self._about, self._guidelines, self._marks], "ratings_form_protocol", quiet=True,
        )  # fmt: skip
        follow(
            [self._source.input], handler(self._choose_source), [self._source],
            [self._of_split, self._of_dataset, self._texts, self._rows, self._gold, self._reference], "ratings_form_source", quiet=True,
        )  # fmt: skip
        made = self._start.click(
            handler(self._begin),
            self._fields,
            [self._where, self._mistakes, self._tried],
            api_name="ratings_start",
        )
        go(made, self._where, "ratings_go")

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        offered = self._workspace.sides.offered()
        runs = [side for side in offered if side.kind == "run"]
        if asked(request, "study") or not runs:
            return [gr.Column(visible=False), *[gr.skip()] * 8]
        names = {one.id: one.name for one in self._workspace.data.all()}
        splits = self._workspace.splits.all()
        sides = self._wanted(request, offered, runs)
        split = self._split_for(request, sides)
        part, sizes = asked(request, "part"), {one.id: one.sizes for one in splits}.get(split or "", {})
        return [
            gr.Column(visible=True),
            next((names.get(one.dataset, one.name) for one in splits if one.id == split), ""),
            gr.Dropdown(choices=[(self._label(side, lang), str(side)) for side in offered], value=sides),
            gr.Dropdown(
                choices=[(run_form.split_choice(one, names.get(one.dataset, one.name), lang), one.id) for one in splits],
                value=split,
            ),
            part if part in PARTS else "validation" if sizes.get("validation") else "test",
            gr.Dropdown(choices=[(name, id_) for id_, name in names.items()], value=next(iter(names), None)),
            say("ratings.criteria.default", lang),
            form.guidelines(PROTOCOLS[0], lang),
            say(f"ratings.about.{PROTOCOLS[0]}", lang),
        ]  # fmt: skip

    def _wanted(self, request: gr.Request, offered: list[Side], runs: list[Side]) -> list[str]:
        """Models that the address names, else the newest run with its base model."""
        every = {str(side) for side in offered}
        named = [name for name in asked(request, "sides").split(",") if name in every][:MOST_SIDES]
        if named:
            return list(dict.fromkeys(named))
        wanted = f"run:{asked(request, 'run')}"
        run = wanted if wanted in every else str(runs[0])
        base = f"base:{self._workspace.sides.model_of(Side.parse(run))}"
        return [base, run] if base in every else [run]

    def _split_for(self, request: gr.Request, sides: list[str]) -> str | None:
        """The split that the address names, else that of the first run, else the newest one."""
        every = [one.id for one in self._workspace.splits.all()]
        runs = [Side.parse(name).id for name in sides if not name.startswith("base:")]
        of_runs = [one.run.split for one in self._workspace.training.all() if one.run.id in runs[:1]]
        return next((one for one in (asked(request, "split"), *of_runs, *every) if one in every), None)

    def _label(self, side: Side, lang: str) -> str:
        name = self._workspace.sides.label(side)
        return name if side.kind == "run" else say(f"ratings.sides.{side.kind}", lang, name=name)

    def _explain(self, request: gr.Request, protocol: str, guidelines: str | None) -> list[Any]:
        """What a protocol is for; default guidelines follow it, a person's own stay."""
        lang = language(request)
        text = form.guidelines(protocol, lang) if form.is_default(guidelines, PROTOCOLS) else gr.skip()
        return [say(f"ratings.about.{protocol}", lang), text, gr.Row(visible=protocol == "scales")]

    def _choose_source(self, source: str) -> list[Any]:
        return [
            gr.Row(visible=source == "split"),
            gr.Row(visible=source == "dataset"),
            gr.Textbox(visible=source == "own"),
            *[gr.Number(visible=source != "own")] * 2,
            gr.Checkbox(visible=source != "own"),
        ]

    def _look(self, request: gr.Request, tried: list[Any] | None, *values: Any) -> list[Any]:
        """What it will cost; and of the mistakes that a click has shown, those that are still there."""
        lang, wishes = language(request), form.Wishes(*values)
        known = tried is None or tried == list(values)
        left = gr.skip() if known else _mistakes(form.mistakes(wishes, lang))
        return [self._told(wishes, lang), left]

    def _told(self, wishes: form.Wishes, lang: str) -> Markup:
        """What it will cost, or that something is missing for that."""
        rows, what = self._available(wishes)
        wanted = len(wishes.prompts) if wishes.source == "own" else int(wishes.rows or 0)
        prompts = min(wanted, rows) if rows is not None else wanted
        parts = [self._gives_away(wishes, lang)]
        if rows is not None and rows < wanted:
            told = say(f"ratings.cost.what.{what}", lang)
            parts.append(html.notice("warn", say("ratings.cost.fewer", lang, what=told, rows=rows)))
        if not (wishes.sides and prompts > 0 and wishes.overlap):
            return html.join([*parts, html.notice("info", form.missing(wishes, prompts, lang))])
        overlap, gold = int(wishes.overlap), wishes.attention
        counted = cost(wishes.protocol, len(wishes.sides), prompts, overlap, gold, len(wishes.marked))
        return html.join([*parts, sentence(counted, lang)])

    def _available(self, wishes: form.Wishes) -> tuple[int | None, str]:
        """Rows of the chosen part or dataset; None where that does not matter or nothing is chosen."""
        if wishes.source == "split":
            sizes = {one.id: one.sizes for one in self._workspace.splits.all()}.get(wishes.split or "")
            return (sizes[wishes.part] if sizes else None), "part"  # type: ignore[index]  # one of the parts
        if wishes.source == "dataset":
            return {one.id: one.rows for one in self._workspace.data.all()}.get(
                wishes.dataset or ""
            ), "dataset"
        return None, ""

    def _gives_away(self, wishes: form.Wishes, lang: str) -> Markup:
        names = [self._workspace.sides.label(Side.parse(name)) for name in wishes.sides]
        name = form.named_in(f"{wishes.name}\n{wishes.guidelines}", names)
        return html.notice("warn", say("ratings.mistake.named", lang, name=name)) if name else Markup("")

    def _begin(self, request: gr.Request, *values: Any) -> tuple[str, Markup, list[Any] | None]:
        lang = language(request)
        wishes = form.Wishes(*values)
        wrong = form.mistakes(wishes, lang)
        if wrong:
            return "", _mistakes(wrong), list(values)
        try:
            study = self._workspace.loop.new_study(
                form.options(wishes),
                form.source(wishes),
                texts=wishes.prompts if wishes.source == "own" else (),
                rows=int(wishes.rows or _ROWS),
            )
        except FtkitError as error:
            return "", html.notice("bad", say_error(error, lang)), list(values)
        return html.url("ratings", study=study.id), Markup(""), None


def _mistakes(wrong: list[str]) -> Markup:
    return html.notice("bad", html.join(map(html.paragraph, wrong))) if wrong else Markup("")
