"""The page that serves models to programs: what answers now, deploying, keys, examples, a box to try, and what happened.

``?target=``, ``?run=`` and ``?export=`` choose the model in the form.
"""

from typing import Any

import gradio as gr

from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say
from ftkit.ui.pages.serve.deploying import DeploySection
from ftkit.ui.pages.serve.keys import KeysSection
from ftkit.ui.pages.serve.now import NowSection, address_of, clock, mark
from ftkit.ui.pages.serve.past import PastPart
from ftkit.ui.pages.serve.trying import TryPart, UsePart
from ftkit.ui.parts import page_heading
from ftkit.workspace import Workspace


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("serve")
    _Page(workspace)


# The form stands below what answers now, where the test is followed.
_LOOK_UP = "() => document.getElementById('serve-now-card').scrollIntoView({behavior: 'smooth'})"


class _Page:
    """All sections, and the clock that looks at them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen = gr.State("")
        self._nothing = gr.HTML(elem_id="serve-nothing")
        self._now = NowSection(workspace)
        self._deploy = DeploySection(workspace)
        KeysSection(workspace)
        self._use = UsePart()
        self._try = TryPart(workspace)
        self._past = PastPart(workspace)
        self._timer = gr.Timer(6.0)
        self._wire()

    def _wire(self) -> None:
        shown = [
            self._seen, self._timer, *self._now.shown, *self._use.shown, *self._past.shown, *self._try.shown,
            *self._deploy.with_live,
        ]  # fmt: skip
        looks: dict[str, Any] = {"show_progress": "hidden"}
        gr.on(fn=handler(self._open), outputs=self._nothing, api_name="serve_open", **looks)
        gr.on(fn=handler(self._arrive), outputs=shown, api_name="serve_arrive", **looks)
        self._timer.tick(
            handler(self._show), self._seen, shown, trigger_mode="once", api_name="serve_tick", **looks
        )
        begun = self._deploy.wire()
        for acted, name in begun:
            acted.success(None, None, None, js=_LOOK_UP, api_name=f"serve_{name}_look")
        for acted, name in [*self._now.wire(), *begun, *self._past.wire()]:
            acted.success(handler(self._show), self._seen, shown, api_name=f"serve_{name}_show", **looks)

    def _open(self, request: gr.Request) -> str:
        """What to do where there is no model at all."""
        if self._workspace.sides.offered():
            return ""
        lang = language(request)
        return html.empty(
            say("serve.nothing.title", lang),
            say("serve.nothing.text", lang),
            html.link("/model", say("serve.nothing.model", lang), primary=True),
            html.link("/train", say("serve.nothing.train", lang)),
        )

    def _arrive(self, request: gr.Request) -> Any:
        return self._show(request, "")

    def _show(self, request: gr.Request, seen: str) -> Any:
        """What is new since ``seen``; nothing where nothing is."""
        lang, state = language(request), self._workspace.serving.state()
        now = mark(state, lang)
        if now == seen:
            return gr.skip()
        address, live = address_of(request), state.live is not None
        return [
            now,
            clock(state),
            *self._now.updates(state, address, lang),
            *self._use.updates(address, lang),
            *self._past.updates(state, lang),
            *self._try.updates(live),
            *self._deploy.beside_live(live),
        ]
