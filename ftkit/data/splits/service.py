"""The split's public face: a dataset cut into training, validation and test, and what stands in each part.

Takes ids, gives records and rows. A split is immutable and appears under its name only when complete; a small one is made
at once, a large one by a job that can be watched and cancelled. It knows no tokenizer.
"""

import contextlib
import shutil
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.data import chat, storage
from ftkit.data.chat import Message
from ftkit.data.splits import parts, splitting
from ftkit.data.splits.making import Plan, make
from ftkit.errors import BadInput, FtkitError, NotFound, Refused, WorkerFault
from ftkit.jobs.service import Jobs
from ftkit.records import ENDED_STATES, PARTS, Dataset, Job, Part, Record, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, read_json, write_json

_AT_ONCE = 3000  # rows that are split within a second
_KIND = "data.split"
_LANE = "split"

OnLook = Callable[[Job, dict[str, Any]], None]


class Choices(Record):
    """How a dataset shall be cut.

    Args:
        ratios: shares of train, validation and test.
        seed: another seed, another split.
        group: column whose equal values stay together.
        stratify: column whose values keep their shares in every part.
        near: keep near-duplicates together; None for yes, unless most rows are alike (a note says so).
        test: id of a dataset whose rows are the test part; the ratio of train and validation stays.
    """

    ratios: tuple[float, ...] = (0.8, 0.1, 0.1)
    seed: int = 42
    group: str = ""
    stratify: str = ""
    near: bool | None = None
    test: str = ""


class Example(Record):
    """A prompt to try, and the answer that the data has for it."""

    row: int
    prompt: list[Message]
    reference: str


class SplitService:
    """Splits of one data folder."""

    def __init__(
        self,
        artefacts: Artefacts,
        folders: Folders,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        jobs: Jobs | None = None,
    ) -> None:
        """Make it; without jobs everything is done in this process."""
        self._artefacts = artefacts
        self._folders = folders
        self._clock = clock
        self._new_id = new_id
        self._jobs = jobs
        self._begin_lock = threading.Lock()

    def split(
        self,
        dataset_id: str,
        ratios: Sequence[float] = (0.8, 0.1, 0.1),
        seed: int = 42,
        *,
        group: str = "",
        stratify: str = "",
        near: bool | None = None,
        test: str = "",
    ) -> Split:
        """Cut a dataset into train, validation and test, and wait for it; the arguments are those of ``Choices``."""
        chosen = Choices(
            ratios=tuple(ratios), seed=seed, group=group, stratify=stratify, near=near, test=test
        )
        return self.wait(self.begin(dataset_id, chosen))

    def begin(self, dataset_id: str, choices: Choices) -> str:
        """Cut a dataset into train, validation and test; rows that cannot be trained on are left out and counted.

        Returns:
            The id of the split. A small one is there already, a large one when its ``job`` is done; where the same one is
            being made already, that one's id.

        Raises:
            BadInput: the ratios or the columns do not work, or there are too few rows.
        """
        dataset = self._artefacts.get(Dataset, dataset_id)
        shares = splitting.check_ratios(choices.ratios)
        held = self._artefacts.get(Dataset, choices.test) if choices.test else None
        for one in filter(None, (dataset, held)):
            storage.check_unchanged(self._rows_of(one), one.file_hash)
        plan = Plan(
            source=str(self._rows_of(dataset)),
            mapping=dataset.mapping,
            ratios=shares,
            seed=choices.seed,
            group=choices.group,
            stratify=choices.stratify,
            near=choices.near,
            test_source=str(self._rows_of(held)) if held else "",
            test_mapping=held.mapping if held else {},
        )
        draft = Split(
            id=self._new_id(),
            name=f"{dataset.name} {'/'.join(f'{share * 100:g}' for share in shares)}",
            created_at=self._clock(),
            parents=tuple(dict.fromkeys([dataset.id, *([held.id] if held else [])])),
            seed=choices.seed,
            versions=storage.versions(),
            dataset=dataset.id,
            ratios=shares,
            sizes={},
            mapping=dataset.mapping,
            group=choices.group,
            stratify=choices.stratify,
            test_dataset=choices.test,
        )
        if dataset.rows <= _AT_ONCE or self._jobs is None:
            self._make(draft, dataset, plan)
            return draft.id
        with self._begin_lock:
            return self._submit(self._jobs, draft, dataset, plan)

    def job(self, split_id: str) -> Job | None:
        """The job that makes or made a split; None where it was made at once."""
        try:
            return self._jobs.of(_job_name(split_id)) if self._jobs else None
        except NotFound:
            return None

    def state(self, split_id: str) -> dict[str, Any]:
        """The last heartbeat of the job of a split."""
        job = self.job(split_id)
        return self._jobs.folder(job).state() if job is not None and self._jobs else {}

    def under_way(self, dataset_id: str) -> str | None:
        """The id of a split that is just being made of a dataset."""
        inputs = self._unfinished()
        return next((one["split"]["id"] for one in inputs if one["dataset"]["id"] == dataset_id), None)

    def wait(self, split_id: str, on_look: OnLook | None = None) -> Split:
        """The split with this id, once it is made.

        Args:
            split_id: which one.
            on_look: called with the job and its heartbeat while it is made.

        Raises:
            BadInput: it could not be made, or was stopped.
        """
        job = self.job(split_id)
        if job is not None and self._jobs is not None:
            if job.state not in ENDED_STATES:
                job = self._jobs.wait(_job_name(split_id), on_look=on_look)
            _check(job)
        return self.get(split_id)

    def cancel(self, split_id: str) -> None:
        """Stop the making of a split; nothing of it is kept."""
        if self._jobs is not None and self.job(split_id) is not None:
            with contextlib.suppress(Refused):  # it ended meanwhile
                self._jobs.stop(_job_name(split_id))

    def all(self, dataset_id: str | None = None) -> list[Split]:
        """All splits, or those of one dataset, newest first."""
        return [one for one in self._artefacts.all(Split) if dataset_id in (None, one.dataset)]

    def get(self, id_: str) -> Split:
        """The split with this id."""
        return self._artefacts.get(Split, id_)

    def rows(self, split_id: str, part: Part, offset: int = 0, limit: int = 20) -> list[dict[str, Any]]:
        """Rows of one part, in the order of the dataset."""
        return storage.read_rows(self._part_file(split_id, part), max(0, offset), limit)

    def examples(self, split_id: str, part: Part, limit: int = 20) -> list[Example]:
        """Prompts of one part with their answers; ``row`` counts the rows of the dataset."""
        split = self.get(split_id)
        rows = self.rows(split_id, part, 0, limit)
        indices = read_json(self._folders.split(split_id) / "manifest.json")["rows"][part]  # type: ignore[index]
        found = []
        for index, row in zip(indices, rows, strict=False):
            prompt, reference = chat.example(row, split.mapping)
            found.append(Example(row=index, prompt=prompt, reference=reference))
        return found

    def delete(self, id_: str) -> None:
        """Delete a split with its files.

        Raises:
            BadInput: a run was made from it.
        """
        self._artefacts.delete(self.get(id_))
        shutil.rmtree(self._folders.split(id_), ignore_errors=True)

    def _make(self, draft: Split, dataset: Dataset, plan: Plan) -> None:
        with building(self._folders.split(draft.id)) as folder:
            made = make(folder, plan)
            record = made.record(draft)
            write_json(folder / "manifest.json", parts.manifest(record, dataset, made.lists()))
        self._artefacts.add(record)

    def _submit(self, jobs: Jobs, draft: Split, dataset: Dataset, plan: Plan) -> str:
        asked = plan.model_dump(mode="json")
        for known in self._unfinished():
            if known["plan"] == asked:
                return str(known["split"]["id"])
        inputs = {
            "plan": asked,
            "split": draft.model_dump(mode="json"),
            "dataset": dataset.model_dump(mode="json"),
            "target": str(self._folders.split(draft.id)),
        }
        write_json(self._folders.work(_job_name(draft.id)) / "inputs.json", inputs)
        jobs.submit(_KIND, _job_name(draft.id), lane=_LANE)
        return draft.id

    def _unfinished(self) -> list[dict[str, Any]]:
        """What the workers that are cutting just now were given."""
        if self._jobs is None:
            return []
        jobs = [job for job in self._jobs.unfinished() if job.kind == _KIND and job.state != "stopping"]
        return [read_json(self._jobs.folder(job).path / "inputs.json") or {} for job in jobs]

    def _rows_of(self, dataset: Dataset) -> Path:
        return self._folders.dataset(dataset.id) / storage.ROWS

    def _part_file(self, split_id: str, part: Part) -> Path:
        if part not in PARTS:
            raise BadInput(
                "data.unknown_part",
                "There is no part {part}. Use one of: {known}.",
                part=part,
                known=", ".join(PARTS),
            )
        return self._folders.split(self.get(split_id).id) / f"{part}.parquet"


def _job_name(split_id: str) -> str:
    return f"split-{split_id}"


def _check(job: Job) -> None:
    """Nothing where a job ended well."""
    if job.state == "stopped":
        raise BadInput("data.split_stopped", "The splitting was stopped. Split the dataset again.")
    if job.state == "done":
        return
    error = FtkitError.from_dict(job.error) if job.error else None
    if error is None or error.key.startswith("jobs."):
        raise WorkerFault(
            "data.split_failed",
            "The splitting failed ({reason}). Try again; the worker's log says more.",
            reason=error or job.state,
        )
    raise BadInput.from_dict(error.as_dict())
