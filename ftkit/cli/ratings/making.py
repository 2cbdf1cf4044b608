"""``ftkit ratings new``: let models answer, for people to rate."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ftkit.cli.output import Answer
from ftkit.cli.ratings.studies import Detach, wait_for
from ftkit.cli.session import open_workspace
from ftkit.errors import BadInput

if TYPE_CHECKING:
    from ftkit.ratings.studies.options import Source
    from ftkit.workspace import Workspace

_PART = "validation"


class ProtocolName(StrEnum):
    """What raters say of answers."""

    pairs = "pairs"
    scales = "scales"
    ranking = "ranking"
    pass_fail = "pass_fail"  # noqa: S105 - a protocol, not a secret


Sides = Annotated[
    list[str],
    typer.Argument(
        metavar="SIDE...",
        help="The models, up to four: base:MODEL, run:RUN, checkpoint:RUN/STEP or export:EXPORT, with @0.5 behind it for half the strength "
        "of an adapter; or the id of a run, which means its base model and itself.",
    ),
]
Protocol = Annotated[
    ProtocolName,
    typer.Option(
        help="pairs: which of two answers is better; scales: points on each criterion; ranking: the answers in order; "
        "pass_fail: whether each is good enough."
    ),
]
Prompts = Annotated[
    str | None,
    typer.Option(
        metavar="SPLIT[:PART]",
        help="Prompts from a split; from the validation part if none is named, for a model must not learn the test part.",
    ),
]
Dataset = Annotated[str | None, typer.Option(metavar="DATASET", help="Prompts from a dataset instead.")]
Texts = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Prompts from a text file instead, one a line.")
]
Rows = Annotated[int, typer.Option(help="How many prompts, drawn at random.")]
Overlap = Annotated[int, typer.Option(help="How many raters see each item.")]
Gold = Annotated[
    int, typer.Option(help="Items with a known right choice beside them, to see who pays attention.")
]
Criteria = Annotated[
    str | None,
    typer.Option(metavar="NAME,NAME", help="Criteria of scales; helpful,correct,coherent if left out."),
]
Points = Annotated[int, typer.Option(help="Best mark of a scale.")]
Guidelines = Annotated[Path | None, typer.Option(metavar="FILE", help="Text file that raters read first.")]
ShowReference = Annotated[bool, typer.Option("--show-reference", help="Show raters the data's own answer.")]
Editing = Annotated[
    bool, typer.Option("--editing/--no-editing", help="Whether raters may write a better answer.")
]
Temperature = Annotated[float, typer.Option(help="0 takes the likeliest token each time.")]
TopP = Annotated[float, typer.Option(help="Choose among the likeliest tokens of this share.")]
MaxNewTokens = Annotated[int, typer.Option(help="Longest answer.")]
Seed = Annotated[int, typer.Option(help="The same seed draws the same prompts and answers.")]
Name = Annotated[str, typer.Option(help="What raters see as the title.")]
Open = Annotated[bool, typer.Option("--open", help="Open it as soon as the answers are there.")]


def new(  # noqa: PLR0913 - one parameter per option
    sides: Sides,
    *,
    protocol: Protocol = ProtocolName.pairs,
    prompts: Prompts = None,
    dataset: Dataset = None,
    texts: Texts = None,
    rows: Rows = 50,
    overlap: Overlap = 3,
    gold: Gold = 0,
    criteria: Criteria = None,
    points: Points = 5,
    guidelines: Guidelines = None,
    show_reference: ShowReference = False,
    editing: Editing = True,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    max_new_tokens: MaxNewTokens = 256,
    seed: Seed = 42,
    name: Name = "",
    open_: Open = False,
    detach: Detach = False,
) -> Answer:
    """Let models answer the same prompts, for people to rate without knowing whose answer is whose.

    JSON: `study`, `name`, `state`, `protocol`, `sides`, `split`, `part`, `dataset`, `items`, `gold`, `named`, `raters`, `ratings`,
    `wanted`, `complete`, `answered`, `answers_wanted`, `left_out`, `created_at`, `opened_at`, `closed_at`.
    """
    with open_workspace() as workspace:
        from ftkit.ratings.studies.options import StudyOptions  # noqa: PLC0415 - pydantic, which --help does not need

        options = StudyOptions.parse(
            {
                "name": name,
                "protocol": protocol.value,
                "sides": _sides(workspace, sides),
                "overlap": overlap,
                "gold": gold,
                **({"criteria": [one.strip() for one in criteria.split(",")]} if criteria else {}),
                "points": points,
                "guidelines": _read(guidelines) if guidelines else "",
                "show_reference": show_reference,
                "editing": editing,
                "sampling": {
                    "temperature": temperature,
                    "top_p": top_p,
                    "max_new_tokens": max_new_tokens,
                    "seed": seed,
                },
                "seed": seed,
            }
        )
        given = _read(texts).splitlines() if texts else []
        study = workspace.loop.new_study(options, _source(prompts, dataset), texts=given, rows=rows)
        return wait_for(workspace, study.id, detach=detach, and_open=open_)


def _sides(workspace: "Workspace", given: list[str]) -> list[str]:
    """The names; the id of a run alone stands for its base model and the run."""
    found: list[str] = []
    for text in given:
        one = text.strip()
        if ":" in one:
            found.append(one)
        else:
            run = workspace.training.get(one).run
            found += [side for side in (f"base:{run.model}", f"run:{run.id}") if side not in found]
    return found


def _source(prompts: str | None, dataset: str | None) -> "Source":
    from ftkit.ratings.studies.options import Source  # noqa: PLC0415 - pydantic, which --help does not need

    split, _, part = (prompts or "").partition(":")
    return Source(split=split, part=(part or _PART) if split else "", dataset=dataset or "")


def _read(path: Path) -> str:
    try:
        text = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "cli.no_text",
            "{path} cannot be read as text ({reason}). Give a UTF-8 text file.",
            path=path,
            reason=error,
        ) from error
    if not text:
        raise BadInput("cli.empty_text", "{path} is empty. Write something into it.", path=path)
    return text
