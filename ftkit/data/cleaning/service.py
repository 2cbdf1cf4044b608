"""Cleaning's public face: steps, presets, a preview, the run in the background, its audit log, and undo.

Takes dataset ids and steps, gives views. The rows are touched in the worker alone; this side writes what it reads and reads
what it writes. A cleaned dataset is a new one: its parent stays as it was.
"""

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.data import clean, storage
from ftkit.data.cleaning import running
from ftkit.data.cleaning.running import AuditRow, Summary
from ftkit.data.cleaning.steps import Context, Step
from ftkit.errors import BadInput, NotFound
from ftkit.jobs.call import call_worker
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Clock, Jobs, NewId
from ftkit.records import ENDED_STATES, Dataset, Job
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, read_json, write_json

# Cleaning waits for the disk more than for the processor, and must not wait for a training run.
LANE = "clean"
SEED = 1
PREVIEW_ROWS = 500
_SHOWN = 10
_PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Preset:
    """A list of steps that comes with ftkit; its title stands in the catalogue of the page."""

    name: str
    about: str
    steps: tuple[Step, ...]
    text: str


@dataclass(frozen=True)
class Progress:
    """How far a running worker is."""

    phase: str
    step: int
    steps: int
    seconds_left: float | None
    heartbeat: float


@dataclass(frozen=True)
class CleaningView:
    """One cleaning with what is known about it now; ``summary`` is there once it is done."""

    dataset: str
    parent: str
    name: str
    steps: tuple[dict[str, Any], ...]
    job: Job
    progress: Progress | None
    summary: Summary | None


@dataclass(frozen=True)
class Origin:
    """A dataset in the line that another one came from, and what cleaning did to make it."""

    dataset: Dataset
    summary: Summary | None


class CleaningService:
    """Cleaning over one data folder."""

    def __init__(
        self,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        environment: Mapping[str, str],
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._environment = environment
        self._clock: Callable[[], datetime] = clock
        self._new_id = new_id
        self._start_lock = threading.Lock()

    def steps(self) -> list[type[Step]]:
        """The kinds of steps there are, in the order in which they usually run."""
        return list(clean.STEPS.values())

    def presets(self) -> list[Preset]:
        """Lists of steps that come with ftkit, the mildest first."""
        return [_preset(path) for path in sorted(_PRESETS.glob("*.yaml"), key=_order)]

    def preset(self, name: str) -> Preset:
        """The preset of this name.

        Raises:
            NotFound: there is none.
        """
        known = {one.name: one for one in self.presets()}
        if name not in known:
            raise NotFound(
                "clean.unknown_preset",
                "There is no preset “{name}”. Use one of: {known}.",
                name=name,
                known=", ".join(known),
            )
        return known[name]

    def preview(
        self, dataset_id: str, steps: Sequence[Step], rows: int = PREVIEW_ROWS, shown: int = _SHOWN
    ) -> dict[str, Any]:
        """What the steps do to the first rows; the form is that of ``ftkit.workers.clean.preview``.

        Raises:
            BadInput: a step does not fit the dataset.
        """
        question = {**self._inputs(self._artefacts.get(Dataset, dataset_id), steps, SEED), "rows": rows}
        told: dict[str, Any] = call_worker("clean", {**question, "shown": shown}, self._environment)
        return told

    def start(
        self, dataset_id: str, steps: Sequence[Step], name: str | None = None, seed: int = SEED
    ) -> CleaningView:
        """Queue a cleaning; where the same one is under way, that one is returned.

        Args:
            dataset_id: what to clean.
            steps: in the order in which they run.
            name: of the new dataset.
            seed: of whatever a step draws.

        Raises:
            BadInput: there are no steps, or one does not fit the dataset.
            NotFound: a model that a step names is not here.
        """
        old = self._artefacts.get(Dataset, dataset_id)
        inputs = self._inputs(old, steps, seed)
        with self._start_lock:
            under_way = self._under_way(inputs)
            if under_way is not None:
                return self.progress(under_way)
            draft = old.model_copy(
                update={
                    "id": self._new_id(),
                    "name": (name or "").strip() or f"{old.name} · clean",
                    "created_at": self._clock(),
                    "parents": (old.id,),
                    "seed": seed,
                    "versions": storage.versions(),
                    "skipped": (),
                    "skipped_count": 0,
                    "notes": (),
                }
            )
            work = self._folders.work(_job_name(draft.id))
            more = {
                "target": str(self._folders.dataset(draft.id)),
                "dataset": draft.model_dump(mode="json"),
            }
            write_json(work / "inputs.json", {**inputs, **more})
            self._jobs.submit("clean", _job_name(draft.id), lane=LANE)
        return self.progress(draft.id)

    def progress(self, new_id: str) -> CleaningView:
        """How far the cleaning is that makes the dataset ``new_id``.

        Raises:
            NotFound: there never was one.
        """
        job = self._jobs.of(_job_name(new_id))
        folder = self._jobs.folder(job)
        inputs = read_json(folder.path / "inputs.json") or {}
        state = JobFolder(folder.path).state()
        now = None
        if state and job.state in {"starting", "running", "stopping"}:
            now = Progress(
                phase=state["phase"],
                step=state.get("step", 0),
                steps=state.get("steps", 0),
                seconds_left=state.get("seconds_left"),
                heartbeat=state["time"],
            )
        draft = inputs["dataset"]
        summary = self.summary(new_id) if job.state == "done" else None
        return CleaningView(
            new_id, draft["parents"][0], draft["name"], tuple(inputs["steps"]), job, now, summary
        )

    def wait(self, new_id: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> CleaningView:
        """Supervise a cleaning until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(_job_name(new_id), on_look=on_look)
        return self.progress(new_id)

    def stop(self, new_id: str) -> CleaningView:
        """Stop a cleaning; nothing of it is kept."""
        self._jobs.stop(_job_name(new_id))
        return self.progress(new_id)

    def log(self, new_id: str) -> Path:
        """What the worker printed."""
        return self._jobs.folder(self._jobs.of(_job_name(new_id))).log

    def summary(self, dataset_id: str) -> Summary | None:
        """What cleaning did to make a dataset; None where it was not made by cleaning."""
        value = read_json(self._folders.dataset(dataset_id) / running.SUMMARY)
        return None if value is None else Summary.model_validate(value)

    def audit(self, dataset_id: str, offset: int = 0, limit: int = 20) -> list[AuditRow]:
        """What became of the rows of the parent, in their order.

        Raises:
            NotFound: the dataset was not made by cleaning.
        """
        return running.audit_rows(self._audit_file(dataset_id), max(0, offset), limit)

    def audit_lines(self, dataset_id: str) -> Iterator[str]:
        """The whole audit log as JSON lines.

        Raises:
            NotFound: the dataset was not made by cleaning.
        """
        for row in storage.iterate_rows(self._audit_file(dataset_id)):
            yield json.dumps(row, ensure_ascii=False) + "\n"

    def history(self, dataset_id: str) -> list[Origin]:
        """The dataset and those that it came from, itself first."""
        self._artefacts.get(Dataset, dataset_id)
        line = [id_ for kind, id_, _ in self._artefacts.lineage(dataset_id) if kind == Dataset.kind]
        return [Origin(self._artefacts.get(Dataset, id_), self.summary(id_)) for id_ in line]

    def undo(self, dataset_id: str) -> str:
        """Delete a cleaned dataset, and give the id of its parent, which is as it was.

        Raises:
            BadInput: something was made from it, or it was not made by cleaning.
        """
        record = self._artefacts.get(Dataset, dataset_id)
        if self.summary(dataset_id) is None:
            raise BadInput(
                "clean.not_cleaned",
                "{name} was not made by cleaning. Choose another dataset.",
                name=record.name,
            )
        self._artefacts.delete(record)
        shutil.rmtree(self._folders.dataset(dataset_id), ignore_errors=True)
        return record.parents[0]

    def _audit_file(self, dataset_id: str) -> Path:
        path = self._folders.dataset(self._artefacts.get(Dataset, dataset_id).id) / running.AUDIT
        if not path.exists():
            raise NotFound(
                "clean.no_audit",
                "{id} was not made by cleaning, so it has no audit log. Choose another.",
                id=dataset_id,
            )
        return path

    def _inputs(self, dataset: Dataset, steps: Sequence[Step], seed: int) -> dict[str, Any]:
        values = [step.model_dump(mode="json") for step in steps]
        clean.parse(values)
        context = Context(mapping=dataset.mapping, columns=dataset.columns, seed=seed)
        for step in steps:
            step.check(context)
        return {
            "source": str(self._folders.dataset(dataset.id) / storage.ROWS),
            "mapping": dataset.mapping,
            "columns": list(dataset.columns),
            "steps": values,
            "seed": seed,
            "models": {
                model: str(self._model(model)) for step in steps if (model := getattr(step, "model", ""))
            },
        }

    def _model(self, id_: str) -> Path:
        folder = self._folders.model(id_)
        if not (folder / "tokenizer.json").exists():
            raise NotFound(
                "clean.no_such_model",
                "The model {model} is not on this machine. Get it on the Model page, or clear the field.",
                model=id_,
            )
        return folder

    def _under_way(self, inputs: dict[str, Any]) -> str | None:
        for job in self._jobs.unfinished():
            if job.kind != "clean" or job.state in ENDED_STATES:
                continue
            known = read_json(self._jobs.folder(job).path / "inputs.json") or {}
            if known.items() >= inputs.items():
                return str(known["dataset"]["id"])
        return None


def _job_name(dataset_id: str) -> str:
    return f"clean-{dataset_id}"


def _preset(path: Path) -> Preset:
    text = path.read_text(encoding="utf-8")
    about = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    return Preset(path.stem, about, clean.load(text), text)


def _order(path: Path) -> tuple[int, str]:
    usual = ("light", "strict", "privacy")
    return (usual.index(path.stem) if path.stem in usual else len(usual), path.stem)
