"""All models that were served beside each other, and how often the live one is measured again.

Takes the workspace, gives components.
"""

from typing import Any

import gradio as gr

from ftkit.ui.border import handler
from ftkit.ui.i18n import t
from ftkit.ui.monitoring import generations
from ftkit.ui.pages.monitor.part import Look
from ftkit.ui.parts import note, section
from ftkit.workspace import Workspace


class GenerationsPart:
    """Its components, and what they show."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(elem_classes="ft-card", elem_id="monitor-generations-card"):
            section("monitor.generations")
            self._table = gr.HTML(elem_id="monitor-generations")
            self._next = gr.HTML(elem_id="monitor-again-next")
            with gr.Accordion(t("monitor.reevaluation.title"), open=False, elem_id="monitor-again"):
                self._days = gr.Number(
                    label=t("monitor.reevaluation.label"), info=t("monitor.reevaluation.help"), precision=0,
                    minimum=0, elem_id="monitor-again-days",
                )  # fmt: skip
                with gr.Row(elem_classes="ft-actions"):
                    self._save = gr.Button(
                        t("monitor.settings.save"), elem_id="monitor-again-save", min_width=120
                    )
        self.shown: list[Any] = [self._table, self._next]

    def updates(self, look: Look) -> list[Any]:
        """The table, and when the live one is measured next."""
        found = generations.table(self._workspace.generations(), look.lang)
        return [found, generations.again(self._workspace.reevaluation.state(), look.lang)]

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        gr.on(fn=handler(self._open), outputs=self._days, api_name="monitor_again", show_progress="hidden")
        return [
            (
                self._save.click(handler(self._choose), self._days, None, api_name="monitor_again_save"),
                "again",
            )
        ]

    def _open(self) -> int:
        return self._workspace.reevaluation.state().every_days

    def _choose(self, request: gr.Request, days: float | None) -> None:
        self._workspace.reevaluation.choose(int(days or 0))
        note(request, "monitor.settings.saved")
