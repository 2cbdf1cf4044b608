"""What answers now, the newest test, and what can be done about it.

Takes the workspace, gives components. Each button is one switch of the serving service.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.serving.versions.standing import ServingState
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import say, t
from ftkit.ui.parts import AskFirst, note, origin
from ftkit.ui.serving import smoke, standing
from ftkit.workspace import Workspace

# Others switch too: the command line, another window.
_EVERY_TESTING, _EVERY = 1.5, 6.0


class NowSection:
    """What answers, and its buttons."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stopping = AskFirst("serve-stop", t("serve.stop.sure"), t("serve.stop.yes"), t("serve.stop.no"))
        looks: dict[str, Any] = {"visible": False, "min_width": 120}
        with gr.Column(elem_classes="ft-card", elem_id="serve-now-card"):
            self._now = gr.HTML(elem_id="serve-now")
            self._result = gr.HTML(elem_id="serve-result")
            with gr.Row(elem_classes="ft-actions"):
                self._promote = gr.Button(
                    t("serve.promote"), variant="primary", elem_id="serve-promote", **looks
                )
                self._end = gr.Button(t("serve.end_canary"), elem_id="serve-end-canary", **looks)
                self._back = gr.Button(t("serve.rollback"), elem_id="serve-rollback", **looks)
                self._stopping.lay_out_button(t("serve.stop"), variant="stop", min_width=120)
            self._stopping.lay_out_question()
        self.shown = [
            self._now, self._result, self._promote, self._end, self._back, self._stopping.button, self._stopping.question,
        ]  # fmt: skip

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        self._stopping.wire("serve_stop")
        acts = (
            (self._promote, self._promote_it, "promote"),
            (self._end, self._end_it, "end_canary"),
            (self._back, self._go_back, "rollback"),
            (self._stopping.really, self._stop_it, "stop"),
        )
        return [
            (button.click(handler(act), None, None, api_name=f"serve_{name}"), name)
            for button, act, name in acts
        ]

    def updates(self, state: ServingState, address: str, lang: str) -> list[Any]:
        """One for each component of ``shown``."""
        live = state.live is not None
        return [
            standing.shown(state, address, lang),
            self._last(state, lang),
            gr.Button(visible=state.canary is not None),
            gr.Button(visible=state.canary is not None),
            gr.Button(visible=bool(state.standby)),
            gr.Button(visible=live),
            gr.skip() if live else gr.Row(visible=False),
        ]

    def _last(self, state: ServingState, lang: str) -> Markup:
        """What the newest test found, as long as nothing happened since."""
        newest = state.events[0] if state.events else None
        if newest is None or newest.event not in {"refused", "live", "canary"}:
            return Markup("")
        version = next((one for one in self._workspace.serving.versions() if one.id == newest.version), None)
        if version is None:
            return Markup("")
        failed = newest.event == "refused"
        told = standing.refused(version, state.live, lang) if failed else Markup("")
        table = smoke.shown(version, lang)
        title = say("serve.smoke.title", lang, label=version.label)
        return told + (html.details(title, table, open_=failed) if table else "")

    def _promote_it(self, request: gr.Request) -> None:
        version = self._workspace.serving.promote()
        note(request, "serve.promoted", label=version.label)

    def _end_it(self, request: gr.Request) -> None:
        self._workspace.serving.end_canary()
        note(request, "serve.canary_ended")

    def _go_back(self, request: gr.Request) -> None:
        version = self._workspace.serving.rollback()
        note(request, "serve.rolled_back", label=version.label)

    def _stop_it(self, request: gr.Request) -> None:
        self._workspace.serving.stop()
        note(request, "serve.stopped")


def mark(state: ServingState, lang: str) -> str:
    """Changes with all that the page shows of it."""
    shown = [state.live, state.canary, *state.standby, *state.trying]
    versions = [one and (one.id, one.state) for one in shown]
    newest = [one.number for one in state.events[:1]]
    return f"{versions} {state.share} {newest} {lang}"


def clock(state: ServingState) -> gr.Timer:
    """Looks often while something is tested."""
    return gr.Timer(_EVERY if not state.trying else _EVERY_TESTING, active=True)


def address_of(request: gr.Request) -> str:
    """The address that programs ask."""
    return f"{origin(request)}/v1"
