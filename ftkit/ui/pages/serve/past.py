"""All versions and what happened to them; any that passed its test can be made live or taken out.

Takes the workspace, gives components.
"""

from typing import Any

import gradio as gr

from ftkit.serving.versions.standing import ServingState, Version
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import note
from ftkit.ui.serving import history
from ftkit.workspace import Workspace

_COMES_BACK = frozenset({"standby", "retired"})


class PastPart:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="serve-past") as self._card:
            self._versions = gr.HTML(elem_id="serve-versions")
            with gr.Accordion(t("serve.another.title"), open=False, elem_id="serve-another") as self._another:
                # Gradio checks a choice against those of the start: any value passes here, and the service knows the ids.
                self._choice = gr.Dropdown(
                    allow_custom_value=True, label=t("serve.another.label"), info=t("serve.another.help"), elem_id="another"
                )  # fmt: skip
                with gr.Row(elem_classes="ft-actions"):
                    self._live = gr.Button(t("serve.another.live"), elem_id="another-live", min_width=120)
                    self._retire = gr.Button(
                        t("serve.another.retire"), elem_id="another-retire", min_width=120
                    )
            self._events = gr.HTML(elem_id="serve-events")
        self.shown = [self._card, self._versions, self._another, self._choice, self._events]

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        acts = ((self._live, self._make_live, "another"), (self._retire, self._take_out, "retire"))
        return [
            (button.click(handler(act), self._choice, None, api_name=f"serve_{name}"), name)
            for button, act, name in acts
        ]

    def updates(self, state: ServingState, lang: str) -> list[Any]:
        """Both tables; nothing before the first deployment."""
        found = self._workspace.serving.versions()
        if not found:
            return [gr.Column(visible=False), "", gr.skip(), gr.skip(), ""]
        labels = {one.id: one.label for one in found}
        choices = [(_choice(one, lang), one.id) for one in found if one.state in _COMES_BACK]
        return [
            gr.Column(visible=True),
            html.heading(say("serve.versions.title", lang)) + history.versions(found, lang),
            gr.Accordion(visible=bool(choices)),
            gr.Dropdown(choices=choices, value=None),
            html.heading(say("serve.events.title", lang)) + history.events(state.events, labels, lang),
        ]

    def _make_live(self, request: gr.Request, chosen: str | None) -> None:
        version = self._workspace.serving.promote(_chosen(chosen, language(request)))
        note(request, "serve.promoted", label=version.label)

    def _take_out(self, request: gr.Request, chosen: str | None) -> None:
        version = self._workspace.serving.retire(_chosen(chosen, language(request)))
        note(request, "serve.retired", label=version.label)


def _choice(version: Version, lang: str) -> str:
    at = version.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    return f"{version.label} · {at} · {say(f'serve.state.{version.state}', lang)}"


def _chosen(version: str | None, lang: str) -> str:
    if not version:
        raise gr.Error(say("serve.another.first", lang), print_exception=False)
    return version
