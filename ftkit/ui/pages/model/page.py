"""The model page: which base models are on this machine, which can be had, and getting one.

``?model=`` follows the download of a model; unfinished downloads are shown in any case.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import NotFound
from ftkit.models.catalogue import CatalogueEntry
from ftkit.records import ENDED_STATES, Job
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.model.familiarity import FamiliarityCard
from ftkit.ui.parts import asked, destination, go, page_heading, section
from ftkit.workspace import Workspace

_EVERY = 1.5
_PULL = "pull-"


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("model")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._seen = gr.State("")
        self._timer = gr.Timer(_EVERY)
        self._pulls = gr.HTML(elem_id="model-pulls")
        with gr.Column(elem_classes="ft-card"):
            section("model.here")
            self._here = gr.HTML(elem_id="model-here")
        FamiliarityCard(workspace)
        with gr.Column(elem_classes="ft-card"):
            section("model.offered")
            self._entries = workspace.models.catalogue()
            with gr.Row(elem_classes="ft-choices"):
                self._cards = [self._card(entry) for entry in self._entries]
        with gr.Column(elem_classes="ft-card"):
            section("model.hub")
            with gr.Row(elem_classes="ft-save"):
                self._hub = gr.Textbox(
                    label=t("model.hub.label"),
                    placeholder="Qwen/Qwen3-0.6B",
                    max_lines=1,
                    elem_id="model-hub",
                )
                self._get = gr.Button(t("model.get"), elem_id="model-get", min_width=140)
        self._wire()

    def _card(self, entry: CatalogueEntry) -> tuple[gr.HTML, gr.Button]:
        with gr.Column(elem_classes="ft-choice", min_width=280):
            about = gr.HTML()
            return about, gr.Button(t("model.get"), size="md", visible=False, elem_id=f"get-{entry.id}")

    def _wire(self) -> None:
        cards = [part for card in self._cards for part in card]
        live = [self._seen, self._pulls, self._here, self._timer, *cards]
        gr.on(
            fn=handler(self._show),
            inputs=self._seen,
            outputs=live,
            api_name="model_open",
            show_progress="hidden",
        )
        self._timer.tick(
            handler(self._show),
            self._seen,
            live,
            show_progress="hidden",
            trigger_mode="once",
            api_name="model_tick",
        )
        for number, (entry, (_, button)) in enumerate(zip(self._entries, self._cards, strict=True)):
            asked_for = gr.State(entry.id)
            pulled = button.click(handler(self._pull), asked_for, self._where, api_name=f"model_get_{number}")
            go(pulled, self._where, f"model_get_{number}_go")
        pulled = gr.on(
            [self._get.click, self._hub.submit],
            handler(self._pull),
            self._hub,
            self._where,
            api_name="model_get",
        )
        go(pulled, self._where, "model_get_go")

    def _show(self, request: gr.Request, seen: str) -> Any:
        lang = language(request)
        jobs = self._downloads(asked(request, "model"))
        states = {job.id: self._workspace.jobs.folder(job).state() for job in jobs}
        here = self._workspace.models.all()
        revision = repr([len(here), *((job.id, job.state, states[job.id].get("step")) for job in jobs)])
        if revision == seen:
            return gr.skip()
        busy = any(job.state not in ENDED_STATES for job in jobs)
        known = {model.id for model in here}
        cards = [part for entry in self._entries for part in _entry(entry, entry.id in known, lang)]
        pulls = html.join(_download(job, states[job.id], lang) for job in jobs)
        table = views.models_table(here, lang) if here else html.notice("warn", say("model.none", lang))
        return [revision, pulls, table, gr.Timer(active=busy), *cards]

    def _downloads(self, wanted: str) -> list[Job]:
        """Unfinished downloads, and the newest one of the model that the address names."""
        jobs = [job for job in self._workspace.jobs.unfinished() if job.kind == "pull"]
        if wanted and all(job.artefact != _PULL + wanted for job in jobs):
            try:
                jobs.append(self._workspace.models.job(wanted))
            except NotFound:
                return jobs  # the address names a model that was never downloaded here: nothing to follow
        return jobs

    def _pull(self, name: str) -> str:
        self._workspace.models.pull(name)
        return html.url("model", model=self._workspace.models.pull_id(name))


def _entry(entry: CatalogueEntry, here: bool, lang: str) -> list[Any]:
    facts = html.facts(
        [
            (say("model.fact.size", lang), views.parameters(entry.parameters, lang)),
            (say("model.fact.download", lang), html.megabytes(entry.size_mb, lang)),
            (
                say("model.fact.context", lang),
                say("model.tokens", lang, n=html.number(entry.context_length, lang)),
            ),
            (say("model.fact.license", lang), entry.license),
            (say("model.fact.languages", lang), say(f"model.languages.{entry.id}", lang)),
        ]
    )
    state = html.pill("good", say("model.is_here", lang)) if here else Markup("")
    if entry.gated and not here:
        state = html.pill("warn", say("model.gated", lang))
    about = Markup('<h3 class="ft-title">{} {}</h3><p>{}</p>{}').format(
        entry.title, state, say(f"model.suits.{entry.id}", lang), facts
    )
    return [about, gr.Button(visible=not here)]


def _download(job: Job, state: dict[str, Any], lang: str) -> Markup:
    name = job.artefact.removeprefix(_PULL)
    parts = [
        Markup('<h2 class="ft-title">{} {}</h2>').format(name, views.state_pill(job.state, lang)),
        views.error_notice(job.error, lang),
    ]
    if job.state == "done":
        train = html.link("/train", say("model.train", lang), primary=True)
        parts += [html.notice("good", say("model.arrived", lang)), html.actions(train)]
    elif job.state not in ENDED_STATES:
        parts.append(views.progress_bar(views.progress_of(state), lang))
    return Markup('<div class="ft-card">{}</div>').format(html.join(parts))
