"""``ftkit models``: base models on this machine and where they come from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftkit.cli.output import Answer, command, facts, table
from ftkit.cli.session import check_done, follow, open_workspace

if TYPE_CHECKING:
    from ftkit.records import Job, Model
    from ftkit.workspace import Workspace

app = typer.Typer(help="Base models: list them, download one.", no_args_is_help=True)


@command(app, "list")
def list_models() -> Answer:
    """Models on this machine, and those that can be downloaded.

    JSON: `models`.
    """
    with open_workspace() as workspace:
        here = {model.id: model for model in workspace.models.all()}
        offered = [entry for entry in workspace.models.catalogue() if entry.id not in here]
    entries = [_model(model) for model in here.values()]
    entries += [
        {
            "model": entry.id,
            "name": entry.title,
            "source": entry.source,
            "license": entry.license,
            "parameters": entry.parameters,
            "context_length": entry.context_length,
            "present": False,
        }
        for entry in offered
    ]
    cells = [
        (e["model"], f"{e['parameters'] / 1e6:,.0f} M", e["license"], e["source"], e["present"])
        for e in entries
    ]
    return Answer(
        {"models": entries}, [table(["model", "parameters", "license", "source", "on this machine"], cells)]
    )


@command(app, "pull")
def pull(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A name of the list, an id of the Hugging Face Hub, or a folder such as ./model.",
        ),
    ],
) -> Answer:
    """Download a model, or make the bundled one ready.

    JSON: `model`, `name`, `source`, `revision`, `license`, `parameters`, `context_length`, `present`.
    """
    with open_workspace() as workspace:
        if model.startswith(("/", "./", "../", "~")):
            id_, job = workspace.models.pull_folder(Path(model))
        else:
            id_, job = workspace.models.pull_id(model), workspace.models.pull(model)
        record = await_model(workspace, id_, job)
    value = _model(record)
    return Answer(value, [facts(value)])


@command(app, "compare")
def compare(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Models on this machine, by their ids.")
    ],
    split: Annotated[str, typer.Option(metavar="ID", help="The split whose rows are read.")],
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows are sampled.")] = 64,
) -> Answer:
    """How well each model already knows your data, before any training; the best known one first.

    JSON: `split`, `models`.
    """
    with open_workspace() as workspace:
        found = [
            follow(
                f"Model {one.model.name}",
                lambda look, id_=id_: workspace.familiarity.wait(id_, look),  # type: ignore[misc]
                "Ask again with the same command.",
                {"split": split},
            )
            for id_ in workspace.familiarity.start(split, models, rows)
            if (one := workspace.familiarity.get(id_))
        ]
        for one in found:
            check_done("measurement", one.job, workspace.jobs.folder(one.job).log)
    found.sort(key=lambda one: one.bits_per_character or 0.0)
    values = [
        {
            "model": one.model.id,
            "bits_per_character": one.bits_per_character,
            "perplexity": one.perplexity,
            "rows": one.rows,
            "left_out": one.left_out,
        }
        for one in found
    ]
    shown = [table(list(values[0]), [list(value.values()) for value in values])]
    return Answer({"split": split, "models": values}, [*shown, "Fewer bits per character: better known."])


@command(app, "fit")
def fit(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model of the list, or one on this machine.")
    ],
    recipe: Annotated[
        str, typer.Option(metavar="NAME", help="Whose settings it would be trained with.")
    ] = "smollm2-135m/sft-lora",
) -> Answer:
    """Whether training a model fits into this machine, part by part, and the change with which it would.

    Counted with rows of the recipe's longest row. JSON: `model`, `recipe`, `fits`, `needs_mb`, `free_mb`, `parts`, `change`,
    `needs_with_change_mb`.
    """
    with open_workspace() as workspace:
        found = workspace.fit(model, recipe)
    value = {"model": model, "recipe": recipe, **found.as_dict()}
    about = {key: value[key] for key in ("model", "recipe", "fits", "needs_mb", "free_mb")}
    shown: list[Any] = [facts(about), facts(value["parts"], title="\nParts, in megabytes")]
    if value["change"]:
        shown.append(facts({**value["change"], "needs_mb": value["needs_with_change_mb"]}, title="\nWith"))
    return Answer(value, shown)


def await_model(workspace: "Workspace", id_: str, job: "Job") -> "Model":
    """The model, once its download has ended, with a progress bar on standard error.

    Raises:
        FtkitError: it failed.
    """
    job = follow(
        f"Model {id_}",
        lambda look: workspace.jobs.wait(job.artefact, on_look=look),
        f"Watch it again with: ftkit models pull {id_}",
        {"model": id_},
    )
    check_done("download", job, workspace.jobs.folder(job).log)
    return workspace.models.get(id_)


def _model(record: "Model") -> dict[str, Any]:
    return {
        "model": record.id,
        "name": record.name,
        "source": record.source,
        "revision": record.revision,
        "license": record.license,
        "parameters": record.parameters,
        "context_length": record.context_length,
        "present": True,
    }
