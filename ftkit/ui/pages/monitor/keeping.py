"""What of the traffic is kept and for how long, and which other program is told of alerts.

Takes the workspace, gives components. Texts are kept only after a person has said so here.
"""

from typing import Any

import gradio as gr

from ftkit.errors import FtkitError
from ftkit.monitoring.traffic.kept import TrafficSettings
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, t
from ftkit.ui.pages.monitor.limits import checked
from ftkit.ui.parts import section
from ftkit.workspace import Workspace


class KeepingPart:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(elem_classes="ft-card", elem_id="monitor-keeping"):
            section("monitor.settings")
            with gr.Row(elem_classes="ft-fields"):
                self._texts = gr.Checkbox(
                    label=t("monitor.settings.texts.label"),
                    info=t("monitor.settings.texts.help"),
                    elem_id="monitor-keep-texts",
                )
                self._days = gr.Number(
                    label=t("monitor.settings.days.label"), info=t("monitor.settings.days.help"),
                    precision=0, minimum=1, elem_id="monitor-days",
                )  # fmt: skip
            with gr.Row(elem_classes="ft-actions"):
                self._save = gr.Button(t("monitor.settings.save"), elem_id="monitor-keep", min_width=120)
            self._lay_out_webhook()

    def _lay_out_webhook(self) -> None:
        with gr.Accordion(t("monitor.settings.webhook.title"), open=False, elem_id="monitor-webhook-part"):
            self._address = gr.Textbox(
                label=t("monitor.settings.webhook.label"), info=t("monitor.settings.webhook.help"),
                placeholder="https://", max_lines=1, max_length=2000, elem_id="monitor-webhook",
            )  # fmt: skip
            with gr.Row(elem_classes="ft-actions"):
                self._choose = gr.Button(
                    t("monitor.settings.save"), elem_id="monitor-webhook-save", min_width=120
                )
                self._try = gr.Button(
                    t("monitor.settings.webhook.try"), elem_id="monitor-webhook-try", min_width=140
                )
            self._told = gr.HTML(elem_id="monitor-webhook-told")

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        gr.on(
            fn=handler(self._open), outputs=[self._texts, self._days, self._address], api_name="monitor_keeping",
            show_progress="hidden",
        )  # fmt: skip
        kept = self._save.click(
            handler(self._keep), [self._texts, self._days], None, api_name="monitor_keep"
        )
        return [(kept, "keep")]

    def _open(self) -> list[Any]:
        settings = self._workspace.traffic.settings()
        return [settings.keep_texts, settings.days, ""]

    def _keep(self, request: gr.Request, texts: bool, days: float | None) -> None:
        lang = language(request)
        self._workspace.traffic.choose(checked(TrafficSettings, {"keep_texts": texts, "days": days}, lang))
        gr.Info(say("monitor.settings.saved", lang))

