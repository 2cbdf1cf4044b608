"""The data room's whole public face: uploads and datasets.

Takes ids (and a path only from the command line and the upload), gives records and rows. Everything it makes is
immutable and appears under its name only when complete. It trains nothing and knows no tokenizer.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.data import bundled, chat, intake, storage
from ftkit.data import mapping as roles
from ftkit.data.bundled import Sample
from ftkit.data.chat import Message, RowProblem
from ftkit.data.incoming.service import IncomingService, Workers
from ftkit.data.reading.readers import Reading
from ftkit.data.reading.report import Options
from ftkit.errors import BadInput, NotFound
from ftkit.records import Dataset, Record, Skipped, Upload
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building

_GUESSED_FROM = 200
_SHOWN_ROWS = 20


class Inspection(Record):
    """An upload before it becomes a dataset."""

    columns: tuple[str, ...]
    rows_count: int
    sample_rows: list[dict[str, Any]]
    mapping: dict[str, str]
    skipped_count: int
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    options: Options
    sheets: tuple[str, ...]
    lists: tuple[str, ...]


class DataService:
    """Uploads and datasets of one data folder."""

    def __init__(
        self,
        artefacts: Artefacts,
        folders: Folders,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        workers: Workers | None = None,
    ) -> None:
        """Without ``workers`` files are read in this process."""
        self._artefacts = artefacts
        self._folders = folders
        self._clock = clock
        self._new_id = new_id
        self.incoming = IncomingService(artefacts, folders, clock, new_id, workers)

    def add_upload(self, path: Path, filename: str) -> Upload:
        """Copy a file in; its name is only a label.

        Raises:
            BadInput: there is no such file, or it is over the limit.
        """
        return self.incoming.add([(path, filename)])

    def inspect(self, upload_id: str, options: Options | None = None) -> Inspection:
        """What is in an upload, and the likely roles of its columns; an upload that cannot be read is removed.

        Args:
            upload_id: which upload.
            options: what the person says about the file; None takes what was said before.

        Raises:
            BadInput: it cannot be read.
        """
        reading = self.incoming.read(upload_id, options)
        rows = storage.read_rows(self.incoming.rows_file(upload_id), limit=_GUESSED_FROM)
        mapping, notes = roles.guess(reading.columns, rows)
        return Inspection(
            columns=reading.columns,
            rows_count=reading.rows,
            sample_rows=rows[:_SHOWN_ROWS],
            mapping=mapping,
            skipped_count=reading.skipped_count,
            skipped=reading.skipped,
            notes=(*reading.notes, *notes),
            options=reading.options,
            sheets=reading.sheets,
            lists=reading.lists,
        )

    def import_upload(
        self,
        upload_id: str,
        name: str | None = None,
        mapping: Mapping[str, str] | None = None,
        *,
        made_from: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> Dataset:
        """Make a dataset of an upload as it was read last.

        Args:
            upload_id: the upload.
            name: of the dataset; that of the file where it is left out.
            mapping: roles of the columns; the likely ones where it is left out.
            made_from: ids of what else it comes from.
            notes: what there is to know of its rows beside what was noticed in reading them.

        Raises:
            BadInput: the file cannot be read, or the mapping does not fit it.
            Refused: what was read was changed since.
        """
        reading = self.incoming.read(upload_id)
        upload = self.incoming.get(upload_id)
        rows = self.incoming.rows_file(upload_id)
        storage.check_unchanged(rows, reading.file_hash)
        record = self._dataset(reading, rows, mapping)
        new = {
            "name": name or Path(upload.filename).stem,
            "parents": (upload.id, *made_from),
            "license": upload.license,
            "notes": (*notes, *record.notes),
        }
        return self._copied(record.model_copy(update=new), rows)

    def import_file(self, path: Path, name: str | None = None) -> Dataset:
        """A file of this machine as a dataset (command line)."""
        return self.import_upload(self.add_upload(path, path.name).id, name)

    def samples(self) -> list[Sample]:
        """The data sets that come with ftkit."""
        return bundled.samples()

    def import_sample(self, sample: str) -> Dataset:
        """A sample as the dataset ``sample-<name>``; the one that is there already, if any."""
        about = bundled.sample(sample)
        id_ = f"sample-{about.name}"
        try:
            return self._artefacts.get(Dataset, id_)
        except NotFound:
            source = bundled.path_of(about.name)
        with building(self._folders.dataset(id_)) as folder:
            reading = intake.read_rows([(source, source.name)], folder / storage.ROWS)
            record = self._dataset(reading, folder / storage.ROWS, None)
        new = {"id": id_, "name": about.title, "license": about.license}
        try:
            return self._add(record.model_copy(update=new))
        except BadInput:
            return self.get(id_)  # another process was faster

    def all(self) -> list[Dataset]:
        """All datasets, newest first."""
        return self._artefacts.all(Dataset)

    def get(self, id_: str) -> Dataset:
        """The dataset with this id."""
        return self._artefacts.get(Dataset, id_)

    def rows(self, id_: str, offset: int = 0, limit: int = 20) -> list[dict[str, Any]]:
        """Rows of a dataset in their order, with all their columns."""
        return storage.read_rows(self._rows_file(self.get(id_)), max(0, offset), limit)

    def remap(self, id_: str, mapping: Mapping[str, str], name: str | None = None) -> Dataset:
        """A new dataset of the same rows with other roles.

        Raises:
            BadInput: the roles do not fit.
            Refused: the rows were changed since they were checked.
        """
        old = self.get(id_)
        storage.check_unchanged(self._rows_file(old), old.file_hash)
        given = roles.check(mapping, old.columns)
        new = {
            "id": self._new_id(),
            "name": name or old.name,
            "created_at": self._clock(),
            "parents": (old.id,),
            "mapping": given,
        }
        return self._copied(old.model_copy(update=new), self._rows_file(old))

    def conversation(self, id_: str, row: int, mapping: Mapping[str, str] | None = None) -> list[Message]:
        """One row as messages, as the dataset's roles or the given ones say.

        Raises:
            BadInput: there is no such row, or it does not fit.
        """
        dataset = self.get(id_)
        if not 0 <= row < dataset.rows:
            raise BadInput(
                "data.no_such_row",
                "There is no row {row}: the dataset has {rows} rows, counted from 0.",
                row=row,
                rows=dataset.rows,
            )
        given = dataset.mapping if mapping is None else roles.check(mapping, dataset.columns)
        (values,) = storage.read_rows(self._rows_file(dataset), row, 1)
        try:
            return chat.conversation(values, given)
        except RowProblem as problem:
            raise BadInput(
                "data.unusable_row",
                "Row {row} cannot be used: {reason}. Choose other columns or mend the file.",
                row=row,
                reason=problem.reason,
            ) from problem

    def delete(self, id_: str) -> None:
        """Delete a dataset with its files; with it goes its upload, if nothing else came from that.

        Raises:
            BadInput: something was made from it.
        """
        dataset = self.get(id_)
        self._artefacts.delete(dataset)
        shutil.rmtree(self._folders.dataset(id_), ignore_errors=True)
        for parent in dataset.parents:
            self._forget_unused_upload(parent)

    def _dataset(self, reading: Reading, rows: Path, mapping: Mapping[str, str] | None) -> Dataset:
        """The record of newly read rows, still without its name."""
        notes: tuple[str, ...] = ()
        if mapping is None:
            checked, notes = roles.guess(reading.columns, storage.read_rows(rows, limit=_GUESSED_FROM))
        else:
            checked = roles.check(mapping, reading.columns)
        return Dataset(
            id=self._new_id(),
            name="",
            created_at=self._clock(),
            content_hash=reading.content_hash,
            versions=storage.versions(),
            rows=reading.rows,
            columns=reading.columns,
            mapping=checked,
            skipped_count=reading.skipped_count,
            skipped=reading.skipped,
            notes=(*reading.notes, *notes),
            file_hash=reading.file_hash,
        )

    def _copied(self, dataset: Dataset, rows: Path) -> Dataset:
        """Give a dataset the rows of another one or of an upload, then enter it."""
        with building(self._folders.dataset(dataset.id)) as folder:
            intake.same_file(rows, folder / storage.ROWS)
        return self._add(dataset)

    def _add(self, dataset: Dataset) -> Dataset:
        self._artefacts.add(dataset)
        return dataset

    def _rows_file(self, dataset: Dataset) -> Path:
        return self._folders.dataset(dataset.id) / storage.ROWS

    def _forget_unused_upload(self, id_: str) -> None:
        try:
            self.incoming.forget(self._artefacts.get(Upload, id_).id)
        except (NotFound, BadInput):
            return  # the parent is a dataset, or another dataset still comes from this upload
