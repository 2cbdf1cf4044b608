"""``ftkit evaluate`` and ``report``: what a finished run is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ftkit.cli.output import Answer, facts, table
from ftkit.cli.runs import RunId
from ftkit.cli.session import check_done, follow, open_workspace, write_page
from ftkit.errors import BadInput
from ftkit.evaluation.report.sections import NameLine, SkillLine, forgotten
from ftkit.evaluation.report.sections import names as names_lines
from ftkit.evaluation.report.words import looks_sentence, words

if TYPE_CHECKING:
    from ftkit.evaluation.measuring.options import Options
    from ftkit.evaluation.service import EvaluationView
    from ftkit.records import Part
    from ftkit.workspace import Workspace


_FACTS = ("evaluation", "part", "task", "rows", "left_out", "left_out_reasons", "skipped", "not_scored")


class PartName(StrEnum):
    """The parts of a split."""

    train = "train"
    validation = "validation"
    test = "test"


class TaskName(StrEnum):
    """What a model may be asked to do."""

    generation = "generation"
    classification = "classification"
    extraction = "extraction"
    summarising = "summarising"
    translation = "translation"
    chat = "chat"


class Beside(StrEnum):
    """What is asked beside the rows."""

    general = "general"
    names = "names"
    both = "both"
    nothing = "nothing"


class ReportKind(StrEnum):
    """What a report can be."""

    html = "html"
    card = "card"


class Language(StrEnum):
    """Languages of the report."""

    en = "en"
    tr = "tr"


def evaluate(
    run: RunId,
    split_part: Annotated[
        PartName,
        typer.Option(help="Which part of the split: validation to choose, test once for the verdict."),
    ] = PartName.test,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--with", metavar="RUN", help="A further run over the same base model, on the same rows."
        ),
    ] = None,
    task: Annotated[
        TaskName | None,
        typer.Option(help="What the model is asked to do; found from the references if left out."),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="KEY,KEY", help="Which metrics, with commas between; those of the task if left out."
        ),
    ] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A YAML or JSON list of checks of your own.")
    ] = None,
    beside: Annotated[
        Beside,
        typer.Option(
            help="What else is asked: general questions that the model may have forgotten, prompts under other names, or both."
        ),
    ] = Beside.general,
) -> Answer:
    """Measure base and tuned model, and further runs, on the same rows of the run's split.

    What a stopped, failed or killed evaluation has asked of the models is kept: the same command goes on from there.

    Metrics: `accuracy` `macro_f1` `micro_f1` `json_valid` `fields` `bleu` `chrf` `rouge1` `rouge2` `rougeL` `exact_match`
    `token_f1` `perplexity` `length` `distinct_1` `distinct_2` `refusal_rate`. A check has a `name`, a `kind`, and for the
    kind `regex` a `pattern` (`whole`, `ignore_case`), for `json_schema` a `schema`, for `contains` a list `texts` (`all`,
    `ignore_case`).

    JSON: `evaluation`, `run`, `split`, `part`, `state`, `task`, `rows`, `left_out`, `left_out_reasons`, `base`, `tuned`,
    `difference`, `others`, `intervals`, `reference`, `metric_rows`, `skipped`, `not_scored`, `fields`, `classes`, `checks`,
    `signatures`, `answers`, `signature`, `looks`, `general`, `bias`.
    """
    wanted = replace(
        _options(task, metrics, check),
        general=beside in (Beside.general, Beside.both),
        names=beside in (Beside.names, Beside.both),
    )
    with open_workspace() as workspace:
        view = run_evaluation(workspace, run, split_part.value, wanted, others or ())
    value = evaluation_value(view)
    return Answer(value, _shown(value))


def report(
    run: RunId,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write it; under FTKIT_HOME if left out."),
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the page.")] = Language.en,
    as_: Annotated[
        ReportKind,
        typer.Option(
            "--as", help="One self-contained page with examples, or a model card without a row of the data."
        ),
    ] = ReportKind.html,
) -> Answer:
    """Write one self-contained page about a run: curves, metrics, examples, failures, energy; or its model card.

    JSON: `run`, `report`.
    """
    with open_workspace() as workspace:
        if as_ == ReportKind.card:
            card = workspace.model_card(run)
            path = write_page(card, out or workspace.settings.home / "reports" / f"{run}.md")
        else:
            path = write_report(workspace, run, language.value, out)
    return Answer({"run": run, "report": str(path)}, [f"The report is {path}"])


def run_evaluation(
    workspace: "Workspace",
    run: str,
    part: "Part",
    options: "Options | None" = None,
    others: Sequence[str] = (),
) -> "EvaluationView":
    """Evaluate a run and wait; an evaluation of the same request that is not done is joined, or goes on.

    Raises:
        FtkitError: it failed.
    """
    evaluation = workspace.evaluation.start(run, part, options, others)
    view = follow(
        "Evaluation",
        lambda look: workspace.evaluation.wait(evaluation.id, look),
        " ".join(
            [
                f"Watch it again with: ftkit evaluate {run} --split-part {part}",
                *(f"--with {o}" for o in others),
            ]
        ),
        {"evaluation": evaluation.id, "run": run},
    )
    check_done("evaluation", view.job, workspace.jobs.folder(view.job).log)
    return view


def evaluation_value(view: "EvaluationView") -> dict[str, Any]:
    """A finished evaluation as JSON."""
    return {
        "evaluation": view.evaluation.id,
        "run": view.evaluation.run,
        "split": view.evaluation.split,
        "part": view.evaluation.part,
        "state": view.job.state,
        "general": None,
        "bias": None,
        **(view.report or {}),
    }


def metrics_table(value: Mapping[str, Any]) -> Table:
    """Each metric for base and tuned, with the difference, how sure it is, and what that means."""
    from ftkit.evaluation.report.metrics import sentence  # noqa: PLC0415 - its imports are not needed for --help
    from ftkit.evaluation.report.words import words  # noqa: PLC0415 - as above

    rows = []
    for metric in dict.fromkeys([*value["base"], *value["tuned"]]):
        change = value["difference"].get(metric) or {}
        said = sentence(metric, value, words("en")) if change else ""
        base, tuned = value["base"].get(metric), value["tuned"].get(metric)
        rows.append((metric, base, tuned, change.get("value"), change.get("p_adjusted"), said))
    return table(["metric", "base", "tuned", "difference", "p (all measures)", "in a sentence"], rows)


def _shown(value: Mapping[str, Any]) -> list[Any]:
    """An evaluation on a terminal."""
    about = {name: value[name] for name in _FACTS}
    about["cut_answers"] = {side: counts["cut"] for side, counts in value["answers"].items()}
    shown: list[Any] = [facts(about), "", metrics_table(value)]
    if skills := forgotten(value, words("en")):
        shown += ["", _skills_table(skills)]
    if lines := names_lines(value, words("en")):
        shown += ["", _names_table(lines)]
    if "looks" in value:
        shown += ["", looks_sentence(value["looks"], words("en"))]
    return shown


def _skills_table(skills: Sequence[SkillLine]) -> Table:
    """What the forgetting check found."""
    rows = [(one.name, one.questions, one.base, one.tuned, one.interval, one.verdict) for one in skills]
    return table(["may have forgotten", "questions", "base", "tuned", "95 % interval", ""], rows)


def _names_table(lines: Sequence[NameLine]) -> Table:
    """What the probe of names found."""
    rows = [(one.name, one.changed, one.quality, one.interval, one.verdict) for one in lines]
    return table(["names differ in", "changed answers", "quality", "95 % interval", ""], rows)


def write_report(workspace: "Workspace", run: str, language: str, out: Path | None = None) -> Path:
    """Write a run's report, and say where.

    Raises:
        BadInput: the file cannot be written.
    """
    html = workspace.report(run, language)
    return write_page(html, out or workspace.settings.home / "reports" / f"{run}.html")


def _options(task: TaskName | None, metrics: str | None, check: Path | None) -> "Options":
    """What is measured.

    Raises:
        BadInput: there is no such metric, or the checks cannot be used.
    """
    from ftkit.evaluation.measuring.options import Options, read_checks  # noqa: PLC0415 - not needed for --help

    keys = None if metrics is None else [key.strip() for key in metrics.split(",") if key.strip()]
    checks: list[Any] = []
    if check is not None:
        try:
            checks = read_checks(check.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                "cli.no_checks_file",
                "{path} cannot be read ({reason}). Give a YAML or JSON file.",
                path=check,
                reason=error.strerror if isinstance(error, OSError) else "not UTF-8 text",
            ) from error
    return Options.from_json({"task": task and task.value, "metrics": keys, "checks": checks})
