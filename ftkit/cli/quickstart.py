"""``ftkit quickstart``: the whole way on the sample data, with one command.

Sample tickets → split → bundled model → LoRA → evaluation → comparison → report. It uses the same services as the single
commands; a second call makes a new run over the same dataset and split.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ftkit.cli.evaluate import evaluation_value, metrics_table, run_evaluation, write_report
from ftkit.cli.models import await_model
from ftkit.cli.output import Answer, facts, note, table
from ftkit.cli.runs import follow_run
from ftkit.cli.session import check_done, open_workspace, short_time
from ftkit.models.catalogue import BUNDLED_ID

if TYPE_CHECKING:
    from ftkit.training.service import RunView
    from ftkit.workspace import Workspace

RATIOS = (0.8, 0.1, 0.1)
SEED = 42
_COMPARED = 3


def quickstart() -> Answer:
    """The whole way on sample data: LoRA on the bundled model, evaluation, comparison, report.

    JSON: `dataset`, `split`, `run`, `evaluation`, `metrics`, `base`, `tuned`, `difference`, `comparison`, `report`, `seconds`.
    """
    watch = _Stopwatch()
    with open_workspace() as workspace:
        with watch.stage("data"):
            split, dataset = _prepare_split(workspace)
        with watch.stage("model"):
            if all(model.id != BUNDLED_ID for model in workspace.models.all()):
                await_model(workspace, BUNDLED_ID, workspace.models.pull(BUNDLED_ID))
        with watch.stage("train"):
            view = _train(workspace, split)
        with watch.stage("evaluate"):
            evaluation = evaluation_value(run_evaluation(workspace, view.run.id, "test"))
        with watch.stage("report"):
            samples = workspace.evaluation.samples(evaluation["evaluation"], 0, _COMPARED)
            path = write_report(workspace, view.run.id, "en")
    value = {
        "dataset": dataset,
        "split": split,
        "run": view.run.id,
        "evaluation": evaluation["evaluation"],
        "metrics": view.metrics,
        "base": evaluation["base"],
        "tuned": evaluation["tuned"],
        "difference": evaluation["difference"],
        "comparison": [_compared(sample) for sample in samples],
        "report": str(path),
        "seconds": watch.seconds,
    }
    return Answer(value, shown(value, evaluation))


class _Stopwatch:
    """Seconds per stage; says each stage as it begins."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        note(f"[{len(self.seconds) + 1}/5] {name}")
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)


def _prepare_split(workspace: "Workspace") -> tuple[str, str]:
    """Ids of the sample's split and dataset, made where they are not there yet."""
    from ftkit.workspace import FIRST_SAMPLE  # noqa: PLC0415 - the database, which --help does not need

    dataset = workspace.data.import_sample(FIRST_SAMPLE)
    for split in workspace.splits.all(dataset.id):
        if split.ratios == RATIOS and split.seed == SEED:
            return split.id, dataset.id
    return workspace.splits.split(dataset.id, RATIOS, SEED).id, dataset.id


def _train(workspace: "Workspace", split: str) -> "RunView":
    from ftkit.training.recipes import DEFAULT_RECIPE  # noqa: PLC0415 - pydantic models that --help does not need

    recipe = workspace.training.recipe(DEFAULT_RECIPE)
    run = workspace.training.start(recipe.spec, split, recipe.name, "Quickstart")
    view = follow_run(workspace, run.id)
    check_done("run", view.job, workspace.jobs.folder(view.job).log)
    return view


def _compared(sample: Mapping[str, Any]) -> dict[str, str]:
    names = {"prompt": "prompt", "reference": "reference", "base": "base_answer", "tuned": "tuned_answer"}
    return {short: sample[column] for short, column in names.items()}


def shown(value: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[Any]:
    """The answer for a reader."""
    about = {key: value[key] for key in ("dataset", "split", "run", "evaluation")}
    parts: list[Any] = [
        facts(about),
        facts(value["metrics"], title="\nTraining"),
        "",
        metrics_table(evaluation),
    ]
    for number, row in enumerate(value["comparison"], start=1):
        parts.append(facts(row, title=f"\nTest row {number}"))
    stages = [(stage, short_time(seconds)) for stage, seconds in value["seconds"].items()]
    parts += ["", table(["stage", "time"], stages), f"\nThe report is {value['report']}"]
    return parts
