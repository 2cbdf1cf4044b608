"""What of the traffic is kept and for how long, and which other program is told of alerts.

Takes the workspace, gives components. Texts are kept only after a person has said so here.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.monitoring.traffic.kept import TrafficSettings
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, t
from ftkit.ui.pages.monitor.limits import checked
from ftkit.ui.parts import note, section
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
        kept = self._save.click(handler(self._keep), [self._texts, self._days], None, api_name="monitor_keep")
        self._choose.click(
            handler(self._choose_webhook), self._address, [self._address, self._told],
            api_name="monitor_webhook", show_progress_on=self._told,
        )  # fmt: skip
        self._try.click(
            handler(self._try_webhook),
            None,
            self._told,
            api_name="monitor_webhook_try",
            show_progress_on=self._told,
        )
        return [(kept, "keep")]

    def _open(self) -> list[Any]:
        settings = self._workspace.traffic.settings()
        chosen = self._workspace.alerts.webhook()
        return [settings.keep_texts, settings.days, chosen.url if chosen else ""]

    def _keep(self, request: gr.Request, texts: bool, days: float | None) -> None:
        lang = language(request)
        self._workspace.traffic.choose(checked(TrafficSettings, {"keep_texts": texts, "days": days}, lang))
        note(request, "monitor.settings.saved")

    def _choose_webhook(self, request: gr.Request, address: str | None) -> tuple[str, Markup]:
        """A new address gets a new secret, which is shown in the answer to this click only."""
        lang, former = language(request), self._workspace.alerts.webhook()
        chosen = self._workspace.alerts.choose_webhook(address or "")
        if chosen is None:
            return "", html.notice("info", say("monitor.settings.webhook.none", lang))
        if former is not None and former.secret == chosen.secret:
            return chosen.url, html.notice("good", say("monitor.settings.saved", lang))
        before, _, after = say("monitor.settings.webhook.secret", lang, secret="{secret}").partition(  # noqa: S106 - a place, no secret
            "{secret}"
        )
        told = Markup("{}<code>{}</code>{}").format(before, chosen.secret, after)
        return chosen.url, html.notice("good", told)

    def _try_webhook(self, request: gr.Request) -> Markup:
        lang = language(request)
        try:
            self._workspace.alerts.try_webhook()
        except FtkitError as error:
            return html.notice(
                "bad", say("monitor.settings.webhook.refused", lang, reason=say_error(error, lang))
            )
        return html.notice("good", say("monitor.settings.webhook.tried", lang))
