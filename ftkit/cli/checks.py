"""``ftkit data check``: the health report of a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.evaluate import Language
from ftkit.cli.output import Answer, facts, table
from ftkit.cli.session import check_done, follow, open_workspace, write_page

if TYPE_CHECKING:
    from ftkit.data.health.report import Finding, HealthReport
    from ftkit.data.health.service import CheckOptions
    from ftkit.workspace import Workspace

_SHOWN = 2


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
