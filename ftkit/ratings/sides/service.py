"""Which models can be asked, and where they lie: base models, runs with their checkpoints, and exports of weights.

Takes names of sides, gives their folders and what a person calls them. It loads none.
"""

from pathlib import Path
from typing import NamedTuple

from ftkit.errors import NotFound, Refused
from ftkit.ratings.sides.names import Side
from ftkit.records import Export, Run
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, read_json
from ftkit.store.models import all_models, get_model

_CHECKPOINT = "checkpoint-"
_ADAPTER, _WHOLE = "adapter_config.json", "config.json"
# Targets of exports that hold weights which the generator reads.
_ASKABLE = frozenset({"adapter", "merged", "gguf"})


class Place(NamedTuple):
    """Where a side lies: the base model's folder, and that of the adapter or of the whole tuned model; None for a base model."""

    model: Path
    tuned: Path | None

    @property
    def gguf(self) -> Path | None:
        """Its GGUF file, where it is one."""
        return None if self.tuned is None else next(iter(sorted(self.tuned.glob("*.gguf"))), None)

    @property
    def adapter(self) -> bool:
        """Whether it is an adapter on top of the base model."""
        return self.tuned is not None and (self.tuned / _ADAPTER).exists()

    @property
    def scalable(self) -> bool:
        """Whether a share of its change can be taken: not of a whole model, nor of DoRA, which also has lengths of its own."""
        return (
            self.tuned is not None
            and self.adapter
            and not (read_json(self.tuned / _ADAPTER) or {}).get("use_dora")
        )


class SideService:
    """The models of one data folder that can be asked."""

    def __init__(self, artefacts: Artefacts, folders: Folders) -> None:
        self._artefacts = artefacts
        self._folders = folders

    def offered(self) -> list[Side]:
        """All that can be asked, newest first: runs that left something with their checkpoints, exports, then base models."""
        found: list[Side] = []
        for run in self._artefacts.all(Run):
            if self._folders.tuned(run.id) is not None:
                found.append(Side(kind="run", id=run.id))
            found += [Side(kind="checkpoint", id=run.id, step=step) for step in self._steps(run.id)]
        exports = [one.id for one in self._artefacts.all(Export) if one.target in _ASKABLE]
        found += [Side(kind="export", id=id_) for id_ in exports if self._exported(id_).is_dir()]
        return found + [Side(kind="base", id=model.id) for model in all_models(self._folders)]

    def place(self, side: Side) -> Place:
        """Where it lies.

        Raises:
            NotFound: there is no such model, run, checkpoint or export.
            Refused: it has left nothing yet that can be asked, or its change cannot be taken in part.
        """
        place = self._place(side)
        if side.strength != 1 and not place.scalable:
            raise Refused(
                "sides.no_strength",
                "The strength of {side} cannot be changed: only that of a LoRA adapter can, neither that of a whole model nor "
                "that of DoRA. Leave it at 1.",
                side=self.label(side),
            )
        return place

    def _place(self, side: Side) -> Place:
        if side.kind == "base":
            get_model(self._folders, side.id)
            return Place(self._folders.model(side.id), None)
        run = self._artefacts.get(Run, self.run_of(side))
        model = self._folders.model(run.model)
        if side.kind == "checkpoint":
            folder = self._folders.run(run.id) / "checkpoints" / f"{_CHECKPOINT}{side.step}"
            if side.step not in self._steps(run.id):
                raise NotFound(
                    "sides.no_checkpoint",
                    "The run {run} has no checkpoint of step {step}. It has: {steps}.",
                    run=run.name,
                    step=side.step,
                    steps=", ".join(map(str, self._steps(run.id))) or "-",
                )
            return Place(model, folder)
        if side.kind == "export":
            return Place(model, self._export(side.id))
        tuned = self._folders.tuned(run.id)
        if tuned is None:
            raise Refused(
                "ratings.nothing_trained",
                "The run {run} has left nothing yet. Wait for its end, resume it, or start a new run.",
                run=run.name,
            )
        return Place(model, tuned)

    def _export(self, id_: str) -> Path:
        export = self._artefacts.get(Export, id_)
        if export.target not in _ASKABLE:
            raise Refused(
                "sides.export_kind",
                "An export for {target} cannot be asked here: only those for adapter, merged and gguf can. Choose one of these.",
                target=export.target,
            )
        if not self._exported(id_).is_dir():
            raise Refused(
                "sides.export_gone",
                "The export {export} has no files. Wait for its end, or start it again.",
                export=export.name,
            )
        return self._exported(id_)

    def _exported(self, id_: str) -> Path:
        """Its files; they are there as a whole or not at all."""
        return self._folders.export(id_) / "files"

    def label(self, side: Side) -> str:
        """What a person calls it: the name of the model or of the run, with step and strength; its id where it is gone."""
        if side.kind == "base":
            name = next((one.name for one in all_models(self._folders) if one.id == side.id), side.id)
        else:
            name = self._name(Export if side.kind == "export" else Run, side.id)
        step = "" if side.step is None else f" · {side.step}"
        strength = "" if side.strength == 1 else f" · {side.strength:g}×"
        return f"{name}{step}{strength}"

    def model_of(self, side: Side) -> str:
        """Id of the base model.

        Raises:
            NotFound: there is no such run.
        """
        return side.id if side.kind == "base" else self._artefacts.get(Run, self.run_of(side)).model

    def run_of(self, side: Side) -> str:
        """Id of the run that it came of; none for a base model.

        Raises:
            NotFound: there is no such export.
        """
        if side.kind == "export":
            return self._artefacts.get(Export, side.id).run
        return "" if side.kind == "base" else side.id

    def _name(self, kind: type[Export] | type[Run], id_: str) -> str:
        try:
            return self._artefacts.get(kind, id_).name
        except NotFound:
            return id_

    def _steps(self, run: str) -> list[int]:
        """Steps of the checkpoints that can be asked, newest first."""
        found = []
        for folder in (self._folders.run(run) / "checkpoints").glob(f"{_CHECKPOINT}*"):
            step = folder.name.removeprefix(_CHECKPOINT)
            if step.isdigit() and any((folder / sign).exists() for sign in (_ADAPTER, _WHOLE)):
                found.append(int(step))
        return sorted(found, reverse=True)
