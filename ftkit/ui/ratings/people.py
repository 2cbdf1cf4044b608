"""The raters of a study as their owner sees them, and the links that they get.

Takes views of the studies service, gives escaped ``Markup``. It keeps no link: what is shown once is gone with the page.
"""

from collections.abc import Sequence

from markupsafe import Markup

from ftkit.ratings.studies.views import Invite, RaterView, StudyView
from ftkit.ui import html
from ftkit.ui.i18n import say


def raters_table(found: Sequence[RaterView], lang: str) -> Markup:
    """Who rates, and how far they are."""
    if not found:
        return html.notice("info", say("ratings.people.none", lang))
    heads = [say(f"ratings.people.{key}", lang) for key in ("name", "rated", "skipped", "seen")]
    body = [
        (
            one.name,
            html.number(one.rated, lang),
            html.number(one.skipped, lang),
            html.pill("plain", say("ratings.people.revoked", lang))
            if one.revoked_at
            else html.moment(one.seen_at)
            if one.seen_at
            else say("ratings.people.never", lang),
        )
        for one in found
    ]
    return html.table(heads, body, say("ratings.people.title", lang))


def enough(view: StudyView, found: Sequence[RaterView], lang: str) -> Markup:
    """That more people are needed than may rate now; empty where there are enough."""
    may = sum(one.revoked_at is None for one in found)
    missing = view.options.overlap - may
    if not found or missing <= 0 or view.state == "closed":
        return Markup("")
    text = say("ratings.people.few", lang, overlap=view.options.overlap, raters=may, more=missing)
    return html.notice("warn", text)


def links(invites: Sequence[Invite], origin: str, lang: str) -> Markup:
    """The links of new raters, to be copied now.

    Args:
        invites: with the tokens that nobody will see again.
        origin: address of this dashboard, without a slash at its end.
        lang: ``en`` or ``tr``.
    """
    # The links stay on the page when the study opens: the second sentence is true before and after.
    notes = [
        html.notice("warn", say("ratings.invite.once", lang)),
        html.notice("info", say("ratings.invite.while_open", lang)),
    ]
    lines = html.join(_link(one, f"{origin}/invite/{one.token}", lang) for one in invites)
    where = Markup('<p class="ft-quiet">{}</p>').format(say("ratings.invite.here", lang, origin=origin))
    return html.join([*notes, Markup('<ul class="ft-invites">{}</ul>').format(lines), where])


def _link(invite: Invite, address: str, lang: str) -> Markup:
    return Markup(
        '<li><strong>{0}</strong> <code tabindex="0">{1}</code>'
        '<button type="button" class="ft-button" data-ft-copy="{1}" data-ft-copied="{3}" aria-label="{4}">{2}</button></li>'
    ).format(
        invite.name,
        address,
        say("ratings.invite.copy", lang),
        say("ratings.invite.copied", lang),
        say("ratings.invite.copy_of", lang, name=invite.name),
    )
