"""``ftkit serve``: the gateway alone, without the dashboard."""

from typing import TYPE_CHECKING, Annotated

import typer

from ftkit.cli.output import Answer, JsonOption, give, note
from ftkit.cli.serving.versions import Anyway, EngineOption, deployed
from ftkit.cli.session import open_workspace, read_settings
from ftkit.errors import Refused

if TYPE_CHECKING:
    from ftkit.serving.versions.standing import Version
    from ftkit.workspace import Workspace

_KEY_NAME = "ftkit serve"


def serve(
    target: Annotated[
        str | None,
        typer.Argument(metavar="RUN|EXPORT", help="What to deploy first; what is live already if left out."),
    ] = None,
    engine: EngineOption = "resident",
    host: Annotated[str | None, typer.Option(help="Address to listen on; FTKIT_HOST if left out.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any free one.")] = 8000,
    key_name: Annotated[
        str | None,
        typer.Option(help="Make a new API key of this name; made anyway where there is none that could ask."),
    ] = None,
    anyway: Anyway = False,
    json: JsonOption = False,
) -> None:
    """Serve a tuned model to programs that speak OpenAI's API. It is tested first, and is also live in the dashboard.

    JSON: `base_url`, `model`, `version`, `label`, `engine`, `key` (a new one, shown this once, or null), `home`.
    """
    settings = read_settings().model_copy(update={"port": port, **({"host": host} if host else {})})
    with open_workspace(settings) as workspace:
        # The web server costs a third of a second that no other command may pay.
        from ftkit.server.app import address, listen, ticking  # noqa: PLC0415
        from ftkit.server.gateway.app import serve_alone  # noqa: PLC0415
        from ftkit.server.gateway.service import Gateway  # noqa: PLC0415

        with listen(settings) as listener, ticking(workspace.tick):
            version = _live(workspace, target, engine, anyway)
            secret = _new_key(workspace, key_name)
            base_url = f"{address(settings, listener)}/v1"

            def announce() -> None:
                value = {
                    "base_url": base_url,
                    "model": "ftkit",
                    "version": version.id,
                    "label": version.label,
                    "engine": version.engine,
                    "key": secret,
                    "home": str(settings.home),
                }
                give(Answer(value, _shown(base_url, version, secret)), as_json=json)

            serve_alone(Gateway.of(workspace), listener, announce)


def _live(workspace: "Workspace", target: str | None, engine: str, anyway: bool) -> "Version":
    """What is live now; the target where one is given, tested unless it is live already."""
    live = workspace.serving.state().live
    if target is None:
        if live is None:
            raise Refused(
                "cli.nothing_to_serve",
                "Nothing is live yet. Say what to serve: ftkit serve RUN or ftkit serve EXPORT.",
            )
        return live
    if live and (live.target, live.engine) == (workspace.sources.target(target), engine):
        note(f"{live.label} is live already.")
        return live
    return deployed(workspace, target, engine, anyway=anyway)


def _new_key(workspace: "Workspace", name: str | None) -> str | None:
    """A new key where one is asked for, or where no key could ask for a chat."""
    usable = any(key.state == "active" and "chat" in key.scopes for key in workspace.keys.all())
    return workspace.keys.create(name or _KEY_NAME).secret if name or not usable else None


def _shown(base_url: str, version: "Version", secret: str | None) -> list[str]:
    from ftkit.serving.snippets import snippets  # noqa: PLC0415 - for a reader only

    key = (
        f"API key, not shown again: {secret}"
        if secret
        else "Use one of your API keys (ftkit keys create makes one)."
    )
    head = f"\n{version.label} answers at {base_url} as the model “ftkit”.\n{key}\n"
    return [head, snippets(base_url, key_hint=secret or "ftk_…")["curl"] + "\n"]
