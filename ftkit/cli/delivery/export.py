"""``ftkit export``: give a run's model the form that other programs take."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.evaluation.default import StartsByDefault
from ftkit.cli.output import Answer, command, facts, table
from ftkit.cli.session import check_done, follow, open_workspace
from ftkit.errors import BadInput
from ftkit.export.targets import Precision, Push, Quantization, Server, Target

if TYPE_CHECKING:
    from ftkit.export.service import ExportView
    from ftkit.workspace import Workspace

app = typer.Typer(
    cls=StartsByDefault,
    help="A run's model for other programs: `ftkit export RUN --to TARGET` makes one; list, show, retry, delete.",
    no_args_is_help=True,
)

ExportId = Annotated[str, typer.Argument(metavar="EXPORT", help="Id of an export.")]


@command(app, "start")
def start(  # noqa: PLR0913 - one parameter per option
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of a run; `start` may be left out.")],
    *,
    to: Annotated[Target, typer.Option(help="The form.")],
    checkpoint: Annotated[
        int | None, typer.Option(metavar="N", help="Step of a checkpoint, instead of the run's result.")
    ] = None,
    precision: Annotated[Precision, typer.Option(help="Of merged weights.")] = "bf16",
    quantization: Annotated[Quantization, typer.Option(help="Of a GGUF file.")] = "f16",
    repo: Annotated[str, typer.Option(metavar="OWNER/NAME", help="On the Hub.")] = "",
    public: Annotated[bool, typer.Option("--public", help="Let everybody see it on the Hub.")] = False,
    push: Annotated[Push, typer.Option(help="What is pushed to the Hub.")] = "adapter",
    server: Annotated[Server, typer.Option(help="Which server a Docker folder starts.")] = "vllm",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also copy the files into this new folder.")
    ] = None,
) -> Answer:
    """Export a run, load it again and compare it with the trained model; nothing is kept that does not answer alike.

    An export of the same request that was stopped or cut begins again with the same command and gives the same files.

    JSON: `export`, `run`, `target`, `state`, `files`, `folder`, `parity`, `report`.
    """
    from ftkit.export.options import ExportOptions  # noqa: PLC0415 - its imports are not needed for --help

    options = ExportOptions(
        target=to,
        checkpoint=checkpoint,
        precision=precision,
        quantization=quantization,
        repo=repo,
        private=not public,
        push=push,
        server=server,
    )
    _check_free(out)
    with open_workspace() as workspace:
        made = workspace.exports.create(run, options)
        return _answer(workspace, _followed(workspace, made.id), out)


@command(app, "list")
def list_exports(
    run: Annotated[str | None, typer.Option(metavar="RUN", help="Of this run only.")] = None,
) -> Answer:
    """Exports, newest first.

    JSON: `exports`.
    """
    with open_workspace() as workspace:
        values = [_value(workspace, view) for view in workspace.exports.all(run)]
    rows = [(v["export"], v["run"], v["target"], v["state"], _megabytes(v["files"])) for v in values]
    shown: list[Any] = [table(["export", "run", "target", "state", "size"], rows)]
    return Answer({"exports": values}, shown if rows else ["There is none yet: ftkit export RUN --to merged"])


@command(app, "show")
def show(export: ExportId) -> Answer:
    """One export: its files with their hashes, and the parity table.

    JSON: as of `start`.
    """
    with open_workspace() as workspace:
        return _answer(workspace, workspace.exports.get(export))


@command(app, "retry")
def retry(export: ExportId) -> Answer:
    """Begin an export again that failed or was stopped.

    JSON: as of `start`.
    """
    with open_workspace() as workspace:
        made = workspace.exports.retry(export)
        return _answer(workspace, _followed(workspace, made.id))


@command(app, "delete")
def delete(export: ExportId) -> Answer:
    """Delete an export with its files; one that is served stays.

    JSON: `deleted`.
    """
    with open_workspace() as workspace:
        workspace.exports.delete(export)
    return Answer({"deleted": export}, [f"Deleted {export}."])


def _followed(workspace: "Workspace", id_: str) -> "ExportView":
    """The export at its end.

    Raises:
        FtkitError: it failed.
    """
    view = follow(
        "Export",
        lambda look: workspace.exports.wait(id_, look),
        f"See how it went with: ftkit export show {id_}",
        {"export": id_},
    )
    check_done("export", view.job, workspace.jobs.folder(view.job).log)
    return view


def _answer(workspace: "Workspace", view: "ExportView", out: Path | None = None) -> Answer:
    value = _value(workspace, view)
    if out is not None:
        shutil.copytree(workspace.exports.folder(view.export.id), out)
        value["folder"] = str(out.absolute())
    about = {name: value[name] for name in ("export", "run", "target", "state", "folder")}
    shown: list[Any] = [facts(about)]
    if value["files"]:
        rows = [(one["name"], f"{one['size']:,}", one["sha256"]) for one in value["files"]]
        shown += ["", table(["file", "bytes", "sha256"], rows)]
    if value["parity"]:
        rows_ = [_parity_cells(row) for row in value["parity"]["rows"]]
        shown += ["", table(["way", "same tokens", "same answers", "verdict"], rows_, title="Parity")]
    return Answer(value, shown)


def _parity_cells(row: dict[str, Any]) -> tuple[object, ...]:
    first = row["first_difference"]
    said = {
        "same": "same answers",
        "rounding": "rounding ({rounding}): “{got}” for “{expected}”, {gap:.1%} apart (up to {tolerance:.1%} explained)",
        "differs": "differs: “{got}” for “{expected}”, {gap:.1%} apart (up to {tolerance:.1%} explained)",
        "tokens": "other tokens of the same prompt",
    }[row["note"]]
    verdict = said.format(rounding=row["rounding"], **(first or {}))
    return row["way"], row["token_ids_equal"], f"{row['equal_answers']} of {row['prompts']}", verdict


def _value(workspace: "Workspace", view: "ExportView") -> dict[str, Any]:
    return {
        "export": view.export.id,
        "run": view.export.run,
        "target": view.export.target,
        "state": view.job.state,
        "files": [{"name": one.name, "size": one.size, "sha256": one.sha256} for one in view.files],
        "folder": str(workspace.exports.folder(view.export.id)) if view.files else None,
        "parity": view.parity,
        "report": view.report,
    }


def _megabytes(files: list[dict[str, Any]]) -> str:
    return f"{sum(one['size'] for one in files) / 1e6:,.1f} MB" if files else ""


def _check_free(out: Path | None) -> None:
    if out is not None and out.exists():
        raise BadInput(
            "export.out_exists", "{folder} is there already. Choose a new folder for the files.", folder=out
        )
