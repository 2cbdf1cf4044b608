"""``ftkit train`` and ``ftkit runs``: start a run, watch it, stop it, compare it with others."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, command, facts, note, table
from ftkit.cli.session import follow, open_workspace, pairs, short_time
from ftkit.errors import BadInput, FtkitError, NotFound

if TYPE_CHECKING:
    from ftkit.records import Event
    from ftkit.training.service import RunView
    from ftkit.training.spec import RunSpec
    from ftkit.training.watching.samples import Sample
    from ftkit.training.watching.signs import Sign
    from ftkit.workspace import Workspace


class Place(StrEnum):
    """A place in the queue, seen from a run's present one."""

    FIRST = "first"
    UP = "up"
    DOWN = "down"
    LAST = "last"


app = typer.Typer(
    help="Runs: list, show, watch, stop, pause, resume, move, compare, delete.", no_args_is_help=True
)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")]

_LISTED_METRICS = ("train_loss", "eval_loss", "tokens_per_second", "train_seconds")
_LOG_LINES = 20


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE", help="Name of a recipe, e.g. smollm2-135m/sft-lora, or a YAML file."
        ),
    ],
    split: Annotated[str, typer.Option(metavar="ID", help="The split to train on.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change an option of the recipe; may be repeated."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    detach: Detach = False,
) -> Answer:
    """Fine-tune a model. The run goes on when this command is left with Ctrl-C.

    JSON: `run`, `name`, `state`, `recipe`, `split`, `model`, `metrics`, `created_at`, `warnings`.
    """
    with open_workspace() as workspace:
        recipe_name, options = read_recipe(workspace, recipe)
        spec = change_options(options, set_ or [])
        run = workspace.training.start(spec, split, recipe_name, name)
        return _watch(workspace, run.id, detach)


@command(app, "list")
def list_runs() -> Answer:
    """All runs, newest first.

    JSON: `runs`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        views = workspace.training.all()
    if not views:
        return Answer(
            {"runs": []}, ["No runs yet. Start one with: ftkit train smollm2-135m/sft-lora --split ID"]
        )
    cells = [
        (v.run.id, v.run.name, v.state, v.run.recipe, *(v.metrics.get(m) for m in _LISTED_METRICS))
        for v in views
    ]
    return Answer(
        {"runs": [run_value(view) for view in views]},
        [table(["run", "name", "state", "recipe", *_LISTED_METRICS], cells)],
    )


@command(app, "show")
def show_run(run: RunId) -> Answer:
    """One run: its state, metrics, warnings, sample answers, history, options and the end of its log.

    JSON: `run`, `name`, `state`, `recipe`, `split`, `model`, `metrics`, `created_at`, `warnings`, `samples`, `spec`, `seed`,
    `parents`, `progress`, `events`, `log`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        view = workspace.training.get(run)
        log = workspace.training.log(run).splitlines()[-_LOG_LINES:]
        warnings, samples = workspace.training.signs(run), workspace.training.samples(run)
        events = workspace.training.events(run)
    value = {
        **run_value(view),
        "warnings": [sign_value(sign) for sign in warnings],
        "samples": [sample.as_dict() for sample in samples.prompts],
        "spec": view.run.spec,
        "seed": view.run.seed,
        "parents": list(view.run.parents),
        "progress": vars(view.progress) if view.progress else None,
        "events": [event_value(event) for event in events],
        "log": log,
    }
    shown = [
        *run_shown(view),
        *_signs_shown(warnings),
        *_samples_shown(samples.prompts),
        *_events_shown(events),
    ]
    return Answer(value, [*shown, facts(view.run.spec, title="\nOptions"), "", *log])


@command(app, "watch")
def watch(run: RunId) -> Answer:
    """Follow a run to its end. Ctrl-C leaves it running.

    JSON: `run`, `name`, `state`, `recipe`, `split`, `model`, `metrics`, `created_at`, `warnings`.
    """
    with open_workspace() as workspace:
        return _watch(workspace, run, detach=False)


@command(app, "stop")
def stop(
    run: RunId,
    now: Annotated[bool, typer.Option("--now", help="Do not wait until it has saved.")] = False,
) -> Answer:
    """Stop a run within 15 seconds; it saves a checkpoint first when it can.

    JSON: `run`, `name`, `state`, `recipe`, `split`, `model`, `metrics`, `created_at`.
    """
    with open_workspace() as workspace:
        workspace.training.stop(run, now=now)
        return _ended(workspace, run)


@command(app, "pause")
def pause(run: RunId) -> Answer:
    """Pause a run: it saves at the end of its step, however long that takes, and `resume` goes on from there.

    JSON: `run`, `name`, `state`, `recipe`, `split`, `model`, `metrics`, `created_at`.
    """
    with open_workspace() as workspace:
        workspace.training.pause(run)
        return _ended(workspace, run)


@command(app, "move")
def move(run: RunId, where: Annotated[Place, typer.Argument(help="Where to in the queue.")]) -> Answer:
    """Move a waiting run within the queue.

    JSON: `queue`.
    """
    with open_workspace() as workspace:
        queue = workspace.training.reorder(run, where.value)
    value = [{"run": job.artefact, "kind": job.kind, "owner": job.owner} for job in queue]
    cells = [(place, *one.values()) for place, one in enumerate(value, 1)]
    return Answer({"queue": value}, [table(["", "run", "kind", "owner"], cells)])


@command(app, "resume")
def resume(run: RunId, detach: Detach = False) -> Answer:
    """Go on with a paused, stopped, failed or lost run from its last checkpoint.

    JSON: `run`, `name`, `state`, `recipe`, `split`, `model`, `metrics`, `created_at`, `warnings`.
    """
    with open_workspace() as workspace:
        workspace.training.resume(run)
        return _watch(workspace, run, detach)


@command(app, "compare")
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Ids of two or more runs.")],
) -> Answer:
    """Runs side by side: the options in which they differ, and their metrics.

    JSON: `runs`, `options`, `metrics`.
    """
    if len(set(runs)) < 2:  # noqa: PLR2004 - a pair
        raise BadInput("cli.one_run", "Name at least two different runs to compare.")
    with open_workspace() as workspace:
        views, options = workspace.training.compare(runs)
    names = dict.fromkeys(name for view in views for name in view.metrics)
    metrics = {name: [view.metrics.get(name) for view in views] for name in names}
    value = {"runs": [run_value(view) for view in views], "options": options, "metrics": metrics}
    headers = ["", *(view.run.id for view in views)]
    rows = [[key, *values] for key, values in {**options, **metrics}.items()]
    rows.insert(0, ["state", *(view.state for view in views)])
    return Answer(value, [table(headers, rows)])


@command(app, "delete")
def delete(run: RunId) -> Answer:
    """Delete a run that has ended, with its checkpoints and its adapter.

    JSON: `run`, `deleted`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        workspace.training.delete(run)
    return Answer({"run": run, "deleted": True}, [f"Run {run} is deleted."])


def run_value(view: "RunView") -> dict[str, Any]:
    """A run as JSON."""
    value = {
        "run": view.run.id,
        "name": view.run.name,
        "state": view.state,
        "recipe": view.run.recipe,
        "split": view.run.split,
        "model": view.run.model,
        "metrics": view.metrics,
        "created_at": view.run.created_at.isoformat(),
    }
    if view.job.error:
        value["error"] = error_value(view.job.error)
    return value


def error_value(error: dict[str, Any]) -> dict[str, str]:
    """An error stored with a job, as the command line gives errors."""
    return {"key": error["key"], "text": str(FtkitError.from_dict(error))}


def sign_value(sign: "Sign") -> dict[str, str]:
    """A warning as JSON."""
    return {"key": sign.key, "text": str(sign)}


def _signs_shown(signs: Sequence["Sign"]) -> list[str]:
    return ["\nWarnings", *(f"  ! {sign}" for sign in signs)] if signs else []


def event_value(event: "Event") -> dict[str, Any]:
    """Something that happened to a run, as JSON."""
    value: dict[str, Any] = {
        "time": event.time.isoformat(),
        "event": event.event,
        "by": event.by,
        **event.values,
    }
    return value | ({"error": error_value(event.error)} if event.error else {})


def _events_shown(events: Sequence["Event"]) -> list[Any]:
    cells = [
        (
            f"{event.time.astimezone():%Y-%m-%d %H:%M:%S}",
            event.event.replace("_", " "),
            event.by,
            str(FtkitError.from_dict(event.error)) if event.error else "",
        )
        for event in events
    ]
    return ["\nHistory", table(["time", "event", "by", "reason"], cells)] if cells else []


def _samples_shown(samples: Sequence["Sample"]) -> list[Any]:
    """The first and the newest answer to each prompt."""
    shown: list[Any] = []
    for one in samples:
        first, newest = one.answers[-1], one.answers[0]
        answers = {f"step {answer.step}": answer.answer for answer in dict.fromkeys((first, newest))}
        asked = {"prompt": one.prompt, "to avoid" if one.bad else "reference": one.reference}
        shown.append(facts({**asked, **answers}, title=f"\nSample answers, validation row {one.row}"))
    return shown


def run_shown(view: "RunView") -> list[Any]:
    """A run for a reader."""
    value = run_value(view)
    about = {key: value[key] for key in ("run", "name", "state", "recipe", "model", "split")}
    if view.progress:
        about["progress"] = f"{view.progress.phase} {view.progress.step}/{view.progress.steps}"
    if view.job.error:
        about["error"] = value["error"]["text"]
    shown: list[Any] = [facts(about)]
    if view.metrics:
        said = {name: value for name, value in view.metrics.items() if name != "hub_error"}
        shown.append(facts(said, title="\nMetrics"))
    return shown


def follow_run(workspace: "Workspace", run: str) -> "RunView":
    """Wait for a run with a progress bar on standard error."""
    value = run_value(workspace.training.get(run))
    return follow("Run", lambda look: workspace.training.wait(run, look), _come_back(run), value)


def change_options(options: dict[str, Any], changes: list[str]) -> "RunSpec":
    """A spec from a recipe's options and ``key=value`` changes.

    Raises:
        BadInput: with every mistake at once.
    """
    import yaml  # noqa: PLC0415 - only where options are read

    from ftkit.training.checks.imported import unknown_options  # noqa: PLC0415 - likewise
    from ftkit.training.spec import RunSpec  # noqa: PLC0415 - likewise

    values = dict(options)
    for key, text in pairs("--set", changes).items():
        try:
            values[key] = yaml.safe_load(text)
        except yaml.YAMLError:
            values[key] = text
    problems = [str(error) for error in unknown_options(values)]
    try:
        spec = RunSpec.parse({key: value for key, value in values.items() if key in RunSpec.model_fields})
    except BadInput as error:
        problems.append(str(error))
    if problems:
        raise BadInput("cli.bad_options", "{problems}", problems="\n".join(problems))
    return spec


def read_recipe(workspace: "Workspace", recipe: str) -> tuple[str, dict[str, Any]]:
    """Name and options of a recipe by name, or of a person's own YAML file."""
    from ftkit.training.checks.lines import parse_yaml  # noqa: PLC0415 - pydantic models that --help does not need

    try:
        found = workspace.training.recipe(recipe)
    except NotFound:
        path = Path(recipe)
        if path.suffix not in {".yaml", ".yml"} or not path.is_file():
            raise
        return path.stem, parse_yaml(path.read_text(encoding="utf-8", errors="replace"))
    return found.name, found.spec.model_dump()


def _ended(workspace: "Workspace", run: str) -> Answer:
    """The run when it has ended."""
    view = follow("Run", lambda look: workspace.training.wait(run, look), _come_back(run), {"run": run})
    return Answer(run_value(view), run_shown(view))


def _watch(workspace: "Workspace", run: str, detach: bool) -> Answer:
    """The run at its end, or now."""
    view = workspace.training.get(run) if detach else follow_run(workspace, run)
    warnings = workspace.training.signs(run)
    value = {**run_value(view), "warnings": [sign_value(sign) for sign in warnings]}
    shown = [*run_shown(view), *_signs_shown(warnings)]
    if detach:
        if view.state == "queued":
            note("It waits for its turn, and starts while the dashboard is open or a run is being watched.")
        return Answer(value, [*shown, _come_back(run)])
    if view.state != "done":
        note(f"The run is {view.state}. {_reason(view)}Its log: {workspace.folders.run(run) / 'worker.log'}")
        return Answer(value, shown, 1)
    seconds = view.metrics.get("train_seconds", 0.0)
    return Answer(value, [*shown, f"\nTrained in {short_time(seconds)}. Next: ftkit evaluate {run}"])


def _reason(view: "RunView") -> str:
    return f"{error_value(view.job.error)['text']} " if view.job.error else ""


def _come_back(run: str) -> str:
    return f"Watch it again with: ftkit runs watch {run}"
