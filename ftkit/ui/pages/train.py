"""The train page: a split, a recipe, the options, what the run will cost, and the start.

``?split=`` chooses the split, ``?copy=`` takes recipe and options from an earlier run, ``?recipe=`` with ``?start_from_run=`` or
``?model=`` begins with a recipe's options for that split and what is trained further.
"""

import uuid
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.loop.service import NextTraining
from ftkit.training.recipes import DEFAULT_RECIPE, Recipe
from ftkit.training.spec import RunSpec
from ftkit.ui import form, html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import catalogue, language, say, say_error, t
from ftkit.ui.parts import asked, destination, follow, go, page_heading, section
from ftkit.ui.recipes.own import Own
from ftkit.ui.recipes.sources import Sources
from ftkit.workspace import Workspace

_SLOW = ("max_length", "extra_arguments")


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("train")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        # Of one visit of the page: a second click on Start finds the run that the first one made.
        self._click = gr.State("")
        self._note = gr.HTML()
        with gr.Row(elem_classes="ft-columns", visible=False) as self._body:
            with gr.Column(scale=3, min_width=320):
                with gr.Column(elem_classes="ft-card"):
                    self._lay_out_what()
                with gr.Column(elem_classes="ft-card"):
                    self._lay_out_options()
            with gr.Column(scale=2, min_width=320), gr.Column(elem_classes="ft-card ft-sticky"):
                self._lay_out_card()
        self._wire()

    def _lay_out_what(self) -> None:
        section("train.what")
        # Gradio runs a validator with the choices of the start, not with those of the visit: any value passes here, and
        # the services know the ids.
        self._split = gr.Dropdown(
            allow_custom_value=True,
            label=t("train.split.label"),
            info=t("train.split.help"),
            elem_id="train-split",
        )
        self._recipe = gr.Dropdown(
            allow_custom_value=True,
            label=t("train.recipe.label"),
            info=t("train.recipe.help"),
            elem_id="train-recipe",
        )
        self._about = gr.HTML()
        self._own = Own(self._workspace)
        self._own.lay_out_delete()
        self._from = Sources(self._workspace)

    def _lay_out_options(self) -> None:
        section("train.options")
        made = form.build("simple")
        with gr.Accordion(t("train.advanced"), open=False, elem_id="train-advanced"):
            made |= form.build("advanced")
        self._fields = [made[name] for name in form.FIELDS]

    def _lay_out_card(self) -> None:
        section("train.card")
        self._mistakes = gr.HTML(elem_id="train-mistakes")
        self._card = gr.HTML(elem_id="train-card")
        self._refresh = gr.Button(t("train.card.refresh"), size="sm", elem_id="train-refresh")
        self._name = gr.Textbox(
            label=t("train.name.label"), info=t("train.name.help"), max_lines=1, elem_id="train-name"
        )
        self._start = gr.Button(t("train.start"), variant="primary", elem_id="train-start")
        with gr.Accordion(t("train.same.title"), open=False):
            self._command = gr.Textbox(
                label=t("train.command"), buttons=["copy"], lines=3, elem_classes="ft-mono", interactive=False,
                elem_id="train-command",
            )  # fmt: skip
            self._yaml = gr.Code(
                label="YAML", language="yaml", interactive=False, max_lines=30, elem_id="train-yaml"
            )
            self._own.lay_out_save()

    def _wire(self) -> None:
        chosen: list[Any] = [self._split, self._recipe, *self._fields]
        shown: list[Any] = [self._mistakes, self._card, self._command, self._yaml]
        taken: list[Any] = [self._own.deleting.button, self._own.deleting.question]
        arrived = gr.on(
            fn=handler(self._arrive),
            outputs=[
                self._click,
                self._note,
                self._body,
                self._about,
                self._card,
                *chosen,
                self._from.run,
                *taken,
            ],
            api_name="train_open",
        )
        arrived.success(handler(self._look), chosen, shown, api_name="train_card")
        self._wire_sources(taken, chosen, shown)
        # Rows are counted anew for each longest row, and TRL is asked about each set of raw arguments, so those fields wait
        # until they are left. The others do not: an event that reads the fields also clears the messages at them.
        edits = [
            getattr(field, "blur" if name in _SLOW else "input")
            for name, field in zip(form.FIELDS, self._fields, strict=True)
        ]
        by_name: dict[str, Any] = dict(zip(form.FIELDS, self._fields, strict=True))
        follow(
            [by_name[name].input for name in form.DECIDING],
            handler(self._relevant),
            [by_name[name] for name in form.DECIDING],
            [by_name[name] for name in form.DEPENDENT],
            "train_relevant",
        )
        triggers = [self._split.input, self._refresh.click, *edits]
        follow(triggers, handler(self._look), chosen, shown, "train_look")
        started = self._start.click(
            handler(self._begin),
            [self._click, self._name, *chosen],
            self._where,
            api_name="train_start",
            validator=self._check,
        )
        go(started, self._where, "train_go")

    def _wire_sources(self, taken: list[Any], chosen: list[Any], shown: list[Any]) -> None:
        """What fills all fields at once: a recipe, an earlier run, a text."""
        follow(
            [self._recipe.input],
            handler(self._take_recipe),
            [self._recipe],
            [self._about, *taken, *self._fields],
            "train_recipe",
        ).success(handler(self._look), chosen, shown, api_name="train_recipe_card")
        follow(
            [self._from.run.input],
            handler(self._copy),
            [self._from.run],
            [self._note, self._recipe, self._about, *taken, *self._fields],
            "train_from_run",
        ).success(handler(self._look), chosen, shown, api_name="train_from_run_card")
        self._from.wire(
            self._fields, lambda done, name: done.success(handler(self._look), chosen, shown, api_name=name)
        )
        self._own.wire(self._recipe, self._fields)

    def _arrive(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        splits = self._workspace.splits.all()
        if not splits:
            return [gr.skip(), form.no_split(lang), *[gr.skip()] * (8 + len(form.FIELDS))]
        names = {one.id: one.name for one in self._workspace.data.all()}
        choices = [(form.split_choice(one, names.get(one.dataset, one.name), lang), one.id) for one in splits]
        split, copied = asked(request, "split") or splits[0].id, asked(request, "copy")
        recipe, note, spec = DEFAULT_RECIPE, Markup(), None
        if copied:
            view, spec, recipe = self._workspace.training.copied(copied)
            note = html.notice("info", say("train.copied", lang, run=view.run.name))
        elif asked(request, "recipe"):
            recipe, spec, note = self._begun_with(request, split, lang)
        about, delete, confirm, *fields = self._settings(recipe, spec, lang)
        return [
            uuid.uuid4().hex,
            note,
            gr.Row(visible=True),
            about,
            html.waiting(say("train.card.counting", lang)),
            gr.Dropdown(choices=choices, value=split),
            gr.Dropdown(choices=self._own.choices(lang), value=recipe),
            *fields,
            gr.Dropdown(choices=self._from.choices(), value=copied or None),
            delete,
            confirm,
        ]

    def _begun_with(self, request: gr.Request, split: str, lang: str) -> tuple[str, RunSpec, Markup]:
        """What the address asks for: the recipe, its settings for this split, and a sentence on what is trained further."""
        following = NextTraining(
            split=split,
            recipe=asked(request, "recipe"),
            model=asked(request, "model"),
            start_from_run=asked(request, "start_from_run"),
        )
        spec = self._workspace.loop.begun_with(following)
        if not following.start_from_run:
            return following.recipe, spec, html.notice("info", say("train.begun", lang))
        run = self._workspace.training.get(following.start_from_run).run.name
        return following.recipe, spec, html.notice("info", say("train.begun_on", lang, run=run))

    def _field_updates(self, spec: RunSpec) -> list[Any]:
        values = form.show(spec)
        models = {one.id: one.name for one in self._workspace.models.all()}
        models.setdefault(spec.model_name_or_path, spec.model_name_or_path)
        place = form.FIELDS.index(form.MODEL)
        values[place] = gr.Dropdown(
            choices=[(name, id_) for id_, name in models.items()], value=values[place]
        )
        for name, update in zip(form.DEPENDENT, form.visible(spec.model_dump()), strict=True):
            values[form.FIELDS.index(name)] = {**update, "value": form.shown_value(spec, name)}
        return values

    def _relevant(self, *values: Any) -> list[Any]:
        return form.visible(dict(zip(form.DECIDING, values, strict=True)))

    def _settings(self, name: str, spec: RunSpec | None, lang: str) -> list[Any]:
        """What a recipe is for, whether it can be deleted, and the fields, with its own settings where ``spec`` is None."""
        recipe = self._workspace.training.recipe(name)
        return [_about(recipe, lang), *self._own.deletable(name), *self._field_updates(spec or recipe.spec)]

    def _take_recipe(self, request: gr.Request, name: str) -> list[Any]:
        return self._settings(name, None, language(request))

    def _copy(self, request: gr.Request, run: str | None) -> list[Any]:
        lang = language(request)
        if not run:
            return [gr.skip()] * (5 + len(form.FIELDS))
        view, spec, recipe = self._workspace.training.copied(run)
        note = html.notice("info", say("train.copied", lang, run=view.run.name))
        return [note, gr.update(value=recipe), *self._settings(recipe, spec, lang)]

    def _look(self, request: gr.Request, split: str | None, recipe: str, *values: Any) -> list[Any]:
        if not split:
            return [gr.skip()] * 4
        lang = language(request)
        options = form.read(values)
        mistakes = form.mistakes(options, lang)
        if mistakes:
            return [_mistakes(mistakes, lang), "", "", ""]
        spec = RunSpec.parse(options)
        command = form.command(recipe, spec, self._workspace.training.recipe(recipe).spec, split)
        try:
            card = views.run_card(self._workspace.training.card(spec, split), lang) + _search(
                split, recipe, lang
            )
        except FtkitError as error:
            card = _refusal(error, lang)
        return ["", card, command, self._workspace.training.yaml(spec)]

    def _check(self, click: str, name: str, split: str, recipe: str, *values: Any) -> list[dict[str, Any]]:
        """Runs before ``_begin``: the messages stand at the fields."""
        lang = form.reader()
        fine = [gr.validate(True, "")] * 4
        return [*fine, *form.verdicts(form.read(values), lang)]

    def _begin(self, click: str, name: str, split: str, recipe: str, *values: Any) -> str:
        spec = RunSpec.parse(form.read(values))
        run = self._workspace.training.start(spec, split, recipe, name.strip() or None, request=click or None)
        return html.url("runs", run=run.id)


def _about(recipe: Recipe, lang: str) -> Markup:
    """What a recipe is for; a recipe of one's own says it in its own words."""
    return html.paragraph(catalogue(lang).get(f"train.about.{recipe.name}", recipe.description))


def _search(split: str, recipe: str, lang: str) -> Markup:
    """The way to a sweep over the same data and recipe."""
    return html.actions(
        html.link(html.url("sweeps", split=split, recipe=recipe), say("train.to_sweeps", lang))
    )


def _refusal(error: FtkitError, lang: str) -> Markup:
    """Why there is no card, and the way on where a page mends it."""
    sentence = html.notice("bad", say_error(error, lang))
    if error.key != "training.no_model":
        return sentence
    return sentence + html.actions(html.link("/model", say("train.to_model", lang), primary=True))


def _mistakes(mistakes: dict[str, str], lang: str) -> str:
    lines = [f"{say(f'spec.{name}.label', lang)}: {text}" for name, text in mistakes.items()]
    return html.notice("bad", html.join(html.paragraph(line) for line in lines))
