"""The page that watches what is served: alerts, requests, drift, harvest, generations, and what is kept of all that.

Reads from the services every few seconds. Each part stands in a module of its own.
"""

from datetime import UTC, datetime
from typing import Any

import gradio as gr

from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say
from ftkit.ui.pages.monitor.alerts import AlertsPart
from ftkit.ui.pages.monitor.drift import DriftPart
from ftkit.ui.pages.monitor.generations import GenerationsPart
from ftkit.ui.pages.monitor.harvest import HarvestPart
from ftkit.ui.pages.monitor.keeping import KeepingPart
from ftkit.ui.pages.monitor.numbers import NumbersPart
from ftkit.ui.pages.monitor.part import PERIODS, Look, Part, mark
from ftkit.ui.parts import destination, page_heading
from ftkit.workspace import Workspace

_EVERY = 5.0
Seen = dict[str, str]


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("monitor")
    _Page(workspace)


class _Page:
    """All parts, and the clock that looks at them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen = gr.State({})
        self._empty = gr.HTML(elem_id="monitor-empty")
        # Outside the column: showing a column would show this, too.
        where = destination()
        with gr.Column(visible=False, elem_id="monitor") as self._whole:
            alerts = AlertsPart(workspace)
            numbers = self._numbers = NumbersPart(workspace)
            drift = DriftPart(workspace)
            harvest = HarvestPart(workspace, where)
            generations = GenerationsPart(workspace)
        keeping = KeepingPart(workspace)
        self._parts: list[Part] = [alerts, numbers, drift, harvest, generations]
        self._timer = gr.Timer(_EVERY)
        self._shown = [
            self._seen,
            self._empty,
            self._whole,
            *(one for part in self._parts for one in part.shown),
        ]
        self._inputs: list[Any] = [self._seen, numbers.period, numbers.version]
        self._wire()
        for acted, name in [
            *alerts.wire(),
            *drift.wire(),
            *harvest.wire(),
            *generations.wire(),
            *keeping.wire(),
        ]:
            acted.success(
                handler(self._show), self._inputs, self._shown, api_name=f"monitor_{name}_show",
                show_progress="hidden",
            )  # fmt: skip

    def _wire(self) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        arrived = gr.on(
            fn=handler(self._choices), outputs=self._numbers.version, api_name="monitor_versions", **quiet
        )
        arrived.success(handler(self._show), self._inputs, self._shown, api_name="monitor_open", **quiet)
        self._timer.tick(
            handler(self._show),
            self._inputs,
            self._shown,
            trigger_mode="once",
            api_name="monitor_tick",
            **quiet,
        )
        gr.on(
            [self._numbers.period.input, self._numbers.version.input],
            handler(self._show),
            self._inputs,
            self._shown,
            trigger_mode="always_last",
            api_name="monitor_period",
            **quiet,
        )

    def _choices(self, request: gr.Request) -> Any:
        every = (say("monitor.version.all", language(request)), "")
        return gr.Dropdown([every, *((label, id_) for id_, label in self._labels().items())], value="")

    def _show(self, request: gr.Request, seen: Seen, period: str, version: str) -> Any:
        """What is new since ``seen``."""
        lang = language(request)
        labels = self._labels()
        look = Look(datetime.now(UTC), lang, period if period in PERIODS else "day", version or "", labels)
        if not labels:
            nothing = {"empty": lang}
            return (
                gr.skip()
                if seen == nothing
                else [nothing, _nothing(lang), gr.Column(visible=False), *self._skips()]
            )
        marks, updates = Seen(), list[Any]()
        for part in self._parts:
            name, found = type(part).__name__, part.updates(look)
            marks[name] = mark([*found, lang])
            updates += [gr.skip()] * len(found) if marks[name] == seen.get(name) else found
        if marks == seen:
            return gr.skip()
        return [marks, "", gr.Column(visible=True), *updates]

    def _skips(self) -> list[Any]:
        return [gr.skip()] * sum(len(part.shown) for part in self._parts)

    def _labels(self) -> dict[str, str]:
        """What the versions are called, the newest first."""
        return {one.id: one.label for one in self._workspace.serving.versions()}


def _nothing(lang: str) -> str:
    return html.empty(
        say("monitor.empty.title", lang),
        say("monitor.empty.text", lang),
        html.link("/serve", say("monitor.empty.serve", lang), primary=True),
        html.link("/runs", say("monitor.empty.runs", lang)),
    )
