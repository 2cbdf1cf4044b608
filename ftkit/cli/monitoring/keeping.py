"""``ftkit monitor settings``: what of the traffic is kept, who is told of alerts, when the live model is measured again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, facts
from ftkit.cli.session import open_workspace

if TYPE_CHECKING:
    from ftkit.workspace import Workspace


def settings(  # noqa: PLR0913 - the options of the command
    *,
    keep_texts: Annotated[
        bool | None,
        typer.Option(
            "--keep-texts/--drop-texts",
            help="Keep prompts, answers and corrections, masked; or numbers only.",
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3650, help="Delete requests that are older than this.")
    ] = None,
    forget_texts: Annotated[
        bool, typer.Option("--forget-texts", help="Erase all texts that are kept now; numbers stay.")
    ] = False,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="URL", help="Tell this address of alerts; '' ends it.")
    ] = None,
    try_webhook: Annotated[
        bool, typer.Option("--try-webhook", help="Send a test message to it now.")
    ] = False,
    error_share: Annotated[
        float | None,
        typer.Option(
            "--error-share", min=0, max=0.99, help="Alert from this share of failed requests; 0: never."
        ),
    ] = None,
    p95_seconds: Annotated[
        float | None,
        typer.Option("--p95-seconds", min=0, help="Alert when 5 % of the answers take longer; 0: never."),
    ] = None,
    down_share: Annotated[
        float | None,
        typer.Option("--down-share", min=0, max=0.99, help="Alert from this share of thumbs down; 0: never."),
    ] = None,
    reevaluate_days: Annotated[
        int | None,
        typer.Option("--reevaluate-days", help="Measure the live model again after so many days; 0: never."),
    ] = None,
) -> Answer:
    """Show what is chosen, after changing what is given. The secret of a webhook is shown when its address is chosen.

    JSON: `keep_texts`, `days`, `forgotten`, `webhook`, `secret`, `rules`, `reevaluation`.
    """
    limits = {"error_share": error_share, "p95_seconds": p95_seconds, "down_share": down_share}
    with open_workspace() as workspace:
        _choose_kept(workspace, {"keep_texts": keep_texts, "days": days})
        forgotten = workspace.traffic.forget_texts() if forget_texts else 0
        chosen = None if webhook is None else workspace.alerts.choose_webhook(webhook)
        if try_webhook:
            workspace.alerts.try_webhook()
        _choose_rules(workspace, limits)
        if reevaluate_days is not None:
            workspace.reevaluation.choose(reevaluate_days)
        value = _value(workspace, forgotten, chosen.secret if chosen else None)
    told = {name.replace("_", " "): one for name, one in value.items() if one is not None}
    shown: list[Any] = [facts(told)]
    if not value["keep_texts"]:
        shown.append("Only numbers are kept. Drift checks and harvests need texts: --keep-texts")
    return Answer(value, shown)


def _choose_kept(workspace: "Workspace", given: dict[str, Any]) -> None:
    kept = {name: value for name, value in given.items() if value is not None}
    if kept:
        workspace.traffic.choose(workspace.traffic.settings().model_copy(update=kept))


def _choose_rules(workspace: "Workspace", limits: dict[str, float | None]) -> None:
    changed = {name: value or None for name, value in limits.items() if value is not None}
    if changed:
        workspace.alerts.choose_rules(workspace.alerts.rules().model_copy(update=changed))


def _value(workspace: "Workspace", forgotten: int, secret: str | None) -> dict[str, Any]:
    kept, chosen = workspace.traffic.settings(), workspace.alerts.webhook()
    return {
        "keep_texts": kept.keep_texts,
        "days": kept.days,
        "forgotten": forgotten,
        "webhook": chosen.url if chosen else None,
        "secret": secret,
        "rules": workspace.alerts.rules().model_dump(mode="json"),
        "reevaluation": workspace.reevaluation.state().model_dump(mode="json"),
    }
