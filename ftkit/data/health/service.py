"""The health room's public face: check a dataset for a model and a length, follow the check, read its report.

Takes ids, gives reports. The looking happens in the worker; a check of the same rows with the same choices is found again,
not made again. It changes no dataset: cleaning does.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ftkit.data import storage
from ftkit.data.health.report import HealthReport
from ftkit.data.health.words import words
from ftkit.errors import BadInput, NotFound
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Jobs
from ftkit.records import ENDED_STATES, PARTS, Dataset, Job, Record, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, hash_file, read_json, short_hash, write_json
from ftkit.store.models import get_model

# Beside a training run, not behind it.
_LANE = "check"
_VERSION = 2  # of what a check looks at: a new one makes old reports old


class CheckOptions(Record):
    """What a dataset is checked for.

    Without a model no tokens are counted; ``split`` adds the search for rows that stand in two of its parts.
    """

    model: str = ""
    max_length: int = 512
    split: str = ""
    personal: bool = True


@dataclass(frozen=True)
class CheckProgress:
    """How far a running check is."""

    phase: str
    step: int
    steps: int
    seconds_left: float | None


@dataclass(frozen=True)
class HealthView:
    """A check with what is known about it now; ``report`` is there once it is done."""

    id: str
    dataset: Dataset
    options: CheckOptions
    job: Job
    report: HealthReport | None
    progress: CheckProgress | None


class HealthService:
    """Checks of one data folder."""

    def __init__(self, artefacts: Artefacts, folders: Folders, jobs: Jobs) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._start_lock = threading.Lock()

    def start(self, dataset_id: str, options: CheckOptions | None = None) -> HealthView:
        """Check a dataset; a finished or running check of the same rows with the same choices is returned.

        Raises:
            NotFound: there is no such dataset, model or split.
            BadInput: the split is of another dataset.
        """
        chosen = options or CheckOptions()
        dataset = self._artefacts.get(Dataset, dataset_id)
        inputs = self._inputs(dataset, chosen)
        id_ = f"check-{short_hash(inputs['key'], 20)}"
        with self._start_lock:
            known = self._find(id_)
            if (
                known is None
                or known.job.state in ENDED_STATES - {"done"}
                or (known.job.state == "done" and known.report is None)
            ):
                write_json(self._folders.work(id_) / "inputs.json", inputs)
                self._jobs.submit("check", id_, lane=_LANE)
            elif known.dataset.id != dataset.id:  # the same rows under another name
                write_json(
                    self._folders.work(id_) / "inputs.json", {**self._read(id_), "dataset": dataset.id}
                )
        return self.get(id_)

    def get(self, id_: str) -> HealthView:
        """One check.

        Raises:
            NotFound: there is none with this id.
        """
        view = self._find(id_)
        if view is None:
            raise NotFound("health.none", "There is no check {id}. Start one on the Data page.", id=repr(id_))
        return view

    def newest(self, dataset_id: str) -> HealthView | None:
        """The check of a dataset that was started last."""
        written = self._folders.work("any").parent.glob("check-*/inputs.json")
        for path in sorted(written, key=lambda path: path.stat().st_mtime_ns, reverse=True):
            if (read_json(path) or {}).get("dataset") == dataset_id and (
                view := self._find(path.parent.name)
            ):
                return view
        return None

    def told(self, dataset_id: str, language: str) -> tuple[int, int, list[tuple[str, str]]] | None:
        """What the newest check of a dataset found: rows, usable rows, and ``(severity, sentence)`` each; None without one."""
        view = self.newest(dataset_id)
        if view is None or view.report is None:
            return None
        told = words(language)
        found: list[tuple[str, str]] = [
            (one.severity, f"{told.text(f'title.{one.kind}')}: {told.rows(one.count)}")
            for one in view.report.findings
        ]
        return view.report.rows, view.report.usable, found

    def report(self, id_: str) -> HealthReport:
        """The report of a finished check.

        Raises:
            BadInput: it is not finished.
        """
        view = self.get(id_)
        if view.report is None:
            raise BadInput(
                "health.not_done",
                "The check is {state}, not done. Start it again, or wait.",
                state=view.job.state,
            )
        return view.report

    def progress(self, id_: str) -> CheckProgress | None:
        """How far a running check is; None before and after."""
        return self.get(id_).progress

    def stop(self, id_: str) -> HealthView:
        """Stop a check; nothing of it is kept."""
        self.get(id_)
        self._jobs.stop(id_)
        return self.get(id_)

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> HealthView:
        """Supervise a check until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self.get(id_)
        self._jobs.wait(id_, on_look=on_look)
        return self.get(id_)

    def page(self, id_: str, language: str = "en", translate: Callable[[str], str] = str) -> str:
        """The report of a finished check as one self-contained HTML page.

        Args:
            id_: which check.
            language: ``en`` or ``tr``.
            translate: says a reason of the data room in that language.
        """
        from ftkit.data.health.page import render  # noqa: PLC0415  Jinja2 costs the command line time

        view = self.get(id_)
        finished = view.job.finished_at or view.job.queued_at
        return render(self.report(id_), view.dataset.name, finished, language, translate)

    def _inputs(self, dataset: Dataset, options: CheckOptions) -> dict[str, Any]:
        """What the worker reads; under ``key`` all that decides the result."""
        split = self._artefacts.get(Split, options.split) if options.split else None
        if split is not None and split.dataset != dataset.id:
            raise BadInput(
                "health.other_split",
                "The split {split} is of another dataset. Choose one of this dataset.",
                split=split.name,
            )
        file = self._folders.dataset(dataset.id) / storage.ROWS
        folder = self._folders.split(split.id) if split else None
        key = {
            "version": _VERSION,
            "rows": hash_file(file),
            "mapping": dataset.mapping,
            "columns": list(dataset.columns),
            "split": [hash_file(folder / f"{part}.parquet") for part in PARTS] if folder else None,
            "options": options.model_dump(),
            "model": get_model(self._folders, options.model).content_hash if options.model else "",
        }
        return {
            "key": key,
            "dataset": dataset.id,
            "file": str(file),
            "mapping": dataset.mapping,
            "columns": list(dataset.columns),
            "rows": dataset.rows,
            "model": str(self._folders.model(options.model)) if options.model else None,
            "model_id": options.model,
            "max_length": options.max_length,
            "split": str(folder) if folder else None,
            "split_id": options.split,
            "personal": options.personal,
            "options": options.model_dump(),
        }

    def _read(self, id_: str) -> dict[str, Any]:
        inputs: dict[str, Any] = read_json(self._folders.work(id_) / "inputs.json") or {}
        return inputs

    def _find(self, id_: str) -> HealthView | None:
        inputs = self._read(id_)
        if "key" not in inputs or not id_.startswith("check-"):
            return None
        try:
            job, dataset = self._jobs.of(id_), self._artefacts.get(Dataset, inputs["dataset"])
        except NotFound:
            return None
        folder = self._folders.work(id_)
        value = read_json(folder / "report.json") if job.state == "done" else None
        state = JobFolder(folder).state() if job.state in {"starting", "running", "stopping"} else {}
        return HealthView(
            id=id_,
            dataset=dataset,
            options=CheckOptions.model_validate(inputs["options"]),
            job=job,
            report=HealthReport.model_validate(value) if value is not None else None,
            progress=CheckProgress(
                state["phase"], state.get("step", 0), state.get("steps", 0), state.get("seconds_left")
            )
            if state
            else None,
        )
