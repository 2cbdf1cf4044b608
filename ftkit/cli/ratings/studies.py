"""``ftkit ratings new``, ``list``, ``show``, ``open``, ``close``, ``retry``, ``delete``: studies in which people rate answers."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, facts, note, table
from ftkit.cli.session import check_done, follow, open_workspace
from ftkit.errors import BadInput

if TYPE_CHECKING:
    from ftkit.ratings.studies.options import Source
    from ftkit.ratings.studies.views import RaterView, StudyView
    from ftkit.workspace import Workspace

StudyId = Annotated[str, typer.Argument(metavar="STUDY", help="Id of a study.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait until all models have answered.")]
_PART = "validation"


class ProtocolName(StrEnum):
    """What raters say of answers."""

    pairs = "pairs"
    scales = "scales"
    ranking = "ranking"
    pass_fail = "pass_fail"  # noqa: S105 - a protocol, not a secret


def new(  # noqa: PLR0913 - one parameter per option
    sides: Annotated[
        list[str],
        typer.Argument(
            metavar="SIDE...",
            help="The models, up to four: base:MODEL, run:RUN or checkpoint:RUN/STEP, with @0.5 behind it for half the strength "
            "of an adapter; or the id of a run, which means its base model and itself.",
        ),
    ],
    *,
    protocol: Annotated[
        ProtocolName,
        typer.Option(
            help="pairs: which of two answers is better; scales: points on each criterion; ranking: the answers in order; "
            "pass_fail: whether each is good enough."
        ),
    ] = ProtocolName.pairs,
    prompts: Annotated[
        str | None,
        typer.Option(
            metavar="SPLIT[:PART]",
            help="Prompts from a split; from the validation part if none is named, for a model must not learn the test part.",
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="DATASET", help="Prompts from a dataset instead.")
    ] = None,
    texts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prompts from a text file instead, one a line.")
    ] = None,
    rows: Annotated[int, typer.Option(help="How many prompts, drawn at random.")] = 50,
    overlap: Annotated[int, typer.Option(help="How many raters see each item.")] = 3,
    gold: Annotated[
        int, typer.Option(help="Items with a known right choice beside them, to see who pays attention.")
    ] = 0,
    criteria: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Criteria of scales; helpful,correct,coherent if left out."),
    ] = None,
    points: Annotated[int, typer.Option(help="Best mark of a scale.")] = 5,
    guidelines: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Text file that raters read first.")
    ] = None,
    show_reference: Annotated[
        bool, typer.Option("--show-reference", help="Show raters the data's own answer.")
    ] = False,
    editing: Annotated[
        bool, typer.Option("--editing/--no-editing", help="Whether raters may write a better answer.")
    ] = True,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token each time.")] = 0.0,
    top_p: Annotated[float, typer.Option(help="Choose among the likeliest tokens of this share.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer.")] = 256,
    seed: Annotated[int, typer.Option(help="The same seed draws the same prompts and answers.")] = 42,
    name: Annotated[str, typer.Option(help="What raters see as the title.")] = "",
    open_: Annotated[bool, typer.Option("--open", help="Open it as soon as the answers are there.")] = False,
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
        return _wait(workspace, study.id, detach=detach, and_open=open_)


def list_studies() -> Answer:
    """All studies, newest first.

    JSON: `studies`.
    """
    with open_workspace() as workspace:
        workspace.tick()
        values = [study_value(view) for view in workspace.studies.all()]
    if not values:
        hint = "No studies yet. Begin one with: ftkit ratings new RUN --prompts SPLIT"
        return Answer({"studies": []}, [hint])
    heads = ["study", "name", "state", "protocol", "items", "raters", "ratings", "wanted"]
    return Answer({"studies": values}, [table(heads, [[one[head] for head in heads] for one in values])])


def show(study: StudyId) -> Answer:
    """One study with its raters. Names of models are for you alone: raters never see them.

    JSON: the same as `ratings new`, and `options`, `people`, `parents`.
    """
    with open_workspace() as workspace:
        workspace.tick()
        view = workspace.studies.get(study)
        people = workspace.studies.raters(study)
    heads = ["rater", "name", "rated", "skipped", "given", "seen_at", "revoked_at"]
    values = [rater_value(one) for one in people]
    value = {
        **study_value(view),
        "options": view.options.model_dump(mode="json"),
        "people": values,
        "parents": list(view.study.parents),
    }
    listed = [table(heads, [[one[head] for head in heads] for one in values])] if values else []
    return Answer(value, [*_shown(view), *listed, "", _next_step(view)])


def open_study(study: StudyId) -> Answer:
    """Let raters in. The answers do not change any more.

    JSON: the same as `ratings new`.
    """
    with open_workspace() as workspace:
        workspace.tick()
        return _answer(workspace.studies.open(study))


def close(study: StudyId) -> Answer:
    """Let nobody rate any more; `open` lets them in again.

    JSON: the same as `ratings new`.
    """
    with open_workspace() as workspace:
        workspace.tick()
        return _answer(workspace.studies.close(study))


def retry(study: StudyId, detach: Detach = False) -> Answer:
    """Go on with the answers of a study that was stopped or failed; what was answered is not asked again.

    JSON: the same as `ratings new`.
    """
    with open_workspace() as workspace:
        workspace.tick()
        workspace.studies.retry(study)
        return _wait(workspace, study, detach=detach, and_open=False)


def delete(study: StudyId) -> Answer:
    """Delete a study with its answers and ratings.

    JSON: `study`, `deleted`.
    """
    with open_workspace() as workspace:
        workspace.tick()
        workspace.studies.delete(study)
    return Answer({"study": study, "deleted": True}, [f"Study {study} is deleted."])


def study_value(view: "StudyView") -> dict[str, Any]:
    """A study as JSON."""
    counts = (
        "items",
        "gold",
        "named",
        "raters",
        "ratings",
        "wanted",
        "complete",
        "answered",
        "answers_wanted",
    )
    return {
        "study": view.study.id,
        "name": view.study.name,
        "state": view.state,
        "protocol": view.study.protocol,
        "sides": list(view.study.sides),
        "split": view.study.split,
        "part": view.study.part,
        "dataset": view.study.dataset,
        **{name: getattr(view, name) for name in counts},
        "left_out": dict(view.left_out),
        "created_at": view.study.created_at.isoformat(),
        "opened_at": view.opened_at and view.opened_at.isoformat(),
        "closed_at": view.closed_at and view.closed_at.isoformat(),
    }


def rater_value(one: "RaterView") -> dict[str, Any]:
    """A rater as JSON."""
    times = {name: getattr(one, name) for name in ("invited_at", "seen_at", "revoked_at")}
    return {**one._asdict(), **{name: at and at.isoformat() for name, at in times.items()}}


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


def _wait(workspace: "Workspace", study: str, *, detach: bool, and_open: bool) -> Answer:
    """The study once all models have answered, or now."""
    if detach:
        view = workspace.studies.get(study)
        return Answer(study_value(view), [f"The models answer: ftkit ratings show {study}"])
    wait: Callable[..., StudyView] = workspace.studies.wait
    view = follow(
        "Answering",
        lambda look: wait(study, look),
        f"Look at it with: ftkit ratings show {study}",
        {"study": study},
    )
    if view.job.state != "done":
        note(
            f"{view.answered} of {view.answers_wanted} answers are there. Go on with: ftkit ratings retry {study}"
        )
    check_done("study", view.job, workspace.jobs.folder(view.job).log)
    if view.named and not and_open:
        note(f"{view.named} items have an answer that names a model. Look at them before you open the study.")
    return _answer(workspace.studies.open(study) if and_open else view)


def _answer(view: "StudyView") -> Answer:
    return Answer(study_value(view), [*_shown(view), "", _next_step(view)])


def _shown(view: "StudyView") -> list[Any]:
    value = study_value(view)
    kept = (
        "study",
        "name",
        "state",
        "protocol",
        "sides",
        "items",
        "gold",
        "named",
        "left_out",
        "ratings",
        "wanted",
    )
    return [facts({name: value[name] for name in kept if value[name] not in ({}, "")})]


def _next_step(view: "StudyView") -> str:
    study = view.study.id
    return {
        "preparing": f"The models answer. Look again with: ftkit ratings show {study}",
        "ready": f"Let raters in with: ftkit ratings open {study}",
        "open": f"Invite raters with: ftkit ratings invite {study} NAME",
        "closed": f"Make preference data with: ftkit ratings to-preferences {study}",
    }[view.state]


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
