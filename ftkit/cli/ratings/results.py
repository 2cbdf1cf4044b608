"""``ftkit ratings summary``, ``export``, ``to-preferences``, ``verify``: what raters said, and what is learnt from it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, facts, table
from ftkit.cli.ratings.studies import StudyId
from ftkit.cli.session import open_workspace, write_file

if TYPE_CHECKING:
    from ftkit.loop.service import NextTraining


class MethodName(StrEnum):
    """Ways to learn from preferences."""

    dpo = "dpo"
    kto = "kto"


class Ties(StrEnum):
    """What a tie is."""

    drop = "drop"
    good = "good"


Method = Annotated[
    MethodName,
    typer.Option(
        "--as", help="dpo: pairs of a better and a worse answer; kto: answers marked as good or bad."
    ),
]
Agreement = Annotated[
    float,
    typer.Option(help="Share of an item's ratings that must agree; more than half must in any case."),
]
Margin = Annotated[
    float, typer.Option(help="Points by which the mean of the better answer must be higher, with scales.")
]
TieOption = Annotated[
    Ties,
    typer.Option(help="What a tie is: nothing that teaches, or with kto two answers that are good enough."),
]
UseEdits = Annotated[
    bool,
    typer.Option(
        "--edits/--no-edits", help="Whether an answer that a rater mended is better than what it mends."
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option(metavar="RATER", help="Leave out the ratings of a rater. May be repeated."),
]
WithRevoked = Annotated[
    bool,
    typer.Option("--with-revoked", help="Count the ratings of raters whose link was ended, too."),
]
LeastGold = Annotated[
    float,
    typer.Option(help="Leave out raters with a smaller share of the gold items right."),
]
UseTestRows = Annotated[
    bool,
    typer.Option(
        "--use-test-rows", help="Learn from prompts of the test part, which can then judge no model."
    ),
]


def to_preferences(  # noqa: PLR0913 - one parameter per option
    study: StudyId,
    *,
    as_: Method = MethodName.dpo,
    agreement: Agreement = 0.5,
    margin: Margin = 0.5,
    ties: TieOption = Ties.drop,
    edits: UseEdits = True,
    without: Without = None,
    with_revoked: WithRevoked = False,
    least_gold: LeastGold = 0.0,
    use_test_rows: UseTestRows = False,
) -> Answer:
    """Turn the ratings of a closed study into data that a model can be trained on, split with some pairs held back.

    Items that teach nothing are counted: without a majority, ties, both bad, the same text twice. `train` is the command that
    trains on it.

    JSON: `dataset`, `split`, `counts`, `train`.
    """
    with open_workspace() as workspace:
        from ftkit.ratings.preferences.wishes import PreferenceWishes  # noqa: PLC0415 - pydantic, not needed for --help

        wishes = PreferenceWishes.parse(
            {
                "method": as_.value,
                "agreement": agreement,
                "margin": margin,
                "ties": ties.value,
                "edits": edits,
                "without": without or [],
                "without_revoked": not with_revoked,
                "least_gold": least_gold,
                "use_test_rows": use_test_rows,
            }
        )
        made = workspace.loop.make_preferences(study, wishes)
        following = workspace.loop.next_training(study, made)
        spec = workspace.loop.begun_with(following).model_dump()
        usual = workspace.training.recipe(following.recipe).spec.model_dump()
    train = _train_command(following, spec, usual)
    value = {"dataset": made.dataset, "split": made.split, "counts": made.counts, "train": train}
    shown = facts({"dataset": made.dataset, "split": made.split, **made.counts})
    return Answer(value, [shown, "", f"Train on it with: {train}"])


def summary(
    study: StudyId,
    with_revoked: WithRevoked = False,
    least_gold: LeastGold = 0.0,
) -> Answer:
    """What the ratings say so far: who wins with what certainty, how far raters agree, and what is left out.

    JSON: `study`, `name`, `state`, `protocol`, `sides`, `labels`, `ratings`, `wanted`, `complete`, `headline`, `pairs`, `rankings`,
    `unranked`, `marks`, `mark_differences`, `agreement`, `position`, `rater_checks`, `slices`, `slices_more`, `compared`,
    `left_out`, `prompts`, `items`, `open_items`, `raters`, `names`, `criteria`, `points`, `changes`.
    """
    with open_workspace() as workspace:
        from ftkit.ratings.results.selecting import ResultOptions  # noqa: PLC0415 - pydantic, not needed for --help

        options = ResultOptions(without_revoked=not with_revoked, least_gold=least_gold)
        found = workspace.results.results(study, options)
    about = {
        name: found[name] for name in ("study", "name", "state", "ratings", "wanted", "complete", "left_out")
    }
    shown: list[Any] = [facts(about)]
    for pair in found["pairs"]:
        first, second = (found["labels"][pair[side]] for side in ("first", "second"))
        shown += [
            "",
            f"{first} is preferred to {second} in {pair['value']:.0%} of the ratings, ties half "
            f"(95 % interval {pair['low']:.0%} to {pair['high']:.0%}, {pair['ratings']} ratings): {pair['verdict']}.",
        ]
    if found["marks"]:
        heads = ["side", "criterion", "value", "low", "high", "ratings"]
        shown.append(table(heads, [[one[head] for head in heads] for one in found["marks"]]))
    return Answer(found, shown)


def export(
    study: StudyId,
    to: Annotated[str, typer.Option(help="csv for spreadsheets, jsonl for programs.")] = "csv",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it; a name of its own in this folder if left out."),
    ] = None,
) -> Answer:
    """Write all ratings to a file, one a row; those that do not count in the results say why.

    JSON: `study`, `file`, `to`.
    """
    with open_workspace() as workspace:
        download = workspace.results.export(study, to)
        path = write_file(download.pieces, out or Path(download.filename))
    return Answer({"study": study, "file": str(path), "to": to}, [str(path)])


def verify(study: StudyId) -> Answer:
    """Check that the history of the ratings is as it was written. Exit code 1 where it is not.

    JSON: `study`, `changes`, `first_broken`.
    """
    with open_workspace() as workspace:
        found = workspace.studies.verify(study)
    value = {"study": study, "changes": found.changes, "first_broken": found.first_broken}
    if found.first_broken is None:
        return Answer(value, [f"All {found.changes} changes are as they were written."])
    return Answer(value, [f"Change {found.first_broken} of {found.changes} is not as it was written."], 1)


def _train_command(following: "NextTraining", spec: dict[str, Any], usual: dict[str, Any]) -> str:
    changed = [f"--set {key}={_written(value)}" for key, value in spec.items() if value != usual[key]]
    return " ".join(["ftkit train", following.recipe, "--split", following.split, *changed])


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
