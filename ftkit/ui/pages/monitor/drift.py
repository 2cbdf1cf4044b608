"""Whether people still ask what the model has learned: the last check in sentences, earlier ones, and how strict a check is.

Takes the workspace, gives components. A click starts one check; others start by themselves.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.monitoring.drift.schedule import DriftCheck, DriftSettings
from ftkit.monitoring.traffic.service import Which
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, t
from ftkit.ui.monitoring import checks, drift
from ftkit.ui.monitoring.requests import prompt
from ftkit.ui.pages.monitor.limits import checked
from ftkit.ui.pages.monitor.part import Look
from ftkit.ui.parts import note, section
from ftkit.workspace import Workspace

_PAST = 10


class DriftPart:
    """Its components, and what they show."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(elem_classes="ft-card", elem_id="monitor-drift-card"):
            section("monitor.drift")
            self._standing = gr.HTML(elem_id="monitor-drift-standing")
            self._found = gr.HTML(elem_id="monitor-drift")
            with gr.Row(elem_classes="ft-actions"):
                self._check = gr.Button(
                    t("monitor.drift.check"), elem_id="monitor-drift-check", min_width=140
                )
            self._past = gr.HTML(elem_id="monitor-drift-past")
            with gr.Accordion(t("monitor.drift.settings"), open=False, elem_id="monitor-drift-settings"):
                self._fields = self._lay_out_settings()
                with gr.Row(elem_classes="ft-actions"):
                    self._save = gr.Button(
                        t("monitor.settings.save"), elem_id="monitor-drift-save", min_width=120
                    )
        self.shown: list[Any] = [self._standing, self._found, self._check, self._past]

    def _lay_out_settings(self) -> list[Any]:
        automatic = gr.Checkbox(label=t("monitor.drift.automatic.label"), elem_id="monitor-drift-automatic")
        with gr.Row(elem_classes="ft-fields"):
            window = gr.Number(
                label=t("monitor.drift.window.label"), info=t("monitor.drift.window.help"), precision=0,
                elem_id="monitor-drift-window",
            )  # fmt: skip
            requests = gr.Number(
                label=t("monitor.drift.every_requests.label"), precision=0, elem_id="monitor-drift-requests"
            )
            minutes = gr.Number(
                label=t("monitor.drift.every_minutes.label"), precision=0, elem_id="monitor-drift-minutes"
            )
            alarms = gr.Number(
                label=t("monitor.drift.alpha.label"), info=t("monitor.drift.alpha.help"), precision=1,
                elem_id="monitor-drift-alpha",
            )  # fmt: skip
        return [automatic, window, requests, minutes, alarms]

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        gr.on(
            fn=handler(self._open),
            outputs=self._fields,
            api_name="monitor_drift_settings",
            show_progress="hidden",
        )
        saved = self._save.click(handler(self._choose), self._fields, None, api_name="monitor_drift_save")
        started = self._check.click(handler(self._start), None, None, api_name="monitor_drift")
        return [(started, "drift"), (saved, "drift_save")]

    def updates(self, look: Look) -> list[Any]:
        """When was checked, what the last check found, and what those before it did."""
        service, version = self._workspace.drift, look.version or None
        every = service.checks(version)
        keeps = self._workspace.traffic.settings().keep_texts
        standing = checks.standing(service.standing(version), keeps, look.lang)
        busy = next((one for one in every if one.outcome == "checking"), None)
        ended = [one for one in every if one.outcome != "checking"]
        found = self._said(ended[0], look.lang) if ended else Markup("")
        doing = checks.doing(service.state(busy.id), look.lang) if busy else Markup("")
        past = checks.past(ended[1 : 1 + _PAST], look.labels, look.lang)
        return [standing, doing + found, gr.update(interactive=busy is None), past]

    def _said(self, check: DriftCheck, lang: str) -> Markup:
        if check.outcome == "failed":
            return checks.failed(check, lang)
        return drift.shown(check.report, self._texts(drift.examples_of(check.report)), lang)

    def _texts(self, ids: list[str]) -> dict[str, str]:
        if not ids:
            return {}
        found = self._workspace.traffic.rows(Which(ids=ids), limit=len(ids))
        return {one.id: prompt(one) or "" for one in found}

    def _open(self) -> list[Any]:
        now = self._workspace.drift.settings()
        return [now.automatic, now.window, now.every_requests, now.every_minutes, 100 * now.alpha]

    def _choose(
        self,
        request: gr.Request,
        automatic: bool,
        window: float,
        requests: float,
        minutes: float,
        percent: float,
    ) -> None:
        wanted = {
            "automatic": automatic, "window": window, "every_requests": requests, "every_minutes": minutes,
            "alpha": (percent or 0) / 100,
        }  # fmt: skip
        self._workspace.drift.choose(checked(DriftSettings, wanted, language(request)))
        note(request, "monitor.settings.saved")

    def _start(self) -> None:
        self._workspace.drift.start_check()
