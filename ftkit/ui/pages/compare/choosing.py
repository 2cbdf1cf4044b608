"""Which models answer, and how: up to four choices with their strength, the system text and the sampling.

Takes the address and the workspace's sides, gives components and, from their values, sides and ``Sampling``. It asks nothing.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import gradio as gr
from markupsafe import Markup

from ftkit.ratings.comparing.service import MOST_SIDES
from ftkit.ratings.sampling import Sampling
from ftkit.ratings.sides.names import MOST_STRENGTH, Side
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, follow
from ftkit.workspace import Workspace

OFFERED_ROWS = 50
_PROMPT_SHOWN = 90
_SAMPLING = ("temperature", "top_p", "top_k", "repetition_penalty", "max_new_tokens", "seed")


class Wanted(NamedTuple):
    """What the components say."""

    sides: list[Side]
    labels: list[str]
    system: str
    sampling: Sampling


class Chooser:
    """The components that choose."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Row(elem_classes="ft-quad-fields"):
            columns = [self._column(number) for number in range(1, MOST_SIDES + 1)]
        self.names = [name for name, _ in columns]
        self._strengths = [strength for _, strength in columns]
        self.link = gr.HTML()
        with gr.Accordion(t("compare.sampling.title"), open=False):
            self._system = gr.Textbox(
                label=t("compare.system.label"), lines=1, max_lines=6, elem_id="compare-system"
            )
            self._sampling = _lay_out_sampling()

    @property
    def system(self) -> gr.Textbox:
        """The instruction to all models."""
        return self._system

    @property
    def seed(self) -> gr.Number:
        """The number that the randomness begins from."""
        return cast("gr.Number", self._sampling[-1])

    @property
    def inputs(self) -> list[Any]:
        """Everything that ``wanted`` reads, in its order."""
        return [*self.names, *self._strengths, self._system, *self._sampling]

    @property
    def outputs(self) -> list[Any]:
        """Everything that ``opened`` and ``changed`` fill, in their order."""
        return [self.link, *self.names, *self._strengths]

    def wire(self, rows: gr.Dropdown, offered: gr.State) -> None:
        """Show what belongs to another choice: strengths, the address, rows of the run's test part."""
        for number, name in enumerate(self.names, start=1):
            follow(
                [name.input],
                handler(self._changed),
                [*self.names, *self._strengths, offered],
                [self.link, *self._strengths, rows, offered],
                f"compare_choose_{number}",
                quiet=True,
            )
        for number, strength in enumerate(self._strengths, start=1):
            strength.release(
                handler(self._linked),
                [*self.names, *self._strengths],
                self.link,
                api_name=f"compare_strength_{number}",
                show_progress="hidden",
            )

    def wanted(self, values: Sequence[Any], lang: str) -> Wanted:
        """The values of ``inputs``."""
        names, strengths = values[:MOST_SIDES], values[MOST_SIDES : 2 * MOST_SIDES]
        system, *sampling = values[2 * MOST_SIDES :]
        sides = self._sides(names, strengths)
        if len(set(sides)) < len(sides):
            raise gr.Error(say("compare.side.twice", lang), print_exception=False)
        return Wanted(
            sides,
            [self.label(side, lang) for side in sides],
            str(system or "").strip(),
            Sampling.parse(dict(zip(_SAMPLING, sampling, strict=True))),
        )

    def label(self, side: Side, lang: str) -> str:
        """What a side is called on the page."""
        return say(f"compare.side.{side.kind}", lang, name=self._workspace.sides.label(side))

    def from_address(self, request: gr.Request) -> list[Side]:
        """The sides that the address asks for; without any, the newest run and its base model.

        Raises:
            FtkitError: it asks for what is not there.
        """
        if names := asked(request, "sides"):
            sides = [Side.parse(name.strip()) for name in names.split(",")[:MOST_SIDES]]
        else:
            sides = self._base_and_run(asked(request, "run"))
        for side in sides:
            self._workspace.sides.place(side)
        return sides

    def opened(self, sides: Sequence[Side], lang: str) -> list[Any]:
        """Updates of ``outputs`` for chosen sides."""
        choices = self._choices(lang)
        found = [*sides, *[None] * (MOST_SIDES - len(sides))]
        names = [gr.Dropdown(choices=choices, value="" if side is None else _bare(side)) for side in found]
        return [self._links(sides, lang), *names, *self._sliders(found)]

    def rows(self, sides: Sequence[Side], lang: str) -> tuple[gr.Dropdown, dict[str, Any]]:
        """A choice of rows of the test part of the first run among the sides, and what they hold."""
        split = self._split(sides)
        examples = self._workspace.splits.examples(split, "test", OFFERED_ROWS) if split else []
        rows: list[dict[str, Any]] = [
            {"prompt": list(one.prompt), "reference": one.reference} for one in examples
        ]
        choices = [
            (html.shorten(str(row["prompt"][-1]["content"]), _PROMPT_SHOWN), index)
            for index, row in enumerate(rows)
        ]
        own = (say("compare.row.own", lang), -1)
        return gr.Dropdown(choices=[own, *choices], value=-1), {"split": split, "rows": rows}

    def _split(self, sides: Sequence[Side]) -> str:
        run = next((self._workspace.sides.run_of(side) for side in sides if side.kind != "base"), "")
        return self._workspace.training.get(run).run.split if run else ""

    def _base_and_run(self, run: str) -> list[Side]:
        offered = self._workspace.sides.offered()
        tuned = Side(kind="run", id=run) if run else next((one for one in offered if one.kind == "run"), None)
        if tuned is None:
            return offered[:1]
        return [Side(kind="base", id=self._workspace.sides.model_of(tuned)), tuned]

    def _links(self, sides: Sequence[Side], lang: str) -> Markup:
        """Where this choice leads: to itself, and to people who rate these models."""
        if not sides:
            return Markup('<p class="ft-quiet">{}</p>').format(say("compare.side.choose", lang))
        names = ",".join(map(str, sides))
        links = [html.link_text(html.url("compare", sides=names), say("compare.side.link", lang))]
        if len(set(sides)) > 1:
            rated = html.url("ratings", sides=names, split=self._split(sides))
            links.append(html.link_text(rated, say("compare.side.rate", lang)))
        return Markup('<p class="ft-quiet">{}</p>').format(Markup(" · ").join(links))

    def _choices(self, lang: str) -> list[tuple[str, str]]:
        offered = [(self.label(side, lang), str(side)) for side in self._workspace.sides.offered()]
        names = [name for name, _ in offered]
        told = [(f"{name} ({value})" if names.count(name) > 1 else name, value) for name, value in offered]
        return [(say("compare.side.none", lang), ""), *told]

    def _sides(self, names: Sequence[str | None], strengths: Sequence[float]) -> list[Side]:
        found = []
        for name, strength in zip(names, strengths, strict=True):
            if name:
                side = Side.parse(name)
                scaled = self._scalable(side)
                found.append(side.model_copy(update={"strength": float(strength)}) if scaled else side)
        return found

    def _scalable(self, side: Side | None) -> bool:
        return side is not None and self._workspace.sides.place(side).scalable

    def _sliders(self, sides: Sequence[Side | None]) -> list[gr.Slider]:
        return [
            gr.Slider(value=1 if side is None else side.strength, visible=self._scalable(side))
            for side in sides
        ]

    def _changed(self, request: gr.Request, *values: Any) -> list[Any]:
        lang = language(request)
        *choice, offered = values
        names, strengths = choice[:MOST_SIDES], choice[MOST_SIDES:]
        sides = self._sides(names, strengths)
        at = iter(sides)
        sliders = self._sliders([next(at) if name else None for name in names])
        if self._split(sides) == offered.get("split"):
            return [self._links(sides, lang), *sliders, gr.skip(), gr.skip()]
        return [self._links(sides, lang), *sliders, *self.rows(sides, lang)]

    def _linked(self, request: gr.Request, *values: Any) -> Markup:
        sides = self._sides(values[:MOST_SIDES], values[MOST_SIDES:])
        return self._links(sides, language(request))

    @staticmethod
    def _column(number: int) -> tuple[gr.Dropdown, gr.Slider]:
        with gr.Column(min_width=200):
            name = gr.Dropdown(
                [(t("compare.side.none"), "")], value="", label=t(f"compare.model.{number}"),
                elem_id=f"compare-side-{number}",
            )  # fmt: skip
            strength = gr.Slider(
                0, MOST_STRENGTH, 1, step=0.05, label=t("compare.strength.label"),
                info=t("compare.strength.help"), visible=False, elem_id=f"compare-strength-{number}",
            )  # fmt: skip
        return name, strength


def _bare(side: Side) -> str:
    return str(side.model_copy(update={"strength": 1.0}))


def _lay_out_sampling() -> list[Any]:
    def slider(key: str, low: float, high: float, value: float, step: float) -> gr.Slider:
        return gr.Slider(
            low, high, value, step=step, label=t(f"compare.{key}.label"), info=t(f"compare.{key}.help"),
            elem_id="compare-longest" if key == "max_new_tokens" else f"compare-{key.replace('_', '-')}",
        )  # fmt: skip

    with gr.Row(elem_classes="ft-fields"):
        sliders = [
            slider("temperature", 0, 2, 0, 0.05),
            slider("top_p", 0.05, 1, 1, 0.05),
            slider("top_k", 0, 200, 0, 1),
            slider("repetition_penalty", 1, 2, 1, 0.05),
            slider("max_new_tokens", 8, 1024, 200, 8),
        ]
        seed = gr.Number(
            42,
            precision=0,
            label=t("compare.seed.label"),
            info=t("compare.seed.help"),
            elem_id="compare-seed",
        )
    return [*sliders, seed]
