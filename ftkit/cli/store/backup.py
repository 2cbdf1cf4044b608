"""``ftkit backup``: the backups of the database, and going back to one.

Looks at the database's file without opening the workspace, so that it works where the database does not. It says nothing of
the folders of artefacts, which are no part of a backup.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, command, facts, table
from ftkit.cli.session import open_workspace, read_settings
from ftkit.errors import StoreFault

if TYPE_CHECKING:
    from ftkit.records import Restoration
    from ftkit.workspace import StoreFile

app = typer.Typer(
    help="Backups of the database: list them, make one, go back to one. They are made every hour while ftkit runs.",
    no_args_is_help=True,
)


@command(app, "list")
def list_backups() -> Answer:
    """The backups, newest first, each checked anew.

    JSON: `folder`, `backups`.
    """
    file = _file()
    entries: list[dict[str, Any]] = [
        {
            "backup": backup.name,
            "made_at": backup.made_at.isoformat(),
            "size": backup.path.stat().st_size,
            "before": backup.before,
            "problem": file.problem(backup),
        }
        for backup in file.backups.all()
    ]
    cells = [
        (e["backup"], e["made_at"], f"{e['size'] / 1e6:.1f} MB", e["problem"] or "good") for e in entries
    ]
    value = {"folder": str(file.backups.folder), "backups": entries}
    return Answer(
        value, [table(["backup", "made", "size", "state"], cells)] if cells else ["There is none yet."]
    )


@command(app, "make")
def make() -> Answer:
    """Make a backup now.

    JSON: `backup`, `made_at`.
    """
    made = _file().make_backup()
    value = {"backup": made.name, "made_at": made.made_at.isoformat()}
    return Answer(value, [facts(value)])


@command(app, "restore")
def restore(
    backup: Annotated[
        str | None,
        typer.Argument(metavar="[BACKUP]", help="Its name in the list; the newest good one if left out."),
    ] = None,
) -> Answer:
    """Put a backup in the place of the database, which is kept beside it under another name.

    Refused while jobs run or another ftkit uses the database. JSON: `backup`, `made_at`, `set_aside`, `rows`, `folders`.
    """
    file = _file()
    chosen = file.choose(backup)  # before anything is opened: that can make a newer one
    _settle_jobs()
    done = file.restore(chosen)
    # Opening it brings an older schema up to date, and compares the jobs with their folders.
    with open_workspace() as workspace:
        workspace.restoration_read()
    value = _value(done)
    return Answer(value, [facts({key: value[key] for key in ("backup", "made_at", "set_aside")})])


def _file() -> "StoreFile":
    from ftkit.workspace import backups_of  # noqa: PLC0415 - the database costs half a second that --help must not pay

    return backups_of(read_settings())


def _settle_jobs() -> None:
    """A job whose worker has ended unseen does not run."""
    from ftkit.workspace import Workspace  # noqa: PLC0415 - as below

    try:
        with Workspace(read_settings()) as workspace:
            workspace.jobs.settle()
    except StoreFault:
        return  # what cannot be opened may be what is to be replaced


def _value(done: "Restoration") -> dict[str, Any]:
    return {
        "backup": done.backup,
        "made_at": done.backup_made_at.isoformat(),
        "set_aside": done.set_aside,
        "rows": [{"name": row.name, "before": row.before, "now": row.now} for row in done.rows],
        "folders": list(done.folders),
    }
