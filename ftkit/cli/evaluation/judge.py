"""``ftkit judge``: have a language model compare the answers of an evaluation, row by row."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.evaluation.default import StartsByDefault
from ftkit.cli.output import Answer, command, facts, note, table
from ftkit.cli.runs import error_value
from ftkit.cli.session import check_done, follow, open_workspace
from ftkit.errors import BadInput

if TYPE_CHECKING:
    from ftkit.evaluation.judge.service import JudgementView
    from ftkit.workspace import Workspace

_SHOWN = 20  # verdicts of a table


app = typer.Typer(
    cls=StartsByDefault,
    help="A language model as a judge: `ftkit judge EVALUATION` starts one; list, show, retry, stop, delete.",
    no_args_is_help=True,
)

JudgementId = Annotated[str, typer.Argument(metavar="JUDGEMENT", help="Id of a judgement.")]
EvaluationId = Annotated[
    str, typer.Argument(metavar="EVALUATION", help="Id of a finished evaluation; `start` may be left out.")
]
EndpointUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Base URL of an OpenAI-compatible endpoint, e.g. http://127.0.0.1:8000/v1."
    ),
]
ModelName = Annotated[str | None, typer.Option(metavar="NAME", help="The model's name at the endpoint.")]
KeyName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Environment variable that holds the key: FTKIT_JUDGE_KEY, or one that ends in API_KEY.",
    ),
]
LocalModel = Annotated[
    str | None, typer.Option(metavar="MODEL", help="Judge with a model on this machine instead.")
]
RubricFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Text file with the criteria; a good default if left out.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")]


@command(app, "start")
def start(  # noqa: PLR0913 - one parameter per option
    evaluation: EvaluationId,
    *,
    endpoint: EndpointUrl = None,
    model: ModelName = None,
    key_env: KeyName = None,
    local: LocalModel = None,
    rubric: RubricFile = None,
    language: Annotated[str, typer.Option(help="Language of the question to the judge: en or tr.")] = "en",
    rows: Annotated[
        int | None, typer.Option(min=1, help="How many rows, drawn at random; all if left out.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Longest wait for one verdict.")] = 60.0,
    at_once: Annotated[int, typer.Option(min=1, max=32, help="Verdicts asked for at the same time.")] = 4,
    most_tokens: Annotated[int, typer.Option(min=1, help="Tokens that may be sent in all.")] = 2_000_000,
    detach: Detach = False,
) -> Answer:
    """Ask which answer is better, in both orders. The questions, references and answers of the rows go to the endpoint.

    JSON: `judgement`, `evaluation`, `state`, `judge`, `rows`, `left_out`, `judged`, `coverage`, `failed_rows`, `missing`,
    `outcomes`, `decided`, `win_rate`, `p`, `verdict`, `position`, `failures`, `tokens`, `agreement`.
    """
    if bool(endpoint) == bool(local) or bool(endpoint) != bool(model):
        raise BadInput("cli.which_judge", "Give --endpoint URL and --model NAME, or --local MODEL.")
    with open_workspace() as workspace:
        from ftkit.evaluation.judge.options import JudgeOptions  # noqa: PLC0415 - pydantic, which --help does not need

        options = JudgeOptions.parse(
            model=model or local,
            endpoint=endpoint or "",
            key_env=key_env or "",
            private=True,  # whoever types a command can reach the network of this machine anyway
            rubric=_read_rubric(rubric) if rubric else "",
            language=language,
            rows=rows,
            seconds=seconds,
            at_once=at_once,
            most_tokens=most_tokens,
        )
        made = workspace.judge.start(evaluation, options)
        return _watch(workspace, made.id, detach)


@command(app, "list")
def list_judgements(
    evaluation: Annotated[
        str | None, typer.Option(metavar="ID", help="Only those of one evaluation.")
    ] = None,
) -> Answer:
    """All judgements, newest first.

    JSON: `judgements`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        values = [judgement_value(view) for view in workspace.judge.all(evaluation)]
    if not values:
        return Answer(
            {"judgements": []}, ["No judgements yet. Start one with: ftkit judge EVALUATION --local MODEL"]
        )
    heads = ["judgement", "evaluation", "judge", "state", "rows", "judged", "verdict"]
    cells = [
        (
            v["judgement"],
            v["evaluation"],
            v["judge"]["model"],
            v["state"],
            v["rows"],
            v["judged"],
            v["verdict"],
        )
        for v in values
    ]
    return Answer({"judgements": values}, [table(heads, cells)])


@command(app, "show")
def show(judgement: JudgementId) -> Answer:
    """One judgement with its verdicts row by row.

    JSON: the same as `judge start`, and `verdicts`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        view = workspace.judge.get(judgement)
        rows = workspace.judge.rows(judgement)
    cells = [(row["row"], row["outcome"] or "none", _said(row["lines"])) for row in rows[:_SHOWN]]
    more = [f"… and {len(rows) - _SHOWN} more rows, all of them with --json"] if len(rows) > _SHOWN else []
    shown = [*_shown(view), "", table(["row", "preferred", "reason, or what failed"], cells), *more]
    return Answer({**judgement_value(view), "verdicts": rows}, shown)


@command(app, "retry")
def retry(
    judgement: JudgementId,
    detach: Detach = False,
) -> Answer:
    """Ask again for the verdicts that failed or are missing, and for no other.

    JSON: the same as `judge start`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        workspace.judge.retry(judgement)
        return _watch(workspace, judgement, detach)


@command(app, "stop")
def stop(judgement: JudgementId) -> Answer:
    """Stop a judgement; its verdicts so far stay, and `ftkit judge retry` asks for the others.

    JSON: the same as `judge start`.
    """
    with open_workspace() as workspace:
        workspace.judge.stop(judgement)
        view = workspace.judge.wait(judgement)
    return Answer(judgement_value(view), _shown(view))


@command(app, "delete")
def delete(judgement: JudgementId) -> Answer:
    """Delete a judgement with its verdicts.

    JSON: `judgement`, `deleted`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        workspace.judge.delete(judgement)
    return Answer({"judgement": judgement, "deleted": True}, [f"Judgement {judgement} is deleted."])


def judgement_value(view: "JudgementView") -> dict[str, Any]:
    """A judgement as JSON."""
    value = {
        "judgement": view.judgement.id,
        "evaluation": view.judgement.evaluation,
        "state": view.job.state,
        "missing": view.missing,
        **view.report,
    }
    if view.job.error:
        value["error"] = error_value(view.job.error)
    return value


def _watch(workspace: "Workspace", judgement: str, detach: bool) -> Answer:
    """The judgement at its end, or now."""
    again = f"ftkit judge retry {judgement}"
    if detach:
        view = workspace.judge.get(judgement)
        return Answer(judgement_value(view), [f"The judge is asked: ftkit judge show {judgement}"])
    wait: Callable[..., JudgementView] = workspace.judge.wait
    view = follow(
        "Judging",
        lambda look: wait(judgement, look),
        f"Look at it with: ftkit judge show {judgement}",
        {"judgement": judgement},
    )
    if view.job.state != "done":
        note(f"{view.report['judged']} of {view.report['rows']} rows have their verdict. Go on with: {again}")
    check_done("judgement", view.job, workspace.jobs.folder(view.job).log)
    if view.missing:
        note(f"{view.missing} rows have no verdict. Ask for these again with: {again}")
    return Answer(judgement_value(view), _shown(view))


def _shown(view: "JudgementView") -> list[Any]:
    """A judgement for a reader."""
    from ftkit.evaluation.judge.words import judged_facts, verdict_sentence  # noqa: PLC0415 - not needed for --help

    about = {"judgement": view.judgement.id, "evaluation": view.judgement.evaluation, "state": view.job.state}
    about |= {one.name: one.value for one in judged_facts(view.report, "en")}
    return [facts(about), "", verdict_sentence(view.report, "en")]


def _said(lines: list[dict[str, Any]]) -> str:
    """What was said of a row, in one line."""
    texts = [
        line.get("reason") or f"{line.get('failure', 'same answers')} {line.get('detail', '')}"
        for line in lines
    ]
    return " | ".join(" ".join(text.split())[:150] for text in texts)


def _read_rubric(path: Path) -> str:
    try:
        text = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "cli.bad_rubric",
            "{path} cannot be read as text ({reason}). Give a UTF-8 text file.",
            path=path,
            reason=error,
        ) from error
    if not text:
        raise BadInput(
            "cli.empty_rubric",
            "{path} is empty. Write the criteria into it, or leave --rubric out.",
            path=path,
        )
    return text
