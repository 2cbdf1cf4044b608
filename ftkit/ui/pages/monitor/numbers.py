"""How often the served model is asked and how it does: a period, a version, and what can be counted of them.

Takes the workspace, gives components. What is shown grows by itself.
"""

from datetime import timedelta
from typing import Any

import gradio as gr

from ftkit.monitoring.traffic.service import Which
from ftkit.ui import html
from ftkit.ui.i18n import say, t
from ftkit.ui.monitoring import requests, traffic
from ftkit.ui.pages.monitor.part import PERIODS, Look
from ftkit.ui.parts import section
from ftkit.workspace import Workspace

_NEWEST = 20


class NumbersPart:
    """Its components, and what they show."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(elem_classes="ft-card", elem_id="monitor-numbers-card"):
            section("monitor.numbers")
            with gr.Row(elem_classes="ft-fields"):
                self.period = gr.Radio(
                    [(t(f"monitor.period.{name}"), name) for name in PERIODS],
                    value="day",
                    label=t("monitor.period.label"),
                    elem_id="monitor-period",
                )
                # Gradio checks a choice against those of the start: any value passes here, and one that is unknown has no requests.
                self.version = gr.Dropdown(
                    [(t("monitor.version.all"), "")],
                    value="",
                    allow_custom_value=True,
                    label=t("monitor.version.label"),
                    elem_id="monitor-version",
                )
            self._numbers = gr.HTML(elem_id="monitor-numbers")
            self._recent = gr.HTML(elem_id="monitor-recent")
        self.shown: list[Any] = [self._numbers, self._recent]

    def updates(self, look: Look) -> list[Any]:
        """Figures of the period, and its newest requests."""
        since = look.at - timedelta(hours=PERIODS[look.period])
        found = self._workspace.traffic.summary(since, look.version or None)
        lost = traffic.losses(self._workspace.traffic.lost(), look.lang)
        if not found.requests:
            return [lost + traffic.shown(found, look.lang), ""]
        newest = self._workspace.traffic.rows(Which(since=since, version=look.version or None), limit=_NEWEST)
        table = requests.table(newest, look.labels, look.lang)
        recent = html.details(say("monitor.recent.title", look.lang), table)
        return [lost + traffic.shown(found, look.lang), recent]
