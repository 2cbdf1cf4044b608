"""``ftkit sweep``: search for the options that suit a split, by many runs of one recipe."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, brief, command, facts, note, table
from ftkit.cli.runs import change_options, error_value, read_recipe
from ftkit.cli.session import follow, open_workspace, pairs, short_time
from ftkit.errors import NotFound

if TYPE_CHECKING:
    from ftkit.training.sweeps.service import SweepView
    from ftkit.training.sweeps.trials import Trial
    from ftkit.workspace import Workspace

app = typer.Typer(
    help="Sweeps: start, list, show, watch, stop, resume, delete.",
    no_args_is_help=True,
)

SweepId = Annotated[str, typer.Argument(metavar="SWEEP", help="Id of a sweep.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")]


@command(app, "start")
def start(  # noqa: PLR0913 - one parameter per option
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE", help="Name of a recipe, e.g. smollm2-135m/sft-lora, or a YAML file."
        ),
    ],
    split: Annotated[str, typer.Option(metavar="ID", help="The split to train on.")],
    space: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=VALUES",
            help="An option to vary: low..high, low..high:log, or a list such as 4,8,16; on a grid, low..high:log:7 has "
            "seven points. May be repeated.",
        ),
    ],
    *,
    trials: Annotated[int, typer.Option(help="How many runs.")] = 10,
    metric: Annotated[str, typer.Option(help="The goal: a metric of the runs.")] = "eval_loss",
    sampler: Annotated[
        str, typer.Option(help="How values are chosen: tpe learns from earlier trials; random; grid.")
    ] = "tpe",
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Give a trial up once its validation loss is worse than the median at that step."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed chooses the same values.")] = 42,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change an option of the recipe for all trials."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the sweep.")] = None,
    detach: Detach = False,
) -> Answer:
    """Search for good options. The sweep goes on when this command is left with Ctrl-C.

    JSON: `sweep`, `name`, `state`, `recipe`, `split`, `model`, `metric`, `direction`, `sampler`, `seed`, `space`, `trials`,
    `asked`, `counts`, `best`, `importance`, `seconds_left`, `created_at`.
    """
    with open_workspace() as workspace:
        from ftkit.training.sweeps.trials import Plan  # noqa: PLC0415 - pydantic models that --help does not need

        recipe_name, options = read_recipe(workspace, recipe)
        spec = change_options(options, set_ or [])
        plan = Plan(
            space=pairs("--space", space),
            trials=trials,
            metric=metric,
            sampler=sampler,
            prune=prune,
            seed=seed,
        )
        made = workspace.sweeps.start(spec, split, recipe_name, plan, name)
        return _watch(workspace, made.id, detach)


@command(app, "list")
def list_sweeps() -> Answer:
    """All sweeps, newest first.

    JSON: `sweeps`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        views = workspace.sweeps.all()
    if not views:
        hint = (
            "No sweeps yet. Start one with: ftkit sweep start smollm2-135m/sft-lora --split ID "
            "--space learning_rate=1e-5..1e-3:log --trials 8"
        )
        return Answer({"sweeps": []}, [hint])
    cells = [
        (
            v.sweep.id,
            v.sweep.name,
            v.state,
            f"{v.ended}/{v.sweep.trials}",
            v.sweep.metric,
            v.best and v.best.value,
        )
        for v in views
    ]
    return Answer(
        {"sweeps": [sweep_value(view) for view in views]},
        [table(["sweep", "name", "state", "trials", "metric", "best"], cells)],
    )


@command(app, "show")
def show(sweep: SweepId) -> Answer:
    """One sweep with its trials, the best one, and which option mattered.

    JSON: `sweep`, `name`, `state`, `recipe`, `split`, `model`, `metric`, `direction`, `sampler`, `seed`, `space`, `trials`,
    `asked`, `counts`, `best`, `importance`, `seconds_left`, `created_at`, `spec`, `parents`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        view = workspace.sweeps.get(sweep)
        again = _again(workspace, view)
    value = {**sweep_value(view), "spec": view.sweep.spec, "parents": list(view.sweep.parents)}
    return Answer(value, [*_shown(view), *again])


@command(app, "watch")
def watch(sweep: SweepId) -> Answer:
    """Follow a sweep to its end. Ctrl-C leaves it running.

    JSON: the same as `sweep start`.
    """
    with open_workspace() as workspace:
        return _watch(workspace, sweep, detach=False)


@command(app, "stop")
def stop(sweep: SweepId) -> Answer:
    """Stop a sweep and its running trial; what was found stays.

    JSON: the same as `sweep start`.
    """
    with open_workspace() as workspace:
        workspace.sweeps.stop(sweep)
        view = _follow(workspace, sweep)
    return Answer(sweep_value(view), _shown(view))


@command(app, "resume")
def resume(sweep: SweepId, detach: Detach = False) -> Answer:
    """Go on with a stopped, failed or lost sweep; an interrupted trial goes on from its checkpoint.

    JSON: the same as `sweep start`.
    """
    with open_workspace() as workspace:
        workspace.sweeps.resume(sweep)
        return _watch(workspace, sweep, detach)


@command(app, "delete")
def delete(sweep: SweepId) -> Answer:
    """Delete a sweep that has ended, with the runs of its trials.

    JSON: `sweep`, `deleted`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        workspace.sweeps.delete(sweep)
    return Answer({"sweep": sweep, "deleted": True}, [f"Sweep {sweep} and its runs are deleted."])


def sweep_value(view: "SweepView") -> dict[str, Any]:
    """A sweep as JSON."""
    from ftkit.training.sweeps.trials import counts  # noqa: PLC0415 - pydantic models that --help does not need

    sweep = view.sweep
    value = {
        "sweep": sweep.id,
        **{
            key: getattr(sweep, key)
            for key in (
                "name",
                "recipe",
                "split",
                "model",
                "metric",
                "direction",
                "sampler",
                "prune",
                "seed",
                "space",
            )
        },
        "state": view.state,
        "asked": sweep.trials,
        "counts": counts(view.trials),
        "trials": [_trial_value(trial) for trial in view.trials],
        "best": _trial_value(view.best) if view.best else None,
        "importance": view.importance or None,
        "seconds_left": view.seconds_left,
        "created_at": sweep.created_at.isoformat(),
    }
    if view.job.error:
        value["error"] = error_value(view.job.error)
    return value


def _trial_value(trial: "Trial") -> dict[str, Any]:
    value = trial.model_dump(mode="json", exclude={"number", "reason", "losses"})
    reason = {"reason": error_value(trial.reason)} if trial.reason else {}
    return {"trial": trial.number, **value, **reason}


def _shown(view: "SweepView") -> list[Any]:
    """A sweep for a reader."""
    sweep = view.sweep
    about = {
        "sweep": sweep.id,
        "name": sweep.name,
        "state": view.state,
        "recipe": sweep.recipe,
        "split": sweep.split,
        "goal": f"{sweep.direction} {sweep.metric}",
        "chosen by": f"{sweep.sampler}, seed {sweep.seed}",
        "trials": f"{view.ended} of {sweep.trials}",
    }
    if view.job.error:
        about["error"] = error_value(view.job.error)["text"]
    shown: list[Any] = [facts(about)]
    if view.trials:
        cells = [
            (
                t.number,
                *(t.values.get(name) for name in sweep.space),
                t.value,
                t.state,
                t.seconds,
                t.run,
                _why(t),
            )
            for t in view.trials
        ]
        headers = ["trial", *sweep.space, sweep.metric, "state", "seconds", "run", ""]
        shown.append(table(headers, cells, title="\nTrials"))
    if view.best:
        shown.append(
            f"\nBest: trial {view.best.number}, {sweep.metric} {brief(view.best.value)}, run {view.best.run}"
        )
    if view.importance:
        shown.append(
            facts({name: f"{share:.0%}" for name, share in view.importance.items()}, title="\nWhat mattered")
        )
    elif view.state == "done":
        shown.append("Which option mattered: not enough trials to tell.")
    return shown


def _why(trial: "Trial") -> str:
    if trial.state == "pruned":
        return f"given up at step {trial.step}"
    return error_value(trial.reason)["text"] if trial.reason else ""


def _follow(workspace: "Workspace", sweep: str) -> "SweepView":
    value = sweep_value(workspace.sweeps.get(sweep))
    return follow("Sweep", lambda look: workspace.sweeps.wait(sweep, look), _come_back(sweep), value)


def _watch(workspace: "Workspace", sweep: str, detach: bool) -> Answer:
    """The sweep at its end, or now."""
    if detach:
        view = workspace.sweeps.get(sweep)
        if view.state == "queued":
            note(
                "It waits for another sweep, and starts while the dashboard is open or a sweep is being watched."
            )
        return Answer(sweep_value(view), [*_shown(view), _come_back(sweep)])
    view = _follow(workspace, sweep)
    if view.state != "done":
        reason = f"{error_value(view.job.error)['text']} " if view.job.error else ""
        note(f"The sweep is {view.state}. {reason}Its log: {workspace.folders.sweep(sweep) / 'worker.log'}")
        return Answer(sweep_value(view), _shown(view), 1)
    again = _again(workspace, view)
    took = sum(trial.seconds or 0 for trial in view.trials)
    return Answer(
        sweep_value(view), [*_shown(view), *again, f"\n{len(view.trials)} trials in {short_time(took)}."]
    )


def _again(workspace: "Workspace", view: "SweepView") -> list[str]:
    """The command that trains with the best trial's options; none where its recipe is a file of the person's own."""
    from ftkit.training.sweeps.space import write_value  # noqa: PLC0415 - pydantic models that --help does not need

    if view.best is None:
        return []
    try:
        base = workspace.training.recipe(view.sweep.recipe).spec.model_dump()
    except NotFound:
        return []
    options = {**view.sweep.spec, **view.best.values}
    words = [f"--set {key}={write_value(value)}" for key, value in options.items() if value != base.get(key)]
    return [f"Train with these: ftkit train {view.sweep.recipe} --split {view.sweep.split} {' '.join(words)}"]


def _come_back(sweep: str) -> str:
    return f"Watch it again with: ftkit sweep watch {sweep}"
