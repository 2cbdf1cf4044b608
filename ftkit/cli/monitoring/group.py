"""``ftkit monitor``: its commands in the order in which the owner of a served model needs them."""

import typer

from ftkit.cli.monitoring import harvesting, keeping, watching
from ftkit.cli.output import command

app = typer.Typer(
    help="What a served model is asked and how it does: settings, report, check, alerts, harvest, generations.",
    no_args_is_help=True,
)

command(app, "settings")(keeping.settings)
command(app, "report")(watching.report)
command(app, "check")(watching.check)
command(app, "alerts")(watching.alerts)
command(app, "harvest")(harvesting.harvest)
command(app, "generations")(harvesting.generations)
