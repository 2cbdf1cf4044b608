"""What is exported, and what every target's exporter has in common.

Takes the worker's ``inputs.json``, gives an ``ExportJob``; says in a protocol what an exporter does. It builds nothing.
"""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ftkit.export.options import ExportOptions
from ftkit.export.parity import Heard
from ftkit.workers.harness import Worker
from ftkit.workers.loading import is_adapter


class ExportJob(NamedTuple):
    """One export.

    Args:
        worker: for progress and stops.
        options: what was asked for.
        run: id of the run, its name, and its whole ``RunSpec``.
        name: of the exported model, fit for a file.
        model: folder of the base model.
        tuned: folder of the adapter, or of the whole tuned model.
        split: folder of the run's split; None where it is gone.
        mapping: roles to columns of its rows.
        base: the base model's record, ``model.json``.
        metrics: of the run's result.
        data: ``split`` id and ``hash`` of the rows, for cards.
    """

    worker: Worker
    options: ExportOptions
    run: dict[str, Any]
    name: str
    model: Path
    tuned: Path
    split: Path | None
    mapping: dict[str, str]
    base: dict[str, Any]
    metrics: dict[str, Any]
    data: dict[str, str]

    @classmethod
    def of(cls, worker: Worker) -> "ExportJob":
        """From ``inputs.json``."""
        given = worker.inputs
        return cls(
            worker=worker,
            options=ExportOptions(**given["options"]),
            run=given["run"],
            name=given["name"],
            model=Path(given["model"]),
            tuned=Path(given["tuned"]),
            split=Path(given["split"]) if given["split"] else None,
            mapping=given["mapping"],
            base=given["base"],
            metrics=given["metrics"],
            data=given["data"],
        )

    @property
    def adapter(self) -> bool:
        """Whether the run made an adapter, and no whole model."""
        return is_adapter(self.tuned)

    @property
    def scratch(self) -> Path:
        """A folder for what is needed on the way; it is deleted at the end."""
        folder = self.worker.path / "scratch"
        folder.mkdir(exist_ok=True)
        return folder


class Verified(NamedTuple):
    """What loading the built files again has shown.

    Args:
        loaded: how they were loaded again, each in a word of the catalogue: ``peft``, ``transformers``, ``gguf``, ``llama.cpp``,
            ``handler`` …
        ways: what the model said on each of these ways; they go into the parity table beside the trainer's own.
        facts: further plain values for the report.
    """

    loaded: tuple[str, ...]
    ways: tuple[Heard, ...] = ()
    facts: dict[str, Any] = {}  # noqa: RUF012 - never written to


class Exporter(Protocol):
    """Builds one target, and loads again what it has built."""

    def build(self, job: ExportJob, folder: Path) -> None:
        """Fill an empty folder: the same files, byte by byte, whenever it is done again.

        Raises:
            Refused: the model cannot take this form; the sentence says which it can.
        """
        ...

    def verify(self, job: ExportJob, folder: Path) -> Verified:
        """Load the files as their user would, and ask the parity prompts.

        Raises:
            FtkitError: they cannot be loaded.
        """
        ...
