"""``ftkit monitor harvest`` and ``generations``: requests as the next dataset, and how each model that was served did."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.monitoring.spans import HELP, moment
from ftkit.cli.monitoring.watching import Version
from ftkit.cli.output import Answer, brief, table
from ftkit.cli.session import open_workspace
from ftkit.errors import BadInput

if TYPE_CHECKING:
    from ftkit.monitoring.harvest.wishes import Candidate

_SHOWN = 20
_LONGEST = 80


def harvest(  # noqa: PLR0913 - the options of the command
    *,
    down: Annotated[bool, typer.Option("--down", help="Answers that users rated bad.")] = False,
    up: Annotated[bool, typer.Option("--up", help="Answers that users rated good.")] = False,
    corrected: Annotated[bool, typer.Option("--corrected", help="Answers that users put right.")] = False,
    drift: Annotated[bool, typer.Option("--drift", help="Examples of the last drift check.")] = False,
    uncertain: Annotated[
        bool, typer.Option("--uncertain", help="The fifth of the answers that the model was least sure of.")
    ] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Answers that decline.")] = False,
    since: Annotated[str | None, typer.Option("--since", metavar="WHEN", help=HELP)] = None,
    version: Version = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=5000, help="At most so many rows.")] = 200,
    diverse: Annotated[
        bool, typer.Option("--diverse", help="Where more fit, take those that differ most from each other.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also requests that were harvested before.")] = False,
    name: Annotated[str, typer.Option("--name", help="Name of the dataset.")] = "",
    look: Annotated[bool, typer.Option("--look", help="Only show what would be taken.")] = False,
) -> Answer:
    """Make a dataset of requests whose texts were kept. A request that fits any of the reasons is taken.

    JSON: `dataset`, `rows`, `candidates`.
    """
    given = {"down": down, "up": up, "corrected": corrected}
    with open_workspace() as workspace:
        from ftkit.monitoring.harvest.wishes import HarvestWishes  # noqa: PLC0415 - pydantic, which --help does not need

        wishes = HarvestWishes.model_validate(
            {
                "feedback": [reason for reason, wanted in given.items() if wanted],
                "drift": drift,
                "uncertain": uncertain,
                "refused": refused,
                "since": moment(since, datetime.now(UTC)) if since else None,
                "version": version,
                "limit": limit,
                "diverse": diverse,
                "skip_harvested": not again,
            }
        )
        if not wishes.reasons:
            raise BadInput(
                "cli.no_reason",
                "Say which requests: --down, --up, --corrected, --drift, --uncertain or --refused; several are joined.",
            )
        if look:
            return _looked(workspace.harvests.candidates(wishes))
        made = workspace.harvest(wishes, name)
    shown = [
        f"Dataset {made.id} with {made.rows} rows: {made.name}",
        *made.notes,
        f"Next: ftkit data split {made.id}",
    ]
    return Answer({"dataset": made.id, "rows": made.rows, "candidates": []}, shown)


def _looked(found: Sequence["Candidate"]) -> Answer:
    rows = [(one.request, one.why, _short(one.messages), _short(one.right)) for one in found[:_SHOWN]]
    shown: list[Any] = [
        f"{len(found)} requests fit.",
        table(["request", "why", "asked", "to be learnt"], rows),
    ]
    candidates = [one.model_dump(mode="json") for one in found]
    return Answer({"dataset": None, "rows": len(found), "candidates": candidates}, shown)


def generations() -> Answer:
    """Each model that was served, the newest first, with its newest measurement, feedback and drift alarms.

    JSON: `generations`.
    """
    with open_workspace() as workspace:
        found = workspace.generations()
    if not found:
        return Answer({"generations": []}, ["No model was served yet. Serve one with: ftkit serve RUN"])
    rows = [
        (
            one.label,
            one.state,
            one.since.date().isoformat(),
            one.measured.metrics if one.measured else "not evaluated",
            one.requests,
            "not enough data" if one.thumbs_down.share is None else f"{one.thumbs_down.share:.1%}",
            f"{one.alarms} of {one.checks}",
        )
        for one in found
    ]
    heads = ["model", "state", "since", "measured", "requests", "thumbs down", "drift alarms"]
    shown: list[Any] = [table(heads, rows)]
    if len({one.measured.rows_hash for one in found if one.measured}) > 1:
        shown.append(
            "Not all are measured on the same rows: only those with the same `rows_hash` can be compared."
        )
    return Answer({"generations": [one.model_dump(mode="json") for one in found]}, shown)


def _short(said: object) -> str:
    text = brief(said[-1].get("content")) if isinstance(said, tuple) and said else str(said)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
