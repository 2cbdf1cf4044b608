"""``ftkit ratings invite`` and ``revoke``: who may rate."""

from typing import Annotated

import typer

from ftkit.cli.output import Answer, note, table
from ftkit.cli.ratings.studies import StudyId
from ftkit.cli.session import open_workspace, read_settings
from ftkit.errors import BadInput

RaterId = Annotated[
    str, typer.Argument(metavar="RATER", help="Id of a rater, as `ftkit ratings show` has it.")
]


def invite(
    study: StudyId,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="What you call each rater.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address under which raters reach the dashboard; this machine's own if left out.",
        ),
    ] = None,
    renew: Annotated[
        str | None,
        typer.Option(metavar="RATER", help="A new link for a rater instead; the old one ends."),
    ] = None,
) -> Answer:
    """Print a link for each rater. It is shown this once: only its fingerprint is kept. Whoever has it rates under that name.

    JSON: `study`, `invites`.
    """
    if bool(names) == bool(renew):
        raise BadInput("cli.whom_to_invite", "Give names of raters, or --renew RATER.")
    base = (address or _own_address()).rstrip("/")
    with open_workspace() as workspace:
        if renew:
            made = [workspace.studies.renew(study, renew)]
        else:
            made = workspace.studies.invite(study, names or [])
        state = workspace.studies.get(study).state
    invites = [{"rater": one.rater, "name": one.name, "link": f"{base}/invite/{one.token}"} for one in made]
    if state != "open":
        note(f"The study is {state}: raters can begin once it is open (ftkit ratings open {study}).")
    shown = table(["rater", "name", "link"], [list(one.values()) for one in invites])
    return Answer({"study": study, "invites": invites}, [shown])


def revoke(study: StudyId, rater: RaterId) -> Answer:
    """End a rater's link at once; what was rated stays.

    JSON: `study`, `rater`, `revoked`.
    """
    with open_workspace() as workspace:
        workspace.studies.revoke(study, rater)
    return Answer({"study": study, "rater": rater, "revoked": True}, [f"The link of {rater} has ended."])


def _own_address() -> str:
    settings = read_settings()
    if settings.space_host:
        return f"https://{settings.space_host}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
