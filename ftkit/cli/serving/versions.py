"""``ftkit serving``: what the gateway answers with, and its switches. Whoever serves, the dashboard or ``ftkit serve``, follows at once."""

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import RenderableType

from ftkit.cli.output import Answer, command, facts, note, table
from ftkit.cli.session import open_workspace
from ftkit.errors import FtkitError, Refused

if TYPE_CHECKING:
    from ftkit.serving.engines.asking import EngineName
    from ftkit.serving.versions.standing import ServingState, Version
    from ftkit.workspace import Workspace

app = typer.Typer(
    help="What the gateway answers with: status, deploy, canary, promote, end-canary, rollback, retire, stop.",
    no_args_is_help=True,
)

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="Id of a run, an export or a model; checkpoint:RUN/STEP; or http://HOST:PORT/v1#MODEL of another server.",
    ),
]
EngineOption = Annotated[
    str, typer.Option(help="resident; llamacpp for a GGUF export; upstream for another server.")
]
Anyway = Annotated[bool, typer.Option("--anyway", help="Let it pass its test with empty answers.")]
VersionId = Annotated[str, typer.Argument(metavar="VERSION", help="Id, as `ftkit serving status` has it.")]
_BY = "command line"


def status() -> Answer:
    """What is live, the canary and its share, and what stands by for a rollback.

    JSON: `live`, `canary`, `share`, `standby`, `trying`, `refused`, `events`.
    """
    with open_workspace() as workspace:
        return _state(workspace.serving.state())


def deploy(target: Target, engine: EngineOption = "resident", anyway: Anyway = False) -> Answer:
    """Test a model and let it answer once it has passed; until then the former one does.

    JSON: the version: `id`, `target`, `label`, `engine`, `state`, `smoke`.
    """
    with open_workspace() as workspace:
        return _shown(deployed(workspace, target, engine, anyway=anyway))


def canary(
    what: Annotated[
        str, typer.Argument(metavar="VERSION|TARGET", help="A tested version, or what to test first.")
    ],
    share: Annotated[float, typer.Option(help="Of the requests, 0.01 to 0.99.")] = 0.1,
    engine: EngineOption = "resident",
    anyway: Anyway = False,
) -> Answer:
    """Let a version answer a share of the requests beside the live one.

    JSON: the version.
    """
    with open_workspace() as workspace:
        serving = workspace.serving
        known = any(version.id == what for version in serving.versions())
        target = what if known else workspace.sources.target(what)
        begun = serving.canary(target, share, cast("EngineName", engine), _BY, anyway=anyway)
        return _shown(_passed(serving.wait(begun.id)))


def promote(
    version: Annotated[str | None, typer.Argument(help="Any tested version; the canary if left out.")] = None,
) -> Answer:
    """Let the canary, or another tested version, answer everything.

    JSON: the version.
    """
    with open_workspace() as workspace:
        return _shown(workspace.serving.promote(version, _BY))


def end_canary() -> Answer:
    """Take the canary out.

    JSON: the version.
    """
    with open_workspace() as workspace:
        return _shown(workspace.serving.end_canary(_BY))


def rollback() -> Answer:
    """Bring the version back that was live before, at once.

    JSON: the version.
    """
    with open_workspace() as workspace:
        return _shown(workspace.serving.rollback(_BY))


def retire(version: VersionId) -> Answer:
    """Take a version out that stands by.

    JSON: the version.
    """
    with open_workspace() as workspace:
        return _shown(workspace.serving.retire(version, _BY))


def stop() -> Answer:
    """Let nothing answer; `ftkit serving rollback` starts again.

    JSON: as `status`.
    """
    with open_workspace() as workspace:
        workspace.serving.stop(_BY)
        return _state(workspace.serving.state())


def deployed(workspace: "Workspace", target: str, engine: str, *, anyway: bool) -> "Version":
    """Deploy and wait for the end of its test.

    Raises:
        Refused: it did not pass.
    """
    begun = workspace.serving.deploy(
        workspace.sources.target(target), cast("EngineName", engine), _BY, anyway=anyway
    )
    note(f"{begun.label} is being tested before it answers. The first start of its engine takes a while.")
    return _passed(workspace.serving.wait(begun.id))


def _passed(version: "Version") -> "Version":
    error = (version.smoke or {}).get("error")
    if version.state != "refused" or error is None:
        return version
    raise Refused(
        "cli.serve_failed",
        "{label} did not pass its test: {reason}",
        label=version.label,
        reason=FtkitError.from_dict(error),
    )


def _shown(version: "Version") -> Answer:
    names = ("id", "label", "engine", "state", "target")
    value = version.model_dump(mode="json")
    return Answer(value, [facts({name: value[name] for name in names})])


def _state(state: "ServingState") -> Answer:
    versions = [
        one for one in (state.live, state.canary, *state.trying, *state.standby, *state.refused) if one
    ]
    parts: list[RenderableType] = (
        ["Nothing is live. ftkit serving deploy TARGET starts."] if state.live is None else []
    )
    headers = ["version", "state", "share", "label", "engine", "target"]
    rows: list[list[Any]] = [
        [one.id, one.state, one.share or None, one.label, one.engine, one.target] for one in versions
    ]
    events = [
        [event.at.isoformat(timespec="seconds"), event.event, event.version, event.by]
        for event in state.events
    ]
    parts += [table(headers, rows), table(["at", "event", "version", "by"], events[:10])] if versions else []
    return Answer(state.model_dump(mode="json"), parts)


command(app, "status")(status)
command(app, "deploy")(deploy)
command(app, "canary")(canary)
command(app, "promote")(promote)
command(app, "end-canary")(end_canary)
command(app, "rollback")(rollback)
command(app, "retire")(retire)
command(app, "stop")(stop)
