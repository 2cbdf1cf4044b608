"""The home page: the way from data to a tuned model as steps, what is done, what is next, what runs now.

Reads counts and states from the services every few seconds, and says it when a backup took the place of the database. What it
changes: a click on sample data puts it in place, splits it and goes on to training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import gradio as gr
from markupsafe import Markup

from ftkit.ratings.studies.views import StudyView
from ftkit.records import ACTIVE_STATES, Split
from ftkit.training.service import RunView
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import destination, go, page_heading, section
from ftkit.ui.store.restored import banner
from ftkit.workspace import Workspace

STEPS = ("data", "train", "runs", "evaluate", "compare", "ratings", "export", "serve", "monitor")

_SECONDS = 3
_LATEST = 5

Standing = Literal["done", "next", "later"]


@dataclass(frozen=True)
class Overview:
    """Where a person stands on the way."""

    datasets: int
    splits: Sequence[Split]
    models: int
    runs: Sequence[RunView]
    evaluations: int
    studies: Sequence[StudyView] = ()
    exports: int = 0
    live: str = ""  # what the served version is called
    versions: int = 0
    requests: int = 0
    harvests: int = 0
    alerts: int = 0  # that nobody has seen

    @property
    def ratings(self) -> int:
        """Of all studies."""
        return sum(one.ratings for one in self.studies)

    @property
    def active(self) -> list[RunView]:
        """Runs that wait or work."""
        return [view for view in self.runs if view.state == "queued" or view.state in ACTIVE_STATES]

    @property
    def finished(self) -> list[RunView]:
        """Runs that made a tuned model, newest first."""
        return [view for view in self.runs if view.state == "done"]

    def standings(self) -> dict[str, Standing]:
        """Each step done, next or later; comparing and watching are never over, but a study and a harvest show that they were done."""
        done = {
            "data": bool(self.splits),
            "train": bool(self.runs),
            "runs": bool(self.finished),
            "evaluate": self.evaluations > 0,
            "compare": bool(self.studies),
            "ratings": any(one.state == "closed" and one.ratings for one in self.studies),
            "export": self.exports > 0,
            "serve": bool(self.live),
            "monitor": self.harvests > 0,
        }
        following = next((step for step in STEPS if not done[step]), "")
        return {step: "done" if done[step] else "next" if step == following else "later" for step in STEPS}


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        page_heading("home")
        self._where = destination()
        self._seen = gr.State("")
        self._restored = gr.HTML(elem_id="home-restored")
        self._read = gr.Button(
            t("restored.read"), visible=False, elem_id="home-restored-read", elem_classes="ft-narrow"
        )
        self._way = gr.HTML(elem_id="home-way")
        self._now = gr.HTML(elem_id="home-now")
        with gr.Column(elem_classes="ft-card"):
            section("home.samples")
            with gr.Row(equal_height=True):
                samples = [self._sample(one.name, one.rows, one.license) for one in workspace.data.samples()]
        self._runs = gr.HTML(elem_id="home-runs")
        shown = [self._restored, self._read, self._way, self._now, self._runs, self._seen]
        gr.on(fn=handler(self._open), outputs=shown, api_name="home_open")
        timer = gr.Timer(_SECONDS)
        timer.tick(handler(self._show), self._seen, shown, show_progress="hidden", api_name="home_tick")
        self._read.click(handler(self._forget), None, shown, api_name="home_restored_read")
        for name, button in samples:
            event = button.click(
                handler(self._use(name)), None, self._where, api_name=f"home_sample_{_word(name)}"
            )
            go(event, self._where, f"home_sample_{_word(name)}_go")

    def _sample(self, name: str, rows: int, license_: str) -> tuple[str, gr.Button]:
        with gr.Column(elem_classes="ft-choice", min_width=240):
            gr.Markdown("**" + t(f"data.sample.{name}.title") + "**")
            gr.Markdown(t(f"data.sample.{name}.text"))
            gr.Markdown(t("data.sample.rows") + f": {rows} · {license_}", elem_classes="ft-quiet")
            return name, gr.Button(t("home.samples.use"), size="md", elem_id=f"home-sample-{name}")

    def _open(self, request: gr.Request) -> tuple[Any, ...]:
        return self._show("", request)

    def _show(self, seen: str, request: gr.Request) -> tuple[Any, ...]:
        lang = language(request)
        found = look(self._workspace)
        told = banner(self._workspace.restoration, lang)
        parts = (way(found, lang), now(found, lang), latest(found, lang))
        mark = sha256("".join((told, *parts)).encode()).hexdigest()
        if mark == seen:
            return (gr.skip(),) * 6
        return (told, gr.Button(visible=bool(told)), *parts, mark)

    def _forget(self, request: gr.Request) -> tuple[Any, ...]:
        self._workspace.restoration_read()
        return self._show("", request)

    def _use(self, name: str) -> Any:
        def use() -> str:
            dataset = self._workspace.data.import_sample(name)
            splits = self._workspace.splits.all(dataset.id) or [self._workspace.splits.split(dataset.id)]
            return html.url("train", split=splits[0].id)

        return use


def look(workspace: Workspace) -> Overview:
    """Ask the services."""
    versions = workspace.serving.versions()
    return Overview(
        datasets=len(workspace.data.all()),
        splits=workspace.splits.all(),
        models=len(workspace.models.all()),
        runs=workspace.training.all(),
        evaluations=len(workspace.evaluation.all()),
        studies=workspace.studies.all(),
        exports=sum(view.job.state == "done" for view in workspace.exports.all()),
        live=next((one.label for one in versions if one.state == "live"), ""),
        versions=len(versions),
        requests=workspace.traffic.count(),
        harvests=len(workspace.harvests.all()),
        alerts=len(workspace.alerts.unseen()),
    )


def way(found: Overview, lang: str) -> Markup:
    """The steps, each with its state and what there is of it."""
    counts = _counts(found, lang)
    marks = found.standings()
    items = html.join(
        _step(place, step, marks[step], counts[step], lang) for place, step in enumerate(STEPS, 1)
    )
    return Markup('<ol class="ft-steps">{}</ol>').format(items)


def now(found: Overview, lang: str) -> Markup:
    """What runs at this moment, what nobody has seen yet, and what is missing for the next step."""
    missing = alerts(found.alerts, lang)
    if not found.models:
        missing += html.notice(
            "warn",
            _sentence("home.no_model", html.link_text("/model", say("home.no_model.link", lang)), lang),
        )
    if not found.active:
        return missing
    cards = html.join(_active(view, lang) for view in found.active)
    return missing + Markup('<section class="ft-card"><h2 class="ft-title">{}</h2>{}</section>').format(
        say("home.now.title", lang), cards
    )


def alerts(unseen: int, lang: str) -> Markup:
    """That something was noticed of what is served, until a person has seen it."""
    if not unseen:
        return Markup("")
    one = unseen == 1
    link = html.link_text("/monitor", say("home.alerts.link" if one else "home.alerts.links", lang))
    return html.notice(
        "warn", _sentence("home.alerts.one" if one else "home.alerts.many", link, lang, n=unseen)
    )


def latest(found: Overview, lang: str) -> Markup:
    """The newest runs."""
    if not found.runs:
        return Markup("")
    return Markup('<section class="ft-card"><h2 class="ft-title">{}</h2>{}</section>').format(
        say("home.latest.title", lang), views.runs_table(found.runs[:_LATEST], "", lang)
    )


def _counts(found: Overview, lang: str) -> Mapping[str, str]:
    return {
        "data": say("home.count.data", lang, datasets=found.datasets, splits=len(found.splits)),
        "train": say("home.count.train", lang, runs=len(found.runs)),
        "runs": say("home.count.runs", lang, active=len(found.active), finished=len(found.finished)),
        "evaluate": say("home.count.evaluate", lang, evaluations=found.evaluations),
        "compare": say("home.count.compare", lang, models=len(found.finished)),
        "ratings": say("home.count.ratings", lang, studies=len(found.studies), ratings=found.ratings),
        "export": say("home.count.export", lang, exports=found.exports),
        "serve": say("home.count.serve", lang, live=found.live, versions=found.versions)
        if found.live
        else say("home.count.serve_none", lang),
        "monitor": say("home.count.monitor", lang, requests=found.requests, harvests=found.harvests),
    }


def _step(place: int, step: str, standing: Standing, count: str, lang: str) -> Markup:
    return Markup(
        '<li class="ft-step ft-{standing}"><span class="ft-mark" aria-hidden="true">{sign}</span>'
        '<a href="/{step}">{name} <span class="ft-unseen">({word})</span></a><p>{text}</p>'
        '<span class="ft-count">{count}</span></li>'
    ).format(
        standing=standing,
        sign="✓" if standing == "done" else place,
        step=step,
        name=say(f"home.step.{step}.title", lang),
        word=say(f"home.standing.{standing}", lang),
        text=say(f"home.step.{step}.text", lang),
        count=count,
    )


def _active(view: RunView, lang: str) -> Markup:
    name = html.link_text(html.url("runs", run=view.run.id), view.run.name)
    progress = views.progress_bar(view.progress, lang) if view.progress else ""
    return Markup('<div class="ft-active"><p>{} {}</p>{}</div>').format(
        name, views.state_pill(view.state, lang), progress
    )


def _sentence(key: str, link: Markup, lang: str, **values: object) -> Markup:
    """A sentence of the catalogue around a link."""
    before, _, after = say(key, lang, **{**values, "link": "{link}"}).partition("{link}")
    return Markup("{}{}{}").format(before, link, after)


def _word(name: str) -> str:
    return name.replace("-", "_")
