"""How well base models already know a split, side by side, so that one can be chosen before training.

Takes a split and models, gives bits per character of the same rows for each. A lower figure means that the model finds the
answers more likely; perplexities per token cannot be compared between models with different tokenizers, bits per character can.
The measuring happens in a worker; a pair of split and model is measured once and then remembered.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftkit.errors import NotFound, Refused
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Jobs
from ftkit.records import ENDED_STATES, Job, Model, Part, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, read_json, short_hash, write_json
from ftkit.store.models import get_model

KIND = "evaluation.familiarity"
ROWS = 64
_SEED = 42


@dataclass(frozen=True)
class Familiarity:
    """One model on one split; the figures are None until they are measured.

    Args:
        model: the candidate.
        job: the measuring.
        bits_per_character: surprise of the answers' text, in bits; lower is better known.
        perplexity: per token of this model's own tokenizer.
        rows: rows that were measured.
        left_out: sampled rows that this model cannot read.
    """

    model: Model
    job: Job
    bits_per_character: float | None = None
    perplexity: float | None = None
    rows: int = 0
    left_out: int = 0


class FamiliarityService:
    """Measurements of base models over one data folder."""

    def __init__(self, artefacts: Artefacts, folders: Folders, jobs: Jobs) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs

    def start(self, split_id: str, models: Iterable[str], rows: int = ROWS) -> list[str]:
        """Measure each model that was not measured on this split yet.

        Args:
            split_id: whose validation rows are read, or training rows where it has none.
            models: ids of base models on this machine.
            rows: how many rows are sampled; the same ones for each model.

        Returns:
            Ids for ``get``, in the order of the models.

        Raises:
            NotFound: a model is not on this machine.
            Refused: no model is named, or the split has no rows.
        """
        split = self._artefacts.get(Split, split_id)
        found = [get_model(self._folders, id_) for id_ in dict.fromkeys(models)]
        if not found:
            raise Refused("familiarity.no_model", "Choose at least one model to measure.")
        part: Part = "validation" if split.sizes.get("validation") else "train"
        if not split.sizes.get(part):
            raise Refused("familiarity.no_rows", "This split has no rows to measure on. Choose another one.")
        return [self._ask(split, part, model, rows) for model in found]

    def get(self, id_: str) -> Familiarity:
        """One measurement.

        Raises:
            NotFound: there is none with this id.
        """
        job = self._jobs.of(id_)
        folder = self._jobs.folder(job)
        inputs = read_json(folder.path / "inputs.json") or {}
        model = get_model(self._folders, inputs["model_id"])
        result = folder.result(job.nonce) if job.state == "done" else None
        return Familiarity(model, job, **(result or {}).get("metrics", {}))

    def of(self, split_id: str) -> list[Familiarity]:
        """All measurements of a split, the best known first."""
        known = (self._folders.work("any").parent).glob(f"know-{_short(split_id)}-*/inputs.json")
        found = []
        for path in sorted(known):
            try:
                found.append(self.get(path.parent.name))
            except NotFound:  # its model was deleted since
                continue
        return sorted(found, key=lambda one: (one.bits_per_character is None, one.bits_per_character or 0.0))

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> Familiarity:
        """Supervise a measurement until it has ended."""
        self._jobs.wait(id_, on_look=on_look)
        return self.get(id_)

    def _ask(self, split: Split, part: Part, model: Model, rows: int) -> str:
        asked = {
            "split": str(self._folders.split(split.id)),
            "split_hash": split.content_hash,
            "mapping": split.mapping,
            "part": part,
            "model": str(self._folders.model(model.id)),
            "model_id": model.id,
            "model_hash": model.content_hash or model.revision,
            "rows": rows,
            "seed": _SEED,
        }
        digest = short_hash(asked, 10)
        id_ = f"know-{_short(split.id)}-{digest}"
        folder = self._folders.work(id_)
        if not self._measured(id_, folder):
            shutil.rmtree(folder, ignore_errors=True)
            write_json(folder / "inputs.json", asked)
            self._jobs.submit(KIND, id_)
        return id_

    def _measured(self, id_: str, folder: Path) -> bool:
        """Whether it is done, or on its way."""
        try:
            job = self._jobs.of(id_)
        except NotFound:
            return False
        return job.state not in ENDED_STATES or (
            job.state == "done" and JobFolder(folder).result(job.nonce) is not None
        )


def _short(split: str) -> str:
    """A split's id in the name of a folder, which has 63 characters."""
    return hashlib.sha256(split.encode()).hexdigest()[:12]
