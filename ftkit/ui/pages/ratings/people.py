"""The raters of a study: who they are, how far they are, new links, and links that are taken back.

Takes the workspace, gives components. A link is shown once, in the answer to the click that made it.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import BadInput
from ftkit.ratings.studies.views import StudyView
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, t
from ftkit.ui.parts import AskFirst, asked, origin, section
from ftkit.ui.ratings import people
from ftkit.ui.ratings.form import lines
from ftkit.ui.ratings.said import rater_name
from ftkit.workspace import Workspace


class PeoplePart:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._revoking = AskFirst(
            "rater-revoke",
            t("ratings.rater.revoke.sure"),
            t("ratings.rater.revoke.yes"),
            t("ratings.rater.revoke.no"),
        )
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="study-people") as self._card:
            section("ratings.people")
            self._table = gr.HTML(elem_id="study-raters")
            with gr.Column() as self._inviting:
                self._names = gr.Textbox(
                    label=t("ratings.invite.label"), info=t("ratings.invite.help"), placeholder=t("ratings.invite.hint"),
                    lines=3, max_lines=12, max_length=10_000, elem_id="invite-names",
                )  # fmt: skip
                self._invite = gr.Button(t("ratings.invite.do"), elem_id="invite", elem_classes="ft-narrow")
                self._links = gr.HTML(elem_id="invite-links")
                self._lay_out_manage()
        self.shown = [self._card, self._table, self._inviting, self._manage, self._rater]

    def _lay_out_manage(self) -> None:
        with gr.Accordion(
            t("ratings.rater.manage"), open=False, visible=False, elem_id="rater-manage"
        ) as self._manage:
            # Gradio checks a choice against those of the start: any value passes here, and the service knows the ids.
            self._rater = gr.Dropdown(
                allow_custom_value=True, label=t("ratings.rater.label"), info=t("ratings.rater.renew.help"), elem_id="rater"
            )  # fmt: skip
            with gr.Row(elem_classes="ft-actions"):
                self._renew = gr.Button(t("ratings.rater.renew"), elem_id="rater-renew", min_width=120)
                self._revoking.lay_out_button(t("ratings.rater.revoke"), min_width=120, size="md")
            self._revoking.button.visible = True
            self._revoking.lay_out_question()

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        self._revoking.wire("ratings_revoke")
        invited = self._invite.click(
            handler(self._invite_them), self._names, [self._names, self._links], api_name="ratings_invite",
            show_progress_on=self._links,  # on the names a sign of an error would cover them
        )  # fmt: skip
        renewed = self._renew.click(
            handler(self._renew_it), self._rater, self._links, api_name="ratings_renew"
        )
        revoked = self._revoking.really.click(
            handler(self._revoke_it), self._rater, self._revoking.question, api_name="ratings_revoke"
        )
        return [(invited, "invite"), (renewed, "renew"), (revoked, "revoke")]

    def mark(self, view: StudyView, lang: str) -> str:
        """Changes with every rater."""
        if view.state == "preparing":
            return ""
        found = self._workspace.studies.raters(view.study.id)
        one_by_one = [(one.rater, one.rated, one.skipped, one.seen_at, one.revoked_at) for one in found]
        return f"{view.state} {one_by_one} {lang}"

    def updates(self, view: StudyView, lang: str) -> list[Any]:
        """The raters, and those whose link can be changed."""
        if view.state == "preparing":
            return [gr.Column(visible=False), *[gr.skip()] * 4]
        found = self._workspace.studies.raters(view.study.id)
        choices = [
            (
                rater_name(one, lang),
                one.rater,
            )
            for one in found
        ]
        # The choice of the moment stays while others rate.
        return [
            gr.Column(visible=True),
            people.raters_table(found, lang) + people.enough(view, found, lang),
            gr.Column(visible=view.state != "closed"),
            gr.Accordion(visible=bool(choices)),
            gr.Dropdown(choices=choices),
        ]

    def _invite_them(self, request: gr.Request, names: str | None) -> tuple[str, Markup]:
        study, wanted = asked(request, "study"), lines(names)
        if not wanted:
            raise BadInput(
                "ratings.no_names", "There is no name to invite. Write at least one, one per line."
            )
        invites = self._workspace.studies.invite(study, wanted)
        return "", people.links(invites, origin(request), language(request))

    def _renew_it(self, request: gr.Request, rater: str | None) -> Markup:
        study = asked(request, "study")
        invite = self._workspace.studies.renew(study, _chosen(rater))
        return people.links([invite], origin(request), language(request))

    def _revoke_it(self, request: gr.Request, rater: str | None) -> gr.Row:
        self._workspace.studies.revoke(asked(request, "study"), _chosen(rater))
        return gr.Row(visible=False)


def _chosen(rater: str | None) -> str:
    if not rater:
        raise BadInput("ratings.no_rater", "No rater is chosen. Choose one from the list first.")
    return rater
