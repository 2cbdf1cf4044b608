"""The sweeps page: choose what to vary and start, or follow one sweep and see what it found.

``?sweep=`` chooses the sweep; without it the form stands there, ``?split=``, ``?recipe=`` and ``?copy=`` (an earlier run) filling it. What is
shown comes from files that the worker writes, so closing the page changes nothing.
"""

import uuid
from collections.abc import Callable
from typing import Any

import gradio as gr

from ftkit.errors import BadInput, FtkitError
from ftkit.training.checks.lines import parse_yaml
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.space import write_value
from ftkit.training.sweeps.trials import METRICS, SAMPLERS, Plan
from ftkit.ui import form, html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, t
from ftkit.ui.pages.sweeps import varied, words
from ftkit.ui.pages.sweeps import views as sweep_views
from ftkit.ui.pages.sweeps.follow import Followed
from ftkit.ui.pages.sweeps.varied import MOST, Varied
from ftkit.ui.parts import asked, destination, follow, go, page_heading, section
from ftkit.workspace import Workspace

# The fields of the form before the varied options, in the order of the handlers.
_PLAN = ("trials", "metric", "sampler", "prune", "seed")
_FIRST = "learning_rate"


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("sweeps")
    _Page(workspace)


class _Page:
    """Components of the form and what happens on them; one sweep is shown by ``Followed``."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        # Of one visit of the page: a second click on Start finds the sweep that the first one made.
        self._click = gr.State("")
        self._note = gr.HTML()
        with gr.Row(elem_classes="ft-columns", visible=False) as self._body:
            with gr.Column(scale=3, min_width=320):
                with gr.Column(elem_classes="ft-card"):
                    self._lay_out_base()
                with gr.Column(elem_classes="ft-card"):
                    self._lay_out_space()
            with gr.Column(scale=2, min_width=320), gr.Column(elem_classes="ft-card ft-sticky"):
                self._lay_out_plan()
        Followed(workspace)
        self._wire()

    def _lay_out_base(self) -> None:
        section("sweeps.base")
        with gr.Row(elem_classes="ft-fields"):
            self._split = gr.Dropdown(
                allow_custom_value=True, label=t("sweeps.split.label"), info=t("sweeps.split.help"), elem_id="sweep-split",
            )  # fmt: skip
            self._recipe = gr.Dropdown(
                allow_custom_value=True, label=t("sweeps.recipe.label"), info=t("sweeps.recipe.help"), elem_id="sweep-recipe",
            )  # fmt: skip
        with gr.Accordion(t("sweeps.further"), open=False):
            self._further = gr.Textbox(
                label=t("sweeps.further.label"), info=t("sweeps.further.help"), lines=3, elem_classes="ft-mono",
                placeholder="max_steps: 50\neval_steps: 10", elem_id="sweep-further",
            )  # fmt: skip

    def _lay_out_space(self) -> None:
        section("sweeps.space")
        self._varied = Varied()
        with gr.Row(elem_classes="ft-save"):
            self._choice = gr.Dropdown(
                choices=[], label=t("sweeps.add.label"), elem_id="sweep-choice", interactive=True
            )
            self._add = gr.Button(t("sweeps.add"), elem_id="sweep-add", min_width=120)

    def _lay_out_plan(self) -> None:
        section("sweeps.plan")
        with gr.Row(elem_classes="ft-fields ft-numbers"):
            self._trials = gr.Number(10, precision=0, label=t("sweeps.trials.label"), elem_id="sweep-trials")
            self._seed = gr.Number(42, precision=0, label=t("sweeps.seed.label"), elem_id="sweep-seed")
        self._metric = gr.Dropdown(
            choices=[(t(f"sweeps.metric.{key}"), key) for key in METRICS], value="eval_loss", label=t("sweeps.metric.label"),
            info=t("sweeps.metric.help"), elem_id="sweep-metric", allow_custom_value=True,
        )  # fmt: skip
        self._sampler = gr.Dropdown(
            choices=[(t(f"sweeps.sampler.{key}"), key) for key in SAMPLERS], value="tpe", label=t("sweeps.sampler.label"),
            info=t("sweeps.sampler.help"), elem_id="sweep-sampler",
        )  # fmt: skip
        self._prune = gr.Checkbox(
            False, label=t("sweeps.prune.label"), info=t("sweeps.prune.help"), elem_id="sweep-prune"
        )
        self._cost = gr.HTML(elem_id="sweep-cost")
        self._name = gr.Textbox(
            label=t("sweeps.name.label"), info=t("train.name.help"), max_lines=1, elem_id="sweep-name"
        )
        self._start = gr.Button(t("sweeps.start"), variant="primary", elem_id="sweep-start")

    @property
    def _asked_for(self) -> list[Any]:
        """Everything that makes a plan, in the order of ``_read``."""
        plan = [getattr(self, f"_{name}") for name in _PLAN]
        return [self._split, self._recipe, self._further, *plan, *self._varied.read_from]

    def _wire(self) -> None:
        base = [self._recipe, self._further]
        arrived = gr.on(
            fn=handler(self._arrive),
            outputs=[
                self._click, self._note, self._body, self._split, self._recipe, self._further, self._choice,
                *self._varied.everything,
            ],
            api_name="sweeps_open",
            show_progress="hidden",
        )  # fmt: skip
        look = handler(self._look)
        arrived.success(look, self._asked_for, self._cost, api_name="sweeps_cost", show_progress="hidden")
        added = self._add.click(
            handler(self._fill),
            [self._choice, *base, self._varied.names],
            [self._choice, *self._varied.everything],
            api_name="sweeps_add",
        )
        added.success(look, self._asked_for, self._cost, api_name="sweeps_add_cost", show_progress="hidden")
        self._wire_rows(base, look)
        follow(
            [self._recipe.input, self._further.blur],
            handler(self._offer),
            [*base, self._varied.names],
            [self._choice],
            "sweeps_offer",
            quiet=True,
        )
        edits = [
            self._further.blur if part is self._further else part.input
            for part in self._asked_for
            if part is not self._varied.names
        ]
        follow(edits, look, self._asked_for, [self._cost], "sweeps_look", quiet=True)
        started = self._start.click(
            handler(self._begin),
            [self._click, self._name, *self._asked_for],
            self._where,
            api_name="sweeps_start",
            validator=self._check,
        )
        go(started, self._where, "sweeps_go")

    def _wire_rows(self, base: list[Any], look: Callable[..., Any]) -> None:
        for place, remover in enumerate(self._varied.removers):
            removed = remover.click(
                handler(self._emptier(place)),
                [*base, self._varied.names],
                [self._choice, self._varied.names, self._varied.rows[place]],
                api_name=f"sweeps_remove_{place}",
            )
            removed.success(
                look,
                self._asked_for,
                self._cost,
                api_name=f"sweeps_remove_{place}_cost",
                show_progress="hidden",
            )
        for place in range(MOST):
            how, *ends = self._varied.parts[place * 4 : place * 4 + 4]
            how.input(
                handler(varied.shown_for), how, ends, api_name=f"sweeps_how_{place}", show_progress="hidden"
            )

    def _arrive(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        splits = self._workspace.splits.all()
        nothing = [gr.skip()] * (4 + len(self._varied.everything))
        if asked(request, "sweep"):
            return ["", "", gr.Row(visible=False), *nothing]
        if not splits:
            return ["", form.no_split(lang), gr.Row(visible=False), *nothing]
        names = {one.id: one.name for one in self._workspace.data.all()}
        choices = [(form.split_choice(one, names.get(one.dataset, one.name), lang), one.id) for one in splits]
        recipes = [one.name for one in self._workspace.training.recipes()]
        recipe, further, note = asked(request, "recipe") or recipes[0], "", ""
        if copied := asked(request, "copy"):
            view, _, recipe = self._workspace.training.copied(copied)
            base = self._workspace.training.recipe(recipe).spec.model_dump()
            note = html.notice("info", say("train.copied", lang, run=view.run.name))
            further = "\n".join(
                f"{key}: {write_value(value)}"
                for key, value in view.run.spec.items()
                if base.get(key) != value
            )
        spec = self._spec(recipe, further)
        filled = varied.filled(varied.FREE, _FIRST, spec, lang)
        return [
            uuid.uuid4().hex,
            note,
            gr.Row(visible=True),
            gr.Dropdown(choices=choices, value=asked(request, "split") or splits[0].id),
            gr.Dropdown(choices=recipes, value=recipe),
            further,
            gr.Dropdown(choices=varied.choices(filled[0], spec, lang), value=None),
            *filled,
        ]

    def _spec(self, recipe: str, further: str) -> RunSpec:
        """The options that every trial begins from.

        Raises:
            BadInput: the further settings are not YAML, or no options.
        """
        base = self._workspace.training.recipe(recipe).spec
        return RunSpec.parse({**base.model_dump(), **(parse_yaml(further) if further.strip() else {})})

    def _fill(
        self, request: gr.Request, choice: str | None, recipe: str, further: str, names: str
    ) -> list[Any]:
        lang, spec = language(request), self._spec(recipe, further)
        filled = varied.filled(names, choice or "", spec, lang)
        return [gr.Dropdown(choices=varied.choices(filled[0], spec, lang), value=None), *filled]

    def _emptier(self, place: int) -> Callable[..., list[Any]]:
        """A handler that takes the option of one row out."""

        def empty(request: gr.Request, recipe: str, further: str, names: str) -> list[Any]:
            left, row = varied.emptied(names, place)
            return [self._offer(request, recipe, further, left), left, row]

        return empty

    def _offer(self, request: gr.Request, recipe: str, further: str, names: str) -> gr.Dropdown:
        return gr.Dropdown(
            choices=varied.choices(names, self._spec(recipe, further), language(request)), value=None
        )

    def _read(self, *values: Any) -> tuple[str, str, RunSpec, Plan]:
        """Split, recipe, base options and plan from ``_asked_for``."""
        split, recipe, further, *rest = values
        trials, metric, sampler, prune, seed = rest[: len(_PLAN)]
        names, *parts = rest[len(_PLAN) :]
        plan = Plan(
            space=varied.written(names, parts),
            trials=int(trials or 0),
            metric=metric or "",
            sampler=sampler or "",
            prune=bool(prune),
            seed=-1 if seed is None else int(seed),
        )
        return split, recipe, self._spec(recipe, further or ""), plan

    def _look(self, request: gr.Request, *values: Any) -> str:
        """What the search will take, or everything that is wrong with it."""
        if not values[0]:
            return ""
        lang = language(request)
        try:
            split, _, spec, plan = self._read(*values)
            if found := self._workspace.sweeps.mistakes(plan, spec, split):
                return sweep_views.mistakes(found, spec, lang)
            return sweep_views.cost(self._workspace.sweeps.card(spec, split), plan.trials, lang)
        except FtkitError as error:
            return html.notice("bad", say_error(error, lang))

    def _check(self, click: str, name: str, *values: Any) -> list[dict[str, Any]]:
        """Runs before ``_begin``: the messages stand at the fields."""
        lang, (split, _, _, *rest) = form.reader(), values
        fine, names, parts = gr.validate(True, ""), rest[len(_PLAN)], rest[len(_PLAN) + 1 :]
        base, said = [fine, fine, fine, fine, fine], {}
        try:
            _, _, spec, plan = self._read(*values)
            found = self._workspace.sweeps.mistakes(plan, spec, split)
            said = {field: words.mistake(field, error, spec, lang) for field, error in found.items()}
        except BadInput as error:
            base[4] = gr.validate(False, say_error(error, lang))
        return [
            *base,
            *(gr.validate(field not in said, said.get(field, "")) for field in _PLAN),
            *varied.verdicts(names, parts, said),
        ]

    def _begin(self, click: str, name: str, *values: Any) -> str:
        split, recipe, spec, plan = self._read(*values)
        made = self._workspace.sweeps.start(
            spec, split, recipe, plan, name.strip() or None, request=click or None
        )
        return html.url("sweeps", sweep=made.id)
