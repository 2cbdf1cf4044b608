"""``ftkit data``: files in, datasets and splits out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, command, facts, table
from ftkit.cli.session import follow, open_workspace, pairs
from ftkit.errors import BadInput

if TYPE_CHECKING:
    from ftkit.data.incoming.service import IncomingService
    from ftkit.data.reading.report import Options
    from ftkit.data.splits.service import SplitService
    from ftkit.records import Dataset, Split

app = typer.Typer(
    help="Bring in files; look at datasets, check, clean, form and split them; take them out.",
    no_args_is_help=True,
)

_SHOWN_SKIPPED = 10

DatasetId = Annotated[str, typer.Argument(metavar="DATASET", help="Id of a dataset.")]


@command(app, "import")
def import_file(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="CSV, TSV, JSON, JSONL, Parquet, XLSX or TXT files, also in .gz or .zip; several with the same columns "
            "become one dataset. Or hub:OWNER/NAME[@REVISION], a data set of the Hub.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset; the file's name if left out.")
    ] = None,
    encoding: Annotated[
        str, typer.Option(help="Encoding of the text, such as windows-1254; found out if left out.")
    ] = "",
    delimiter: Annotated[
        str, typer.Option(help="What separates the columns of a CSV file: one character, or tab.")
    ] = "",
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether a CSV file begins with the names.")
    ] = None,
    sheet: Annotated[str, typer.Option(help="Which sheet of a workbook.")] = "",
    list_: Annotated[str, typer.Option("--list", help="Which list of a JSON document with several.")] = "",
) -> Answer:
    """Read files into a dataset, and say what was skipped and why.

    JSON: `dataset`, `name`, `rows`, `columns`, `mapping`, `skipped_count`, `skipped`, `notes`, `parents`, `created_at`.
    """
    from ftkit.data.reading.report import Options  # noqa: PLC0415 - pydantic, which --help must not pay

    options = Options(encoding=encoding, delimiter=delimiter, header=header, sheet=sheet, list_name=list_)
    with open_workspace() as workspace:
        incoming = workspace.data.incoming
        upload = _upload(incoming, files)
        _read(incoming, upload, options)
        dataset = workspace.data.import_upload(upload, name)
    value = {**_dataset(dataset), "skipped": [item.model_dump() for item in dataset.skipped]}
    shown = [facts(_facts(dataset))]
    if dataset.skipped_count:
        first = [
            (f"{item.file} {item.line}".strip(), item.reason) for item in dataset.skipped[:_SHOWN_SKIPPED]
        ]
        shown.append(
            table(["line", "why it was skipped"], first, title=f"\nSkipped: {dataset.skipped_count}")
        )
    return Answer(value, shown)


def _upload(incoming: "IncomingService", files: list[str]) -> str:
    """The id of a new upload of these files, or of the one data set of the Hub."""
    if any(file.startswith("hub:") for file in files):
        if len(files) > 1:
            raise BadInput(
                "cli.hub_alone",
                "A data set of the Hub is imported by itself. Give the others in another command.",
            )
        return incoming.fetch(files[0])
    return incoming.add([(Path(file), Path(file).name) for file in files]).id


def _read(incoming: "IncomingService", upload: str, options: "Options") -> None:
    """Read an upload, with progress where it is large."""
    if incoming.begin(upload, options) is None:
        incoming.read(upload, options)
        return
    follow(
        "Reading",
        lambda look: incoming.read(upload, options, look),
        f"See it on the Data page at /data?upload={upload}",
        {"upload": upload},
    )


@command(app, "export")
def export_rows(
    id_: Annotated[str, typer.Argument(metavar="DATASET|SPLIT", help="Id of a dataset or a split.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to make.")],
    to: Annotated[
        str, typer.Option(metavar="csv|jsonl|parquet", help="The format; what FILE ends in if left out.")
    ] = "",
    part: Annotated[str, typer.Option(metavar="train|validation|test", help="Which part of a split.")] = "",
) -> Answer:
    """Write a dataset or a part of a split to a file.

    In CSV, cells that a spreadsheet would take for a formula get an apostrophe in front; JSONL and Parquet are exact.

    JSON: `id`, `file`, `format`, `part`, `bytes`.
    """
    format_ = to or out.suffix.lstrip(".").lower()
    with open_workspace() as workspace:
        size = workspace.downloads.write(id_, format_, out, part)
    value = {"id": id_, "file": str(out), "format": format_, "part": part, "bytes": size}
    return Answer(value, [facts(value)])


@command(app, "list")
def list_datasets() -> Answer:
    """All datasets and splits, newest first.

    JSON: `datasets`, `splits`.
    """
    with open_workspace() as workspace:
        datasets, splits = workspace.data.all(), workspace.splits.all()
    value = {"datasets": [_dataset(d) for d in datasets], "splits": [_split(s) for s in splits]}
    cells = [(d.id, d.name, d.rows, list(d.columns)) for d in datasets]
    split_cells = [(s.id, s.dataset, *s.sizes.values()) for s in splits]
    if not datasets:
        return Answer(value, ["No datasets yet. Bring one in with: ftkit data import FILE"])
    shown = [table(["dataset", "name", "rows", "columns"], cells)]
    if splits:
        shown.append(
            table(["split", "of dataset", "train", "validation", "test"], split_cells, title="\nSplits")
        )
    return Answer(value, shown)


@command(app, "show")
def show_dataset(
    dataset: DatasetId,
    offset: Annotated[int, typer.Option(min=0, help="First row shown.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many rows.")] = 5,
) -> Answer:
    """A dataset: its columns, roles, splits and some rows.

    JSON: `dataset`, `name`, `rows`, `columns`, `mapping`, `skipped_count`, `skipped`, `notes`, `parents`, `created_at`, `splits`, `offset`, `examples`.
    """
    with open_workspace() as workspace:
        record = workspace.data.get(dataset)
        rows = workspace.data.rows(dataset, offset, limit)
        splits = workspace.splits.all(dataset)
    value = {
        **_dataset(record),
        "skipped": [item.model_dump() for item in record.skipped],
        "splits": [_split(split) for split in splits],
        "offset": offset,
        "examples": rows,
    }
    cells = [[row.get(column) for column in record.columns] for row in rows]
    return Answer(value, [facts(_facts(record)), table(record.columns, cells)])


@command(app, "format")
def format_dataset(
    dataset: DatasetId,
    shape: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="chat|completion|text|preference",
            help="The form of the new rows: conversations; prompt and completion; one text; a better and a worse answer.",
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="ROLE=COLUMN",
            help="Which column plays a role: messages, tools, system, instruction, user, assistant, text, prompt, "
            "completion, chosen, rejected, label. Give it once for each role.",
        ),
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="How texts are written: alpaca, talimat, chatml, plain, or a file with a Jinja template of your own.",
        ),
    ] = "",
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="Write texts with the chat template of this model.")
    ] = "",
    name: Annotated[str | None, typer.Option(help="Name of the new dataset.")] = None,
) -> Answer:
    """Give rows another form, or say which column plays which role. Without --as and --map, the roles are shown.

    JSON: `dataset`, `name`, `rows`, `columns`, `mapping`, `skipped_count`, `skipped`, `notes`, `parents`, `created_at`, `conversation`.
    """
    with open_workspace() as workspace:
        roles = pairs("--map", map_) if map_ else None
        if shape:
            record = workspace.formatting.format(
                dataset,
                shape,  # type: ignore[arg-type]  # the service refuses unknown ones in words
                mapping=roles,
                template=_template(template, workspace.formatting.templates()),
                model=model,
                name=name,
            )
        elif roles:
            record = workspace.data.remap(dataset, roles, name)
        else:
            record = workspace.data.get(dataset)
        conversation = workspace.data.conversation(record.id, 0) if record.rows else []
    value = {
        **_dataset(record),
        "skipped": [item.model_dump() for item in record.skipped],
        "conversation": list(conversation),
    }
    said = [(message["role"], message["content"]) for message in conversation]
    first = table(["role", "content"], said, title="The first row as the model sees it")
    return Answer(value, [facts(_facts(record)), first])


@command(app, "split")
def split_dataset(
    dataset: DatasetId,
    ratios: Annotated[
        str, typer.Option(metavar="TRAIN,VALIDATION,TEST", help="Shares of the three parts.")
    ] = "0.8,0.1,0.1",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same split.")] = 42,
    group: Annotated[
        str, typer.Option(metavar="COLUMN", help="Rows with the same value here stay together.")
    ] = "",
    stratify: Annotated[
        str, typer.Option(metavar="COLUMN", help="Values of this column keep their shares in every part.")
    ] = "",
    test: Annotated[
        str,
        typer.Option(
            metavar="DATASET",
            help="Rows of this dataset are the test; what equals or nearly equals them is kept out of training.",
        ),
    ] = "",
    near: Annotated[
        bool | None,
        typer.Option(
            "--near/--no-near",
            help="Keep near-duplicates together. If left out: yes, unless most rows are alike.",
            show_default=False,
        ),
    ] = None,
) -> Answer:
    """Cut a dataset into train, validation and test. Rows that belong together stay together; leaks are measured.

    JSON: `split`, `dataset`, `sizes`, `leaks`, `leak_kinds`, `left_out`, `left_out_reasons`, `trimmed`, `ratios`, `seed`, `group`, `stratify`, `near`, `test_dataset`, `notes`, `created_at`.
    """
    from ftkit.data.splits.service import Choices  # noqa: PLC0415 - pydantic, which --help must not pay

    wanted = Choices(ratios=_ratios(ratios), seed=seed, group=group, stratify=stratify, near=near, test=test)
    with open_workspace() as workspace:
        split = _made(workspace.splits, workspace.splits.begin(dataset, wanted))
    value = _split(split)
    sizes = {str(part): size for part, size in split.sizes.items()}
    kinds = {
        f"{kind} copies in another part": split.leak_kinds.get(kind, 0)
        for kind in ("exact", "near", *(["group"] if split.group else []))
    }
    found = {"split": split.id, **sizes, "leaks": split.leaks, **kinds, "left out": split.left_out}
    shown = (
        [facts(found), table(["note"], [(note,) for note in split.notes])] if split.notes else [facts(found)]
    )
    if split.left_out_reasons:
        shown.append(
            table(["rows", "why they were left out"], [(n, r) for r, n in split.left_out_reasons.items()])
        )
    return Answer(value, shown)


def _made(splits: "SplitService", id_: str) -> "Split":
    """A split that was begun, with progress where it is large."""
    if splits.job(id_) is None:
        return splits.get(id_)
    return follow(
        "Splitting", lambda look: splits.wait(id_, look), "See it with: ftkit data list", {"split": id_}
    )


def _template(given: str, known: tuple[str, ...]) -> str:
    """A template that comes with ftkit, or what is in a file."""
    if not given or given in known:
        return given
    path = Path(given)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "cli.no_template",
            "--template {given} is neither a text file nor one of: {known}.",
            given=repr(given),
            known=", ".join(known),
        ) from error


def _ratios(text: str) -> tuple[float, float, float]:
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BadInput(
            "cli.bad_ratios",
            "--ratios {given} must be three numbers with commas between, such as 0.8,0.1,0.1.",
            given=repr(text),
        ) from error
    return train, validation, test


def _dataset(record: "Dataset") -> dict[str, Any]:
    return {
        "dataset": record.id,
        "name": record.name,
        "rows": record.rows,
        "columns": list(record.columns),
        "mapping": record.mapping,
        "skipped_count": record.skipped_count,
        "notes": list(record.notes),
        "parents": list(record.parents),
        "created_at": record.created_at.isoformat(),
    }


def _split(record: "Split") -> dict[str, Any]:
    return {
        "split": record.id,
        "dataset": record.dataset,
        "sizes": dict(record.sizes),
        "leaks": record.leaks,
        "leak_kinds": record.leak_kinds,
        "left_out": record.left_out,
        "left_out_reasons": record.left_out_reasons,
        "trimmed": record.trimmed,
        "ratios": list(record.ratios),
        "seed": record.seed,
        "group": record.group,
        "stratify": record.stratify,
        "near": record.near,
        "test_dataset": record.test_dataset,
        "notes": list(record.notes),
        "created_at": record.created_at.isoformat(),
    }


def _facts(record: "Dataset") -> dict[str, object]:
    return {
        "dataset": record.id,
        "name": record.name,
        "rows": record.rows,
        "skipped": record.skipped_count,
        "columns": record.columns,
        "roles": record.mapping,
        **({"notes": record.notes} if record.notes else {}),
    }
