"""What the owner has to know: alerts that nobody has seen, those that were, and when the traffic is worth one.

Takes the workspace, gives components. A click says that all were seen.
"""

from typing import Any

import gradio as gr

from ftkit.monitoring.alerts.alert import AlertRules
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, t
from ftkit.ui.monitoring import alerts
from ftkit.ui.pages.monitor.limits import checked
from ftkit.ui.pages.monitor.part import Look
from ftkit.ui.parts import note, section
from ftkit.workspace import Workspace

_PAST = 30


class AlertsPart:
    """Its components, and what they show."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(elem_classes="ft-card", elem_id="monitor-alerts-card"):
            section("monitor.alerts")
            self._open = gr.HTML(elem_id="monitor-alerts")
            with gr.Row(elem_classes="ft-actions"):
                self._seen = gr.Button(
                    t("monitor.alerts.seen"), visible=False, elem_id="monitor-alerts-seen", min_width=160
                )
            self._past = gr.HTML(elem_id="monitor-alerts-past")
            with gr.Accordion(t("monitor.alerts.rules"), open=False, elem_id="monitor-rules"):
                self._fields = self._lay_out_rules()
                with gr.Row(elem_classes="ft-actions"):
                    self._save = gr.Button(
                        t("monitor.settings.save"), elem_id="monitor-rules-save", min_width=120
                    )
        self.shown: list[Any] = [self._open, self._seen, self._past]

    def _lay_out_rules(self) -> list[Any]:
        with gr.Row(elem_classes="ft-fields"):
            return [
                gr.Number(
                    label=t(f"monitor.rules.{name}.label"), info=t(f"monitor.rules.{name}.help"), minimum=0,
                    elem_id=f"monitor-rules-{name}",
                )
                for name in ("errors", "seconds", "down", "hours", "least")
            ]  # fmt: skip

    def updates(self, look: Look) -> list[Any]:
        """Open alerts first, then those that were seen."""
        found = self._workspace.alerts.all()
        unseen = [one for one in found if one.seen_at is None]
        seen = [one for one in found if one.seen_at is not None]
        return [
            alerts.open_ones(unseen, look.labels, look.lang),
            gr.update(visible=bool(unseen)),
            alerts.past(seen[:_PAST], look.labels, look.lang),
        ]

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        gr.on(fn=handler(self._rules), outputs=self._fields, api_name="monitor_rules", show_progress="hidden")
        seen = self._seen.click(handler(self._see), None, None, api_name="monitor_alerts_seen")
        saved = self._save.click(handler(self._choose), self._fields, None, api_name="monitor_rules_save")
        return [(seen, "alerts_seen"), (saved, "rules_save")]

    def _see(self) -> None:
        self._workspace.alerts.seen()

    def _rules(self) -> list[float]:
        """The limits as the fields have them: shares in percent, 0 for a rule that is off."""
        now = self._workspace.alerts.rules()
        return [
            100 * (now.error_share or 0), now.p95_seconds or 0, 100 * (now.down_share or 0), now.hours, now.at_least,
        ]  # fmt: skip

    def _choose(
        self, request: gr.Request, errors: float, seconds: float, down: float, *counts: float | None
    ) -> None:
        hours, least = counts
        wanted = {
            "error_share": errors / 100 if errors else None,
            "p95_seconds": seconds or None,
            "down_share": down / 100 if down else None,
            "hours": hours,
            "at_least": least,
        }
        self._workspace.alerts.choose_rules(checked(AlertRules, wanted, language(request)))
        note(request, "monitor.settings.saved")
