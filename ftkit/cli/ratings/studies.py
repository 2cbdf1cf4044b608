"""``ftkit ratings list``, ``show``, ``open``, ``close``, ``retry``, ``delete``: studies in which people rate answers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, facts, note, table
from ftkit.cli.session import check_done, follow, open_workspace

if TYPE_CHECKING:
    from ftkit.ratings.studies.views import RaterView, StudyView
    from ftkit.workspace import Workspace

StudyId = Annotated[str, typer.Argument(metavar="STUDY", help="Id of a study.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait until all models have answered.")]


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
        return wait_for(workspace, study, detach=detach, and_open=False)


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


def wait_for(workspace: "Workspace", study: str, *, detach: bool, and_open: bool) -> Answer:
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
