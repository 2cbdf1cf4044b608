"""``ftkit benchmark``: base and tuned model on tasks of lm-evaluation-harness."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.evaluation.default import StartsByDefault
from ftkit.cli.output import Answer, command, facts, table
from ftkit.cli.runs import error_value
from ftkit.cli.session import check_done, follow, open_workspace

if TYPE_CHECKING:
    from ftkit.evaluation.benchmarks.service import BenchmarkView
    from ftkit.workspace import Workspace

app = typer.Typer(
    cls=StartsByDefault,
    help="Tasks of lm-evaluation-harness: `ftkit benchmark RUN --task NAME` starts one; list, show, stop, delete.",
    no_args_is_help=True,
)

BenchmarkId = Annotated[str, typer.Argument(metavar="BENCHMARK", help="Id of a benchmark.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="Id of a finished run; `start` may be left out.")]


@command(app, "start")
def start(  # noqa: PLR0913 - one parameter per option
    run: RunName,
    *,
    task: Annotated[
        str, typer.Option(metavar="NAME,NAME", help="Tasks, groups or tags, with commas between.")
    ],
    tasks_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of task files (*.yaml) of your own; data files in them are named relative to it.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first rows of each task; all if left out.")
    ] = None,
    chat: Annotated[
        bool, typer.Option("--chat", help="Ask through the model's chat template, as in training.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
) -> Answer:
    """Ask base and tuned model the same tasks, with the same rows and seed.

    It needs lm-evaluation-harness, an optional part: pip install "ftkit[harness]". Data of public tasks comes from the Hub and is
    kept; a folder of your own needs no network. Task files with Python code are refused.

    A line of the result has `task`, `metric`, `filter`, `rows`, `base`, `tuned`, `base_error`, `tuned_error`, `difference`, `low`,
    `high`, `p`, `p_adjusted`, `verdict`, `rows_needed`, `higher_is_better`; the errors are the standard errors of the harness.

    JSON: `benchmark`, `run`, `state`, `tasks`, `limit`, `chat`, `lines`, `signature`.
    """
    with open_workspace() as workspace:
        from ftkit.evaluation.benchmarks.asked import Asked  # noqa: PLC0415 - not needed for --help

        made = workspace.benchmarks.start(run, Asked.parse(task.split(","), tasks_folder, limit, chat))
        return _watch(workspace, made.id, detach)


@command(app, "list")
def list_benchmarks(
    run: Annotated[str | None, typer.Option(metavar="ID", help="Only those of one run.")] = None,
) -> Answer:
    """All benchmarks, newest first.

    JSON: `benchmarks`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        values = [benchmark_value(view) for view in workspace.benchmarks.all(run)]
    if not values:
        return Answer(
            {"benchmarks": []}, ["No benchmarks yet. Start one with: ftkit benchmark RUN --task NAME"]
        )
    keys = ["benchmark", "run", "state", "tasks", "limit"]
    return Answer({"benchmarks": values}, [table(keys, [[value[key] for key in keys] for value in values])])


@command(app, "show")
def show(benchmark: BenchmarkId) -> Answer:
    """One benchmark, task by task.

    JSON: the same as `benchmark start`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        view = workspace.benchmarks.get(benchmark)
    return Answer(benchmark_value(view), _shown(view))


@command(app, "stop")
def stop(benchmark: BenchmarkId) -> Answer:
    """Stop a benchmark; nothing of it is kept.

    JSON: the same as `benchmark start`.
    """
    with open_workspace() as workspace:
        workspace.benchmarks.stop(benchmark)
        view = workspace.benchmarks.wait(benchmark)
    return Answer(benchmark_value(view), _shown(view))


@command(app, "delete")
def delete(benchmark: BenchmarkId) -> Answer:
    """Delete a benchmark with its report.

    JSON: `benchmark`, `deleted`.
    """
    with open_workspace() as workspace:
        workspace.jobs.tick()
        workspace.benchmarks.delete(benchmark)
    return Answer({"benchmark": benchmark, "deleted": True}, [f"Benchmark {benchmark} is deleted."])


def benchmark_value(view: "BenchmarkView") -> dict[str, Any]:
    """A benchmark as JSON."""
    value = {
        "benchmark": view.benchmark.id,
        "run": view.benchmark.run,
        "state": view.job.state,
        "tasks": list(view.benchmark.tasks),
        "limit": view.benchmark.limit,
        **(view.report or {}),
    }
    if view.job.error:
        value["error"] = error_value(view.job.error)
    return value


def _watch(workspace: "Workspace", benchmark: str, detach: bool) -> Answer:
    """The benchmark at its end, or now."""
    again = f"ftkit benchmark show {benchmark}"
    if detach:
        return Answer(benchmark_value(workspace.benchmarks.get(benchmark)), [f"It is asked: {again}"])
    wait: Callable[..., BenchmarkView] = workspace.benchmarks.wait
    view = follow(
        "Benchmark",
        lambda look: wait(benchmark, look),
        f"Look at it with: {again}",
        {"benchmark": benchmark},
    )
    check_done("benchmark", view.job, workspace.jobs.folder(view.job).log)
    return Answer(benchmark_value(view), _shown(view))


def _shown(view: "BenchmarkView") -> list[Any]:
    """A benchmark for a reader."""
    from ftkit.evaluation.benchmarks.lines import benchmark_lines  # noqa: PLC0415 - not needed for --help
    from ftkit.evaluation.report.words import words  # noqa: PLC0415 - as above

    about = facts({"benchmark": view.benchmark.id, "run": view.benchmark.run, "state": view.job.state})
    if view.report is None:
        return [about]
    heads = ["task", "metric", "rows", "base", "tuned", "difference", "95 % interval", ""]
    cells = [
        (one.task, one.metric, one.rows, one.base, one.tuned, one.difference, one.interval, one.verdict)
        for one in benchmark_lines([view.report], words("en"))
    ]
    return [about, "", table(heads, cells)]
