"""``ftkit data check``, ``clean`` and ``history``: how healthy a dataset is, and what was done about it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.evaluate import Language
from ftkit.cli.output import Answer, facts, table
from ftkit.cli.session import check_done, follow, open_workspace, write_page
from ftkit.errors import BadInput

if TYPE_CHECKING:
    from ftkit.data.cleaning.steps import Step
    from ftkit.data.health.report import Finding, HealthReport
    from ftkit.data.health.service import CheckOptions
    from ftkit.workspace import Workspace

_SHOWN = 2

DatasetId = Annotated[str, typer.Argument(metavar="DATASET", help="Id of a dataset.")]


def check(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Id of a dataset.")],
    model: Annotated[
        str | None,
        typer.Option(help="Id of the model whose tokens are counted; the first one here if left out."),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(min=16, help="Longest row in tokens; that of a new run if left out.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="ID", help="Look for rows that stand in two parts of this split.")
    ] = None,
    personal: Annotated[bool, typer.Option(help="Look for personal data.")] = True,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="Write the report as a page too.")
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the page.")] = Language.en,
) -> Answer:
    """Say what is wrong with a dataset, why it matters, and the cleaning step that mends it. Rows count from 0.

    JSON: `dataset`, `check`, `rows`, `usable`, `findings` (`kind`, `severity`, `title`, `count`, `times`, `rows`, `examples`,
    `why`, `step`, `detail`), `exact`, `near`, `personal`, `lengths`, `languages`, `labels`, `leaks`, `roles`, `blank`, and
    with --out `report`.
    """
    with open_workspace() as workspace:
        view = workspace.health.start(dataset, _options(workspace, model, max_length, split, personal))
        if view.report is None:
            view = follow(
                "Check",
                lambda look: workspace.health.wait(view.id, look),
                f"See it with: ftkit data check {dataset}",
                {"dataset": dataset, "check": view.id},
            )
            check_done("check", view.job, workspace.jobs.folder(view.job).log)
        report = workspace.health.report(view.id)
        value: dict[str, Any] = {"dataset": dataset, "check": view.id, **report.model_dump(mode="json")}
        shown: list[Any] = [facts(_facts(report)), "", _table(report.findings)]
        if out is not None:
            path = write_page(workspace.health.page(view.id, language.value, _translator(language)), out)
            value["report"] = str(path)
            shown.append(f"\nThe report is {path}")
    return Answer(value, shown)


def _options(
    workspace: "Workspace", model: str | None, max_length: int | None, split: str | None, personal: bool
) -> "CheckOptions":
    from ftkit.data.health.service import CheckOptions  # noqa: PLC0415  its imports are not needed for --help

    here = workspace.models.all() if model is None else []
    given = {"max_length": max_length} if max_length else {}
    return CheckOptions(
        model=here[0].id if here else model or "", split=split or "", personal=personal, **given
    )


def _translator(language: Language) -> Any:
    if language is Language.en:
        return str
    from ftkit.ui.i18n import say_phrase  # noqa: PLC0415  Gradio takes seconds that English need not pay

    return lambda text: say_phrase(text, language.value)


def _facts(report: "HealthReport") -> dict[str, object]:
    found: dict[str, object] = {
        "rows": report.rows,
        "usable": report.usable,
        "exact copies": report.exact.copies,
        "near copies": report.near.copies,
        "personal data": "not looked for"
        if report.personal is None
        else {kind: sum(columns.values()) for kind, columns in report.personal.items()} or 0,
        "languages": {code or "too short to tell": count for code, count in report.languages.items()},
    }
    if report.lengths:
        keys = ("model", "max_length", "median", "p95", "longest", "over")
        found["tokens"] = {key: getattr(report.lengths, key) for key in keys}
    if report.leaks:
        found["leaks"] = report.leaks.exact + report.leaks.near
    return found


def _table(findings: "tuple[Finding, ...]") -> Any:
    rows = [
        (
            one.severity,
            one.title,
            one.count,
            one.step,
            "\n".join(f"row {example.row}: {example.text}" for example in one.examples[:_SHOWN]),
        )
        for one in findings
    ]
    return (
        table(["", "what", "rows", "step", "examples"], rows)
        if rows
        else "Nothing was found that should be mended."
    )


def clean(
    dataset: DatasetId,
    steps: Annotated[
        str,
        typer.Option(
            metavar="PRESET|FILE", help="A preset (light, strict, privacy), or a YAML file with steps."
        ),
    ] = "light",
    name: Annotated[str | None, typer.Option(help="Name of the new dataset.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")] = 1,
) -> Answer:
    """Make a clean dataset of another one; every row of the old one is accounted for in its audit log.

    JSON: `dataset`, `name`, `parents`, `rows`, `kept` (rows of the new dataset), `changed` (how many of those), `dropped`
    (reason: rows), `by_step`, `audit` (file).
    """
    with open_workspace() as workspace:
        chosen = _steps(workspace, steps)
        view = workspace.cleaning.start(dataset, chosen, name, seed)
        follow(
            "Cleaning",
            lambda look: workspace.cleaning.wait(view.dataset, look),
            "",
            {"dataset": view.dataset},
        )
        ended = workspace.cleaning.progress(view.dataset)
        check_done("cleaning", ended.job, workspace.cleaning.log(view.dataset))
        record, summary = workspace.data.get(view.dataset), workspace.cleaning.summary(view.dataset)
        audit = workspace.folders.dataset(view.dataset) / "audit.parquet"
    assert summary is not None, "a cleaning that is done has counts"  # noqa: S101
    told = summary.model_dump(mode="json", include={"rows", "kept", "changed", "dropped", "by_step"})
    value = {
        "dataset": record.id,
        "name": record.name,
        "parents": list(record.parents),
        **told,
        "audit": str(audit),
    }
    shown = [
        facts(
            {"dataset": record.id, "name": record.name, **{k: told[k] for k in ("rows", "kept", "changed")}}
        )
    ]
    if summary.dropped:
        shown.append(
            table(
                ["rows", "why they were dropped"],
                [(n, why) for why, n in summary.dropped.items()],
                title="\nDropped",
            )
        )
    return Answer(value, shown)


def history(dataset: DatasetId) -> Answer:
    """What a dataset was made from, and what cleaning did at each stage; the dataset itself comes first.

    JSON: `dataset`, `history` (each with `dataset`, `name`, `rows`, `created_at`, and `cleaning` or null).
    """
    with open_workspace() as workspace:
        line = workspace.cleaning.history(dataset)
    told = [
        {
            "dataset": one.dataset.id,
            "name": one.dataset.name,
            "rows": one.dataset.rows,
            "created_at": one.dataset.created_at.isoformat(),
            "cleaning": one.summary and one.summary.model_dump(mode="json"),
        }
        for one in line
    ]
    cells = [
        (
            one.dataset.id,
            one.dataset.name,
            one.dataset.rows,
            [f"{step.step}: {step.changed} changed, {step.dropped} dropped" for step in one.summary.by_step]
            if one.summary
            else "",
        )
        for one in line
    ]
    return Answer(
        {"dataset": dataset, "history": told}, [table(["dataset", "name", "rows", "cleaned by"], cells)]
    )


def _steps(workspace: "Workspace", given: str) -> "tuple[Step, ...]":
    """A preset's steps, or those of a file."""
    from ftkit.data import clean  # noqa: PLC0415 - yaml and pydantic cost time that --help must not pay

    path = Path(given)
    if path.suffix.lower() not in {".yaml", ".yml"} and not path.is_file():
        return workspace.cleaning.preset(given).steps
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "cli.no_steps_file",
            "{path} cannot be read ({reason}). Give a YAML file.",
            path=given,
            reason=error,
        ) from error
    return clean.load(text)
