"""What a study says and what comes of it: results, files, the check of the history, and preference data for the next model.

Takes the workspace, gives components. One click makes the preference data and leads to the train page, filled in.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.ratings.preferences.wishes import METHODS, PreferenceWishes
from ftkit.ratings.studies.views import StudyView
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, follow, go, section
from ftkit.ui.ratings import results as result_views
from ftkit.ui.ratings import studies
from ftkit.ui.ratings.addresses import to_study, to_training
from ftkit.ui.ratings.preferred import told
from ftkit.workspace import Workspace

# study → dataset → split → run
_STEPS = 3


class ResultsPart:
    """What the ratings say so far, and the ratings themselves to take away."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="study-results-card") as self._card:
            self._results = gr.HTML(elem_id="study-results")
            self._files = gr.HTML(elem_id="study-files")
            self._verify = gr.Button(
                t("ratings.files.verify"), elem_id="study-verify", elem_classes="ft-narrow"
            )
            self._verified = gr.HTML(elem_id="study-verified")
        self.shown = [self._card, self._results, self._files, self._verified]
        self._verify.click(handler(self._check), None, self._verified, api_name="ratings_verify")

    def mark(self, view: StudyView, lang: str) -> str:
        """Changes with each rating, and where somebody's ratings are left out."""
        if view.opened_at is None:
            return ""
        revoked = [one.rater for one in self._workspace.studies.raters(view.study.id) if one.revoked_at]
        return f"{view.changes} {view.state} {revoked} {lang}"

    def updates(self, view: StudyView, lang: str) -> list[Any]:
        """Results, and the files that they come from."""
        if view.opened_at is None:
            return [gr.Column(visible=False), "", "", ""]
        title = html.heading(say("ratings.results.title", lang))
        if not view.ratings:
            nothing = html.notice("info", say("ratings.results.none", lang))
            return [gr.Column(visible=True), title + nothing, "", ""]
        early = html.notice("warn", say("ratings.results.early", lang)) if view.state == "open" else ""
        results = result_views.shown(self._workspace.results.results(view.study.id), lang)
        heading = Markup('<h3 class="ft-title">{}</h3>').format(say("ratings.files.title", lang))
        return [
            gr.Column(visible=True),
            title + early + results,
            heading + result_views.downloads(view.study.id, lang),
            "",
        ]

    def _check(self, request: gr.Request) -> Markup:
        found = self._workspace.studies.verify(asked(request, "study"))
        return studies.verified(found.changes, found.first_broken, language(request))


class NextPart:
    """From a closed study to training data, and what was made of it already."""

    def __init__(self, workspace: Workspace, where: gr.Textbox) -> None:
        self._workspace = workspace
        self._where = where
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="study-next") as self._card:
            section("ratings.next")
            self._text = gr.HTML(elem_id="study-next-text")
            with (
                gr.Accordion(t("ratings.next.how"), open=False, elem_id="study-how"),
                gr.Row(elem_classes="ft-fields"),
            ):
                self._method = gr.Radio(
                    choices=[(t(f"ratings.next.method.{one}"), one) for one in METHODS],
                    value=METHODS[0],
                    label=t("ratings.next.method.label"),
                    elem_id="study-method",
                )
                self._agreement = gr.Slider(
                    0.5,
                    1,
                    0.5,
                    step=0.05,
                    label=t("ratings.next.agreement.label"),
                    info=t("ratings.next.agreement.help"),
                    elem_id="study-agreement",
                )
            self._use_test = gr.Checkbox(
                label=t("ratings.next.use_test"), visible=False, elem_id="study-use-test"
            )
            self._make = gr.Button(
                t("ratings.next.make"), variant="primary", elem_id="study-make", elem_classes="ft-narrow"
            )
            self._made = gr.HTML(elem_id="study-made")
        self.shown = [self._card, self._text, self._use_test, self._made]
        wishes = [self._method, self._agreement]
        follow(
            [self._method.input, self._agreement.release],
            handler(self._look),
            wishes,
            [self._text],
            "ratings_preferred",
            quiet=True,
        )
        made = self._make.click(
            handler(self._make_them), [*wishes, self._use_test], self._where, api_name="ratings_preferences"
        )
        go(made, self._where, "ratings_preferences_go")

    def mark(self, view: StudyView, lang: str) -> str:
        """Changes with what was made of the study."""
        if not self._offered(view):
            return ""
        return f"{view.changes} {self._revoked(view.study.id)} {self._lineage(view)} {lang}"

    def updates(self, view: StudyView, lang: str) -> list[Any]:
        """What the data will be, and what there is of it."""
        if not self._offered(view):
            return [gr.Column(visible=False), "", gr.skip(), ""]
        made = self._lineage(view)
        return [
            gr.Column(visible=True),
            self._told(view, PreferenceWishes(), lang),
            gr.Checkbox(visible=view.study.part == "test"),
            studies.lineage(made, lang) + self._again(made, lang),
        ]

    def _told(self, view: StudyView, wishes: PreferenceWishes, lang: str) -> Markup:
        """What the data will be, and what speaks against them."""
        counted = self._workspace.loop.count_preferences(view.study.id, wishes)
        parts = [html.paragraph(say("ratings.next.text", lang)), told(counted, lang)]
        if view.study.part == "test":
            parts.append(html.notice("warn", say("ratings.next.test", lang)))
        if self._lineage(view):
            parts.append(html.notice("info", say("ratings.next.again", lang)))
        return html.join(parts)

    def _look(self, request: gr.Request, method: str, agreement: float) -> Markup:
        view = self._workspace.studies.get(asked(request, "study"))
        wishes = PreferenceWishes.parse({"method": method, "agreement": agreement})
        return self._told(view, wishes, language(request))

    def _revoked(self, study: str) -> tuple[str, ...]:
        return tuple(one.rater for one in self._workspace.studies.raters(study) if one.revoked_at)

    def _offered(self, view: StudyView) -> bool:
        return view.state == "closed" and view.ratings > 0

    def _again(self, made: list[studies.Made], lang: str) -> Markup:
        """A new study with the models that were trained on this one's ratings."""
        done = {one.run.id for one in self._workspace.training.all() if one.state == "done"}
        runs = [one.id for one in made if one.kind == "run" and one.id in done]
        if not runs:
            return Markup("")
        address = to_study(self._workspace.loop.next_study(runs[0]))
        return html.actions(html.link(address, say("ratings.next.compare", lang), primary=True))

    def _lineage(self, view: StudyView) -> list[studies.Made]:
        """What was made from the study, step by step."""
        names = {one.id: one.name for one in self._workspace.data.all()}
        names |= {one.id: one.name for one in self._workspace.splits.all()}
        names |= {one.run.id: one.run.name for one in self._workspace.training.all()}
        found: list[studies.Made] = []
        level = [view.study.id]
        for _ in range(_STEPS):
            children = [child for id_ in level for child in self._workspace.artefacts.children(id_)]
            found += [studies.Made(kind, id_, names[id_]) for kind, id_ in children if id_ in names]
            level = [id_ for _, id_ in children]
        return list(dict.fromkeys(found))

    def _make_them(self, request: gr.Request, method: str, agreement: float, use_test: bool) -> str:
        study, loop = asked(request, "study"), self._workspace.loop
        wishes = {"method": method, "agreement": agreement, "use_test_rows": bool(use_test)}
        made = loop.make_preferences(study, PreferenceWishes.parse(wishes))
        return to_training(loop.next_training(study, made))
