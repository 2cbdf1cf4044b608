"""One study on the owner's page: where it stands, what can be done with it, its items, and the parts beside it.

``?study=`` chooses it. Takes the workspace, gives components; while answers are made or raters rate, it looks by itself and
sends only what has changed.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import BadInput, NotFound
from ftkit.ratings.sides.names import Side
from ftkit.ratings.studies.views import StudyView
from ftkit.records import ENDED_STATES
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.pages.ratings.following import NextPart, ResultsPart
from ftkit.ui.pages.ratings.part import StudyPart
from ftkit.ui.pages.ratings.people import PeoplePart
from ftkit.ui.parts import AskFirst, asked, destination, go, note
from ftkit.ui.ratings import said, studies
from ftkit.workspace import Workspace

_EVERY = 2.0
_LISTED = 300  # items to tick; a longer list serves nobody
# A new text closes all folds: those that were open are opened again.
_OPEN = "#study-items details"
_NOTE_FOLDS = f"""(first) => {{
  window.ftFolds = [...document.querySelectorAll("{_OPEN}[open] > summary")].map((one) => one.textContent);
  return [first];
}}"""
_OPEN_FOLDS = f"""() => requestAnimationFrame(() => {{
  for (const one of document.querySelectorAll("{_OPEN}"))
    if (window.ftFolds?.includes(one.querySelector("summary").textContent)) one.open = true;
}})"""
Seen = dict[str, str]


class WatchingSection:
    """All parts of a study, and the clock that looks at them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen = gr.State({})
        self._timer = gr.Timer(_EVERY, active=False)
        # Outside the column: showing a column would show this, too.
        where = destination()
        with gr.Column(visible=False, elem_id="study") as self._whole:
            head = HeadPart(workspace, where)
            people = PeoplePart(workspace)
            results = ResultsPart(workspace)
            following = NextPart(workspace, where)
            items = ItemsPart(workspace)
        self._parts: list[StudyPart] = [head, people, results, following, items]
        shown = [self._seen, self._whole, self._timer, *(one for part in self._parts for one in part.shown)]
        self._wire(shown)
        for acted, name in [*head.wire(), *people.wire(), *items.wire()]:
            acted.success(
                handler(self._show),
                self._seen,
                shown,
                api_name=f"ratings_{name}_show",
                show_progress="hidden",
            )

    def _wire(self, shown: list[Any]) -> None:
        looks: dict[str, Any] = {"show_progress": "hidden"}
        # No inputs: gr.on without triggers fires on the page's load and on each change of an input, for ever here.
        arrived = gr.on(fn=handler(self._arrive), outputs=shown, api_name="ratings_study", **looks)
        arrived.success(handler(self._show), self._seen, shown, api_name="ratings_study_results", **looks)
        self._timer.tick(
            handler(self._show), self._seen, shown, trigger_mode="once", api_name="ratings_tick", **looks
        )

    def _arrive(self, request: gr.Request) -> Any:
        """Everything but the results, whose intervals take a moment; they come with the next look."""
        return self._show(request, {}, later="ResultsPart")

    def _show(self, request: gr.Request, seen: Seen, later: str = "") -> Any:
        """What is new since ``seen``; nothing where nothing is. A part that comes ``later`` is left as it is."""
        lang = language(request)
        count = sum(len(part.shown) for part in self._parts)
        try:
            view = self._workspace.studies.get(asked(request, "study")) if asked(request, "study") else None
        except NotFound:  # the list says so
            view = None
        if view is None:
            return [{}, gr.Column(visible=False), gr.Timer(active=False), *[gr.skip()] * count]
        marks = {
            name: part.mark(view, lang) for part in self._parts if (name := type(part).__name__) != later
        }
        if marks == seen:
            return gr.skip()
        updates: list[Any] = []
        for part in self._parts:
            name = type(part).__name__
            new = name in marks and marks[name] != seen.get(name)
            updates += part.updates(view, lang) if new else [gr.skip()] * len(part.shown)
        return [marks, gr.Column(visible=True), gr.Timer(active=_goes_on(view)), *updates]


class HeadPart:
    """Where the study stands, and what can be done with it now."""

    def __init__(self, workspace: Workspace, where: gr.Textbox) -> None:
        self._workspace = workspace
        self._where = where
        self._closing = AskFirst(
            "study-close", t("ratings.close.sure"), t("ratings.close.yes"), t("ratings.close.no")
        )
        self._deleting = AskFirst(
            "study-delete", t("ratings.delete.sure"), t("ratings.delete.yes"), t("ratings.delete.no")
        )
        looks: dict[str, Any] = {"visible": False, "min_width": 120}
        with gr.Column(elem_classes="ft-card"):
            self._head = gr.HTML(elem_id="study-head")
            with gr.Accordion(
                t("ratings.drop.title"), open=False, visible=False, elem_id="study-named"
            ) as self._named:
                self._note = gr.HTML()
                self._ticked = gr.CheckboxGroup(
                    label=t("ratings.named.label"), elem_id="study-named-items", elem_classes="ft-steps-list"
                )
                self._drop = gr.Button(
                    t("ratings.named.drop"), elem_id="study-drop", elem_classes="ft-narrow"
                )
            with gr.Row(elem_classes="ft-actions"):
                self._open = gr.Button(t("ratings.open"), variant="primary", elem_id="study-open", **looks)
                self._retry = gr.Button(t("ratings.retry"), variant="primary", elem_id="study-retry", **looks)
                self._reopen = gr.Button(t("ratings.reopen"), elem_id="study-reopen", **looks)
                self._stop = gr.Button(t("ratings.stop"), variant="stop", elem_id="study-stop", **looks)
                self._closing.lay_out_button(t("ratings.close"), min_width=120, size="md")
                self._deleting.lay_out_button(t("ratings.delete"), min_width=120, size="md")
            self._closing.lay_out_question()
            self._deleting.lay_out_question()
        self.shown = [
            self._head, self._named, self._note, self._ticked, self._open, self._retry, self._reopen, self._stop,
            self._closing.button, self._closing.question, self._deleting.button,
        ]  # fmt: skip

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        self._closing.wire("ratings_close")
        self._deleting.wire("ratings_delete")
        deleted = self._deleting.really.click(
            handler(self._delete), None, self._where, api_name="ratings_delete"
        )
        go(deleted, self._where, "ratings_deleted_go")
        acts = (
            (self._open, self._open_it, "open"),
            (self._retry, self._retry_it, "retry"),
            (self._reopen, self._open_it, "reopen"),
            (self._stop, self._stop_it, "stop"),
            (self._closing.really, self._close_it, "close"),
        )
        done = [
            (button.click(handler(act), None, None, api_name=f"ratings_{name}"), name)
            for button, act, name in acts
        ]
        dropped = self._drop.click(handler(self._drop_them), self._ticked, None, api_name="ratings_drop")
        return [*done, (dropped, "drop")]

    def mark(self, view: StudyView, lang: str) -> str:
        """Changes with what the head says."""
        step = view.worker.get("step"), view.worker.get("phase"), view.worker.get("seconds_left")
        return f"{view.state} {view.job.state} {step} {view.answered} {view.items} {view.ratings} {view.complete} {lang}"

    def updates(self, view: StudyView, lang: str) -> list[Any]:
        """The head, flagged items before the opening, and the buttons of its state."""
        preparing, ended = view.state == "preparing", view.job.state in ENDED_STATES
        return [
            studies.head(view, labels_of(self._workspace, view), _source(self._workspace, view, lang), lang),
            *self._flagged(view, lang),
            gr.Button(visible=view.state == "ready"),
            gr.Button(visible=preparing and ended and view.job.state != "done"),
            gr.Button(visible=view.state == "closed"),
            gr.Button(visible=preparing and not ended),
            gr.Button(visible=view.state == "open"),
            gr.Row(visible=False) if view.state != "open" else gr.skip(),
            gr.Button(visible=view.state != "open" and ended),
        ]

    def _flagged(self, view: StudyView, lang: str) -> list[Any]:
        """Any item can be left out before the opening; those that name a model are ticked and come first."""
        if view.state != "ready" or view.opened_at is not None:
            return [gr.Accordion(visible=False), "", gr.skip()]
        found = self._workspace.studies.items(view.study.id)
        flagged = [item.id for item in found if studies.names_in(item)]
        listed = sorted(found, key=lambda item: not studies.names_in(item))[:_LISTED]
        ticked = gr.CheckboxGroup(
            choices=[(studies.item_choice(item, lang), item.id) for item in listed],
            value=[item.id for item in listed if item.id in flagged],
        )
        note = studies.drop_note(view.named, len(found), _LISTED, lang)
        return [gr.Accordion(visible=True, open=bool(flagged)), note, ticked]

    def _drop_them(self, request: gr.Request, ticked: list[str]) -> None:
        if not ticked:
            raise BadInput("ratings.none_ticked", "No item is ticked. Tick at least one.")
        dropped = self._workspace.studies.drop(asked(request, "study"), ticked)
        note(request, "ratings.named.dropped", n=dropped)

    def _open_it(self, request: gr.Request) -> None:
        self._workspace.studies.open(asked(request, "study"))

    def _retry_it(self, request: gr.Request) -> None:
        self._workspace.studies.retry(asked(request, "study"))

    def _stop_it(self, request: gr.Request) -> None:
        self._workspace.studies.stop(asked(request, "study"))

    def _close_it(self, request: gr.Request) -> None:
        self._workspace.studies.close(asked(request, "study"))

    def _delete(self, request: gr.Request) -> str:
        self._workspace.studies.delete(asked(request, "study"))
        return "/ratings"


class ItemsPart:
    """The items with their answers and whose they are."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._first = gr.State(0)
        self._marked = gr.State("")
        with (
            gr.Column(visible=False, elem_classes="ft-card") as self._card,
            gr.Accordion(t("ratings.items.title"), open=True, elem_id="study-items-part"),
        ):
            self._items = gr.HTML(elem_id="study-items")
            with gr.Row(elem_classes="ft-actions") as self._turning:
                self._back = gr.Button(t("ratings.items.back"), size="sm", min_width=80, elem_id="items-back")
                self._on = gr.Button(t("ratings.items.on"), size="sm", min_width=80, elem_id="items-on")
        self.shown = [self._card, self._marked]

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Turning the page changes nothing else; new ratings leave the page where it is."""
        page = [self._first, self._items, self._turning]
        self._marked.change(
            handler(self._again), self._first, page, api_name="ratings_items", js=_NOTE_FOLDS, show_progress="hidden"
        ).success(None, None, None, js=_OPEN_FOLDS, api_name="ratings_items_folds")  # fmt: skip
        for button, turn, name in ((self._back, self._turn_back, "back"), (self._on, self._turn_on, "on")):
            button.click(
                handler(turn), self._first, page, api_name=f"ratings_items_{name}",
                show_progress="hidden",
            )  # fmt: skip
        return []

    def mark(self, view: StudyView, lang: str) -> str:
        """The answers are frozen: their number changes, and what raters say of them."""
        revoked = [one.rater for one in self._workspace.studies.raters(view.study.id) if one.revoked_at]
        return f"{view.state == 'preparing'} {view.items} {view.changes} {revoked} {lang}"

    def updates(self, view: StudyView, lang: str) -> list[Any]:
        """The card; a new mark lets the page of the moment be made anew."""
        return [gr.Column(visible=view.state != "preparing"), self.mark(view, lang)]

    def _again(self, request: gr.Request, first: int) -> list[Any]:
        return self._turn(request, first) if asked(request, "study") else [gr.skip()] * 3

    def _turn_back(self, request: gr.Request, first: int) -> list[Any]:
        return self._turn(request, first - studies.ITEMS_SHOWN)

    def _turn_on(self, request: gr.Request, first: int) -> list[Any]:
        return self._turn(request, first + studies.ITEMS_SHOWN)

    def _turn(self, request: gr.Request, first: int) -> list[Any]:
        view = self._workspace.studies.get(asked(request, "study"))
        last = max(0, view.items - 1) // studies.ITEMS_SHOWN * studies.ITEMS_SHOWN
        first = min(max(0, first), last)  # items may be gone
        more = view.items > studies.ITEMS_SHOWN
        return [first, self._page(view, first, language(request)), gr.Row(visible=more)]

    def _page(self, view: StudyView, first: int, lang: str) -> str:
        found = self._workspace.studies.items(view.study.id)
        labels = labels_of(self._workspace, view)
        ratings: dict[str, Markup] = {}
        if view.changes:
            people = self._workspace.studies.raters(view.study.id)
            names = {one.rater: said.rater_name(one, lang) for one in people}
            rated = self._workspace.studies.rated(view.study.id)
            for item in found[first : first + studies.ITEMS_SHOWN]:
                own = [one for one in rated if one.item == item.id]
                ratings[item.id] = said.said(item, own, names, labels, lang)
        return studies.items(found, first, labels, lang, ratings)


def labels_of(workspace: Workspace, view: StudyView) -> Mapping[str, str]:
    """What a person calls the models of a study."""
    return {name: workspace.sides.label(Side.parse(name)) for name in view.study.sides}


def _source(workspace: Workspace, view: StudyView, lang: str) -> str:
    """Where the prompts come from."""
    names = {one.id: one.name for one in workspace.data.all()}
    study = view.study
    if study.split:
        split = next((one for one in workspace.splits.all() if one.id == study.split), None)
        name = names.get(split.dataset, split.name) if split else study.split
        return f"{name} · {say(f'ratings.part.{study.part}', lang)}"
    return names.get(study.dataset, study.dataset) if study.dataset else say("ratings.fact.own", lang)


def _goes_on(view: StudyView) -> bool:
    """Whether something may change by itself; a job that is done becomes a study that is ready."""
    making = view.state == "preparing" and view.job.state not in ENDED_STATES - {"done"}
    return making or view.state == "open"
