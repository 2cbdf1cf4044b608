"""``ftkit monitor report``, ``check`` and ``alerts``: how the traffic looks, whether it has drifted, what is to be known."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.monitoring.spans import HELP, moment
from ftkit.cli.output import Answer, brief, facts, table
from ftkit.cli.session import follow, open_workspace

if TYPE_CHECKING:
    from ftkit.monitoring.traffic.summary import Summary

Since = Annotated[str, typer.Option("--since", metavar="WHEN", help=HELP)]
Version = Annotated[
    str | None,
    typer.Option("--version", metavar="ID", help="Only of this version, as `ftkit serving status` has it."),
]
_TOO_FEW = "not enough data"


def report(since: Since = "7d", version: Version = None) -> Answer:
    """Requests, errors, time, tokens, refusals and feedback, and how the drift checks stand.

    JSON: `summary`, `drift`, `lost`, `alerts`.
    """
    with open_workspace() as workspace:
        found = workspace.traffic.summary(moment(since, datetime.now(UTC)), version)
        standing = workspace.drift.standing(version)
        lost = workspace.traffic.lost()
        alerts = len(workspace.alerts.unseen())
    drift = standing.model_dump(mode="json")
    shown: list[Any] = [_told(found)]
    if not found.requests:
        shown = [
            "No requests in this time. Serve a model with `ftkit serve RUN`, or look further back with --since."
        ]
    state = "overdue" if standing.overdue else (standing.outcome or "never checked")
    shown.append(
        f"Drift: {state}; last check: {brief(drift['last_at']) or 'none'}; new requests: {standing.waiting}"
    )
    if lost["numbers"] or lost["texts"]:
        shown.append(
            f"Not kept: {lost['numbers']} requests, {lost['texts']} texts ({brief(lost['reasons'])})"
        )
    shown.append(f"Alerts that nobody has seen: {alerts}")
    value = {"summary": found.model_dump(mode="json"), "drift": drift, "lost": lost, "alerts": alerts}
    return Answer(value, shown)


def check(
    version: Version = None,
    detach: Annotated[bool, typer.Option("--detach", help="Only start it.")] = False,
) -> Answer:
    """Compare the newest kept requests with the rows that the model was trained on, and wait for the result.

    JSON: `check`, `version`, `outcome`, `requests`, `report`.
    """
    with open_workspace() as workspace:
        id_ = workspace.drift.start_check(version)
        if not detach:
            follow(
                "Checking for drift",
                lambda on_look: workspace.drift.wait(id_, on_look),
                "Look at it with: ftkit monitor report",
                {"check": id_},
            )
        found = workspace.drift.get(id_)
    value = {
        "check": id_,
        "version": found.version,
        "outcome": found.outcome,
        "requests": found.requests,
        "report": found.report,
    }
    rows = [
        (
            one["kind"],
            "DRIFT" if one["drifted"] else "",
            one["statistic"],
            one["value"],
            one["reference"],
            one["p"],
            one["words"],
        )
        for one in found.report.get("findings", [])
    ]
    heads = ["what", "", "statistic", "now", "in training", "p", "words"]
    shown: list[Any] = [
        facts({"check": id_, "version": found.version, "outcome": found.outcome, "requests": found.requests})
    ]
    if rows:
        shown.append(table(heads, rows))
    return Answer(value, shown, exit_code=1 if found.outcome == "failed" else 0)


def alerts(
    seen: Annotated[
        str | None, typer.Option("--seen", metavar="ID", help="Mark this alert as seen, or `all` of them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were seen.")] = False,
) -> Answer:
    """Alerts that nobody has seen, the newest first.

    JSON: `alerts`, `marked`.
    """
    with open_workspace() as workspace:
        marked = workspace.alerts.seen(None if seen == "all" else seen) if seen else 0
        found = workspace.alerts.all() if everything else workspace.alerts.unseen()
    values = [one.model_dump(mode="json") for one in found]
    if not values:
        return Answer({"alerts": [], "marked": marked}, ["Nothing to report."])
    rows = [
        (
            v["id"],
            v["at"],
            v["kind"],
            v["version"],
            v["values"],
            v["delivery"]["state"] if v["delivery"] else "",
        )
        for v in values
    ]
    return Answer(
        {"alerts": values, "marked": marked},
        [table(["alert", "at", "kind", "version", "values", "webhook"], rows)],
    )


def _told(found: "Summary") -> Any:
    latency, first = found.latency, found.first_token
    return facts(
        {
            "from": found.since.isoformat(timespec="minutes"),
            "requests": found.requests,
            "failed": f"{found.failed.count} ({_share(found.failed.share)})",
            "errors": found.errors,
            "seconds (half / 19 of 20)": f"{_number(latency.p50)} / {_number(latency.p95)}",
            "first token (half / 19 of 20)": f"{_number(first.p50)} / {_number(first.p95)}",
            "tokens (prompts / answers)": f"{found.prompt_tokens} / {found.answer_tokens}",
            "refused": f"{found.refused.count} ({_share(found.refused.share)})",
            "thumbs (up / down)": f"{found.up} / {found.down} ({_share(found.thumbs_down.share)} down)",
            "rating": _number(found.rating),
            "corrections": found.corrections,
            "personal data in prompts": found.personal if found.masked else "unknown: no texts are kept",
        }
    )


def _number(value: float | None) -> str:
    return _TOO_FEW if value is None else brief(value)


def _share(value: float | None) -> str:
    return _TOO_FEW if value is None else f"{value:.1%}"
