"""From requests to the next dataset, and from that dataset to the next run.

Takes the workspace, gives components. A look shows which requests fit; a click makes one dataset, another opens the train page, filled in.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.monitoring.harvest.wishes import REASONS, HarvestWishes
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, t
from ftkit.ui.monitoring import harvest
from ftkit.ui.pages.monitor.limits import checked
from ftkit.ui.pages.monitor.part import Look
from ftkit.ui.parts import go, section
from ftkit.ui.ratings.addresses import to_training
from ftkit.workspace import Workspace

_LIMIT = 100
_FEEDBACK = frozenset({"down", "up", "corrected"})
_USUAL = ["corrected", "down", "drift"]
# harvest → corrected by hand → cleaned → …
_FURTHEST = 5


class HarvestPart:
    """Its components, and what happens on them.

    Args:
        workspace: of the page.
        where: the field for the address to go to; it stands outside of what the page shows and hides.
    """

    def __init__(self, workspace: Workspace, where: gr.Textbox) -> None:
        self._workspace, self._where = workspace, where
        with gr.Column(elem_classes="ft-card", elem_id="monitor-harvest-card"):
            section("monitor.harvest")
            self._lay_out_wishes()
            self._found = gr.HTML(elem_id="monitor-harvest")
            with gr.Column(visible=False) as self._next:
                self._past = gr.HTML(elem_id="monitor-harvests")
                # Gradio checks a choice against those of the start: any value passes here, and the service knows the ids.
                self._dataset = gr.Dropdown(
                    allow_custom_value=True, label=t("monitor.harvest.dataset.label"),
                    info=t("monitor.harvest.dataset.help"), elem_id="monitor-harvest-dataset",
                )  # fmt: skip
                with gr.Row(elem_classes="ft-actions"):
                    self._train = gr.Button(
                        t("monitor.harvest.train"),
                        variant="primary",
                        elem_id="monitor-harvest-train",
                        min_width=180,
                    )
        self.shown: list[Any] = [self._next, self._past, self._dataset]

    def _lay_out_wishes(self) -> None:
        self._why = gr.CheckboxGroup(
            [(t(f"monitor.why.{reason}"), reason) for reason in REASONS], value=_USUAL,
            label=t("monitor.harvest.what"), elem_id="monitor-harvest-why",
        )  # fmt: skip
        with gr.Row(elem_classes="ft-fields"):
            self._limit = gr.Number(
                _LIMIT, precision=0, label=t("monitor.harvest.limit"), elem_id="monitor-harvest-limit"
            )
            self._name = gr.Textbox(
                label=t("monitor.harvest.name"), max_lines=1, max_length=200, elem_id="monitor-harvest-name"
            )
        self._diverse = gr.Checkbox(label=t("monitor.harvest.diverse"), elem_id="monitor-harvest-diverse")
        self._skip = gr.Checkbox(True, label=t("monitor.harvest.skip"), elem_id="monitor-harvest-skip")
        with gr.Row(elem_classes="ft-actions"):
            self._look = gr.Button(t("monitor.harvest.look"), elem_id="monitor-harvest-look", min_width=140)
            self._make = gr.Button(
                t("monitor.harvest.make"), variant="primary", elem_id="monitor-harvest-make", min_width=160
            )

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        wishes = [self._why, self._limit, self._diverse, self._skip]
        self._look.click(
            handler(self._show), wishes, self._found, api_name="monitor_harvest_look",
            show_progress_on=self._found,
        )  # fmt: skip
        made = self._make.click(
            handler(self._harvest), [self._name, *wishes], [self._name, self._found], api_name="monitor_harvest",
            show_progress_on=self._found,
        )  # fmt: skip
        trained = self._train.click(
            handler(self._continue), self._dataset, self._where, api_name="monitor_harvest_train"
        )
        go(trained, self._where, "monitor_harvest_go")
        return [(made, "harvest")]

    def updates(self, look: Look) -> list[Any]:
        """What was harvested before, and what can be trained on now."""
        found = self._workspace.harvests.all()
        if not found:
            return [gr.update(visible=False), "", gr.skip()]
        names = {one.id: one.name for one in self._workspace.data.all()}
        line = self._line([one.dataset for one in found if one.dataset in names], names)
        choices = [(f"{names[id_]} · {id_}", id_) for id_ in line]
        newest = line[0] if line else None
        return [
            gr.update(visible=True),
            harvest.past(found, names, look.lang),
            gr.update(choices=choices, value=newest),
        ]

    def _line(self, harvests: list[str], names: dict[str, str]) -> list[str]:
        """Harvests with the datasets that were made of them, what was made last of each first."""
        found: list[str] = []
        for first in harvests:
            level, own = [first], [first]
            for _ in range(_FURTHEST):
                children = (child for id_ in level for _, child in self._workspace.artefacts.children(id_))
                level = [child for child in dict.fromkeys(children) if child in names and child not in own]
                own = [*level, *own]
            found += own
        return list(dict.fromkeys(found))

    def _wishes(self, lang: str, *wishes: Any) -> HarvestWishes:
        why, limit, diverse, skip = wishes
        wanted: dict[str, Any] = {
            "feedback": tuple(reason for reason in why if reason in _FEEDBACK),
            **{reason: reason in why for reason in REASONS if reason not in _FEEDBACK},
            "limit": limit,
            "diverse": diverse,
            "skip_harvested": skip,
        }
        return checked(HarvestWishes, wanted, lang)

    def _show(self, request: gr.Request, *wishes: Any) -> Markup:
        lang = language(request)
        return harvest.told(self._workspace.harvests.candidates(self._wishes(lang, *wishes)), lang)

    def _harvest(self, request: gr.Request, name: str | None, *wishes: Any) -> tuple[str, Markup]:
        lang = language(request)
        made = self._workspace.harvest(self._wishes(lang, *wishes), (name or "").strip())
        return "", harvest.made(made, lang)

    def _continue(self, dataset: str | None) -> str:
        return to_training(self._workspace.next_run(dataset or ""))
