"""The keys of the gateway: making one, which is shown once, and taking one back.

Takes the workspace, gives components. A key is shown in the answer to the click that made it, and nowhere else.
"""

from datetime import timedelta
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.serving.keys.service import SCOPES, USUAL_SCOPES
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import AskFirst, section
from ftkit.ui.serving import keys
from ftkit.workspace import Workspace, utc_now

_PER_MINUTE = 60


class KeysSection:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._revoking = AskFirst(
            "key-revoke", t("serve.key.revoke.sure"), t("serve.key.revoke.yes"), t("serve.key.revoke.no")
        )
        with gr.Column(elem_classes="ft-card", elem_id="keys"):
            section("serve.keys")
            self._table = gr.HTML(elem_id="keys-table")
            fields = self._lay_out_form()
            self._make = gr.Button(
                t("serve.key.make"), variant="primary", elem_id="key-make", elem_classes="ft-narrow"
            )
            self._fresh = gr.HTML(elem_id="key-fresh")
            self._lay_out_manage()
        self._wire(fields)

    def _lay_out_form(self) -> list[Any]:
        self._name = gr.Textbox(
            label=t("serve.key.name.label"), info=t("serve.key.name.help"), max_lines=1, max_length=100, elem_id="key-name"
        )  # fmt: skip
        with gr.Accordion(t("serve.key.more"), open=False, elem_id="key-more"):
            scopes = gr.CheckboxGroup(
                choices=[(t(f"serve.scope.{scope}"), scope) for scope in SCOPES], value=list(USUAL_SCOPES),
                label=t("serve.key.scopes.label"), elem_id="key-scopes",
            )  # fmt: skip
            with gr.Row(elem_classes="ft-fields"):
                minute = gr.Number(
                    _PER_MINUTE, precision=0, minimum=0, label=t("serve.key.minute.label"), info=t("serve.key.minute.help"),
                    elem_id="key-minute",
                )  # fmt: skip
                day = gr.Number(
                    0, precision=0, minimum=0, label=t("serve.key.day.label"), info=t("serve.key.day.help"),
                    elem_id="key-day",
                )  # fmt: skip
                days = gr.Number(
                    0, precision=0, minimum=0, maximum=3650, label=t("serve.key.days.label"), info=t("serve.key.days.help"),
                    elem_id="key-days",
                )  # fmt: skip
        return [self._name, scopes, minute, day, days]

    def _lay_out_manage(self) -> None:
        with gr.Accordion(
            t("serve.key.manage"), open=False, visible=False, elem_id="key-manage"
        ) as self._manage:
            # Gradio checks a choice against those of the start: any value passes here, and the service knows the ids.
            self._key = gr.Dropdown(
                allow_custom_value=True, label=t("serve.key.choose"), info=t("serve.key.choose.help"), elem_id="key"
            )  # fmt: skip
            with gr.Row(elem_classes="ft-actions"):
                self._revoking.lay_out_button(t("serve.key.revoke"), min_width=120, size="md")
            self._revoking.button.visible = True
            self._revoking.lay_out_question()

    def _wire(self, fields: list[Any]) -> None:
        shown = [self._table, self._manage, self._key]
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        gr.on(fn=handler(self._show), outputs=shown, api_name="serve_keys", **quiet)
        self._revoking.wire("serve_key_revoke")
        made = self._make.click(
            handler(self._make_it), fields, [self._name, self._fresh], api_name="serve_key_make",
            show_progress_on=self._fresh,
        )  # fmt: skip
        revoked = self._revoking.really.click(
            handler(self._revoke), self._key, self._revoking.question, api_name="serve_key_revoke"
        )
        for event, name in ((made, "make"), (revoked, "revoke")):
            event.success(handler(self._show), None, shown, api_name=f"serve_key_{name}_show", **quiet)

    def _show(self, request: gr.Request) -> list[Any]:
        found = self._workspace.keys.all()
        usable = [(f"{one.name} · {one.hint}", one.id) for one in found if one.state == "active"]
        return [
            keys.table(found, language(request)),
            gr.Accordion(visible=bool(usable)),
            gr.Dropdown(choices=usable, value=None),
        ]

    def _make_it(
        self, request: gr.Request, name: str | None, scopes: list[str], *limits: float | None
    ) -> tuple[str, Markup]:
        minute, day, days = (int(limit or 0) for limit in limits)
        made = self._workspace.keys.create(
            name or "",
            scopes=tuple(scopes),
            requests_per_minute=minute or None,
            tokens_per_day=day or None,
            expires_at=utc_now() + timedelta(days=days) if days else None,
        )
        return "", keys.fresh(made, language(request))

    def _revoke(self, request: gr.Request, key: str | None) -> gr.Row:
        if not key:
            raise gr.Error(say("serve.key.none_chosen", language(request)), print_exception=False)
        self._workspace.keys.revoke(key)
        return gr.Row(visible=False)
