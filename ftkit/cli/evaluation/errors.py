"""``ftkit errors``: the rows that a tuned model got wrong, tags on them, and rows for the next dataset."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ftkit.cli.output import Answer, command, table
from ftkit.cli.session import open_workspace
from ftkit.errors import BadInput

if TYPE_CHECKING:
    from ftkit.evaluation.errors.analysis import LookedAt
    from ftkit.evaluation.errors.selection import Selection
    from ftkit.evaluation.errors.service import Looked
    from ftkit.evaluation.errors.slices import Slice

_SHORT = 80  # characters of a text in the table
_SHOW = "show"


class _ShowFirst(TyperGroup):
    """``ftkit errors EVALUATION`` is ``ftkit errors show EVALUATION``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command in where an id stands in its place."""
        named = not args or args[0] in self.commands or args[0].startswith("-")
        parsed: list[str] = super().parse_args(ctx, args if named else [_SHOW, *args])
        return parsed


app = typer.Typer(
    cls=_ShowFirst,
    help="Errors of an evaluation: show (the name can be left out), tag, send.",
    no_args_is_help=True,
)

EvaluationId = Annotated[str, typer.Argument(metavar="EVALUATION", help="Id of a finished evaluation.")]
Measure = Annotated[str, typer.Option(help="Which measure says what is right; the first one if left out.")]
Kind = Annotated[
    str,
    typer.Option(help="all, regressions, improvements, both_wrong, both_right or alike."),
]
SliceOption = Annotated[
    str,
    typer.Option(
        "--slice", metavar="NAME=VALUE", help="Rows of one slice, as the JSON of this command names them."
    ),
]
Error = Annotated[
    str, typer.Option(help="Kind of error of the tuned model, such as not_json or wrong_field:category.")
]
Tag = Annotated[str, typer.Option(help="Rows with this tag.")]
_PLURALS = {"regressions": "regression", "improvements": "improvement"}


@command(app, _SHOW)
def show(  # noqa: PLR0913 - one parameter per option
    evaluation: EvaluationId,
    *,
    measure: Measure = "",
    kind: Kind = "all",
    slice_: SliceOption = "",
    error: Error = "",
    tag: Tag = "",
    sort: Annotated[str, typer.Option(help="worst, change or row.")] = "worst",
    limit: Annotated[int, typer.Option(min=0, help="Most rows to show; the counts are of all.")] = 20,
) -> Answer:
    """Show where base and tuned model went wrong.

    JSON: `evaluation`, `measure`, `measures`, `outcomes`, `errors` (kind → rows by side), `tags`, `slices` (`slice`, `value`, `bounds`,
    `rows`, `base`, `tuned`, `difference`, `low`, `high`, `says`), `matching`, `rows` (`row`, counted from 0, `outcome`, `prompt`,
    `reference`, `base_answer`, `tuned_answer`, `base_score`, `tuned_score`, `base_errors`, `tuned_errors`, `tags`, `right_answer`).
    """
    chosen = _selection(measure=measure, kind=kind, slice_=slice_, error=error, tag=tag, sort=sort)
    with open_workspace() as workspace:
        looked = workspace.mistakes.look(evaluation)
        analysis, found = looked.analysis, looked.chosen(chosen)
        by = analysis.measure(chosen.measure)
        value = {
            "evaluation": evaluation,
            "measure": by.name,
            "measures": [one.name for one in analysis.measures],
            "outcomes": analysis.outcomes(by),
            "errors": analysis.errors(by),
            "tags": looked.tag_counts(),
            "slices": [_slice(one) for one in analysis.slices(by)],
            "matching": len(found),
            "rows": [_row(looked, one) for one in found[:limit]],
        }
    return Answer(value, _shown(value))


@command(app, "tag")
def tag_row(
    evaluation: EvaluationId,
    row: Annotated[int, typer.Argument(min=0, help="Place of the row in its part, counted from 0.")],
    tag: Annotated[str, typer.Argument(help="A word, or several.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag back.")] = False,
) -> Answer:
    """Tag a row of an evaluation.

    JSON: `evaluation`, `row`, `tags`.
    """
    from ftkit.records import OWNER  # noqa: PLC0415 - pydantic takes time that --help must not pay

    with open_workspace() as workspace:
        if remove:
            workspace.mistakes.untag(evaluation, row, tag)
        else:
            workspace.mistakes.tag(evaluation, [row], tag, OWNER)
        tags = list(workspace.mistakes.look(evaluation).tags.get(row, ()))
    return Answer(
        {"evaluation": evaluation, "row": row, "tags": tags}, [f"Row {row}: {', '.join(tags) or 'no tag'}"]
    )


@command(app, "send")
def send(  # noqa: PLR0913 - one parameter per option
    evaluation: EvaluationId,
    *,
    row: Annotated[
        list[int] | None,
        typer.Option(min=0, help="A row, counted from 0. May be repeated; otherwise the filters choose."),
    ] = None,
    measure: Measure = "",
    kind: Kind = "all",
    slice_: SliceOption = "",
    error: Error = "",
    tag: Tag = "",
    name: Annotated[str, typer.Option(help="Name of the new dataset.")] = "",
    use_test_rows: Annotated[
        bool,
        typer.Option(
            "--use-test-rows",
            help="Send rows of the test part; they can then judge no model any more that learns them.",
        ),
    ] = False,
) -> Answer:
    """Make a new dataset of rows of an evaluation, with the right answers that were given on the page.

    JSON: `dataset`, `name`, `rows`, `columns`, `mapping`, `parents`, `notes`.
    """
    chosen = _selection(measure=measure, kind=kind, slice_=slice_, error=error, tag=tag)
    if not row and chosen == _selection():
        raise BadInput(
            "cli.which_rows", "Say which rows to send: by --row, --kind, --slice, --error or --tag."
        )
    with open_workspace() as workspace:
        rows = row or [one.row for one in workspace.mistakes.look(evaluation).chosen(chosen)]
        made = workspace.send_rows(evaluation, rows, name, use_test_rows=use_test_rows)
    value = {
        "dataset": made.id,
        "name": made.name,
        "rows": made.rows,
        "columns": list(made.columns),
        "mapping": made.mapping,
        "parents": list(made.parents),
        "notes": list(made.notes),
    }
    return Answer(value, [f"Dataset {made.id}: {made.rows} rows", *made.notes])


def _selection(kind: str = "all", slice_: str = "", **others: str) -> "Selection":
    from ftkit.evaluation.errors.selection import Selection  # noqa: PLC0415 - as above

    name, equals, value = slice_.partition("=")
    if slice_ and not equals:
        raise BadInput(
            "cli.bad_slice", "--slice needs NAME=VALUE, such as language=en; got {given}.", given=slice_
        )
    given = {"kind": _PLURALS.get(kind, kind), "slice": name, "value": value, **others}
    return Selection.parse(given)


def _slice(one: "Slice") -> dict[str, Any]:
    value = one._asdict()
    cut = value.pop("dimension")
    return {"slice": cut.key, "bounds": list(cut.bounds[one.value]) if cut.bounds else None, **value}


def _row(looked: "Looked", one: "LookedAt") -> dict[str, Any]:
    return {
        "row": one.row,
        "outcome": one.outcome,
        **{name: one.sample.get(name) for name in ("prompt", "reference", "base_answer", "tuned_answer")},
        **{f"{side}_score": score for side, score in one.scores.items()},
        **{f"{side}_errors": list(kinds) for side, kinds in one.errors.items()},
        "tags": list(looked.tags.get(one.row, ())),
        "right_answer": looked.answers.get(one.row),
    }


def _shown(value: dict[str, Any]) -> list[Any]:
    errors = [(kind, counts["base"], counts["tuned"]) for kind, counts in value["errors"].items()]
    slices = [
        (one["slice"], _bounds(one), *(one[key] for key in ("rows", "base", "tuned", "difference", "says")))
        for one in value["slices"]
    ]
    rows = [
        (one["row"], one["outcome"], *(_short(one[key]) for key in ("prompt", "reference", "tuned_answer")), ", ".join(one["tags"]))
        for one in value["rows"]
    ]  # fmt: skip
    return [
        table(["outcome", "rows"], value["outcomes"].items(), f"By {value['measure']}"),
        "",
        table(["kind of error", "base", "tuned"], errors),
        "",
        table(["slice", "value", "rows", "base", "tuned", "difference", "says"], slices),
        "",
        table(
            ["row", "outcome", "prompt", "reference", "tuned", "tags"],
            rows,
            f"{value['matching']} rows match",
        ),
    ]


def _bounds(one: dict[str, Any]) -> str:
    return (
        f"{one['value']} ({one['bounds'][0]} to {one['bounds'][1]} words)" if one["bounds"] else one["value"]
    )


def _short(text: str | None) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"
