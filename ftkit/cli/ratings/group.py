"""``ftkit ratings``: its commands in the order in which a study needs them."""

import typer

from ftkit.cli.output import command
from ftkit.cli.ratings import making, raters, results, studies

app = typer.Typer(
    help="Blind ratings of answers by people: new, list, show, open, close, invite, revoke, summary, export, to-preferences, verify, retry, delete.",
    no_args_is_help=True,
)

command(app, "new")(making.new)
command(app, "list")(studies.list_studies)
command(app, "show")(studies.show)
command(app, "open")(studies.open_study)
command(app, "close")(studies.close)
command(app, "invite")(raters.invite)
command(app, "revoke")(raters.revoke)
command(app, "summary")(results.summary)
command(app, "export")(results.export)
command(app, "to-preferences")(results.to_preferences)
command(app, "verify")(results.verify)
command(app, "retry")(studies.retry)
command(app, "delete")(studies.delete)
