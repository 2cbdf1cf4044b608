"""``ftkit keys``: who may ask the gateway, how often and how much."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, command, facts, table
from ftkit.cli.session import open_workspace
from ftkit.errors import BadInput

if TYPE_CHECKING:
    from ftkit.serving.keys.service import KeyView

app = typer.Typer(help="API keys of the gateway: create, list, revoke.", no_args_is_help=True)

_SCOPES = "chat,completions,models,feedback"


def create(
    name: Annotated[str, typer.Argument(help="What you call it, such as the program that uses it.")],
    scopes: Annotated[
        str, typer.Option(help="What it may ask, with commas; also metrics, for Prometheus.")
    ] = _SCOPES,
    requests_per_minute: Annotated[
        int, typer.Option(min=0, help="How often it may ask; 0 for no limit.")
    ] = 60,
    tokens_per_day: Annotated[
        int, typer.Option(min=0, help="Tokens of prompts and answers a day of UTC; 0 for no limit.")
    ] = 0,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends, in UTC, such as 2027-01-31.")
    ] = None,
) -> Answer:
    """Make a key. It is shown this once: only its fingerprint is kept.

    JSON: `key`, `id`, `name`, `scopes`, `requests_per_minute`, `tokens_per_day`, `expires_at`.
    """
    wanted = tuple(scope.strip() for scope in scopes.split(",") if scope.strip())
    with open_workspace() as workspace:
        made = workspace.keys.create(
            name, wanted, requests_per_minute or None, tokens_per_day or None, _time(expires)
        )
    value = {"key": made.secret, **_value(made.key)}
    shown = f"Keep it now, it is not shown again:\n\n    {made.secret}\n"
    return Answer(
        value, [shown, facts({name: value[name] for name in ("id", "name", "scopes", "expires_at")})]
    )


def list_keys() -> Answer:
    """All keys without their secrets, ended ones too.

    JSON: `keys`.
    """
    with open_workspace() as workspace:
        keys = [_value(key) for key in workspace.keys.all()]
    headers = [
        "id",
        "name",
        "hint",
        "state",
        "scopes",
        "requests_per_minute",
        "tokens_per_day",
        "last_used_at",
    ]
    return Answer({"keys": keys}, [table(headers, [[key[name] for name in headers] for key in keys])])


def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Id, as `ftkit keys list` has it.")],
) -> Answer:
    """End a key at once.

    JSON: `id`, `name`, `state` and the rest of the key.
    """
    with open_workspace() as workspace:
        ended = workspace.keys.revoke(key)
    return Answer(_value(ended), [f"The key {ended.name} has ended."])


def _value(key: "KeyView") -> dict[str, Any]:
    return key.model_dump(mode="json")


def _time(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
    except ValueError as error:
        raise BadInput(
            "cli.bad_time",
            "{given} is no time. Write it as 2027-01-31 or 2027-01-31T12:00.",
            given=repr(given),
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


command(app, "create")(create)
command(app, "list")(list_keys)
command(app, "revoke")(revoke)
