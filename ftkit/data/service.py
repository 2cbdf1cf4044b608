"""The data room's whole public face: uploads and datasets.

Takes ids (and a path only from the command line and the upload), gives records and rows. Everything it makes is
immutable and appears under its name only when complete. It trains nothing and knows no tokenizer.
"""

import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.data import bundled, chat, intake, storage
from ftkit.data import mapping as roles
from ftkit.data.bundled import Sample
from ftkit.data.chat import Message, RowProblem
from ftkit.data.reading.readers import Reading
from ftkit.errors import BadInput, NotFound
from ftkit.records import Dataset, Record, Skipped, Upload
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, hash_file, read_json, write_json

UPLOAD_LIMIT = 2 * 1024**3
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


class DataService:
    """Uploads and datasets of one data folder."""

    def __init__(
        self,
        artefacts: Artefacts,
        folders: Folders,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._clock = clock
        self._new_id = new_id

    def add_upload(self, path: Path, filename: str) -> Upload:
        """Copy a file in; its name is only a label.

        Raises:
            BadInput: there is no such file, or it is over the limit.
        """
        if not path.is_file():
            raise BadInput("data.no_file", "There is no file {path}. Check the name.", path=path)
        size = path.stat().st_size
        if size > UPLOAD_LIMIT:
            raise BadInput(
                "data.upload_too_large",
                "The file has {size} MB; at most {limit} MB can be taken. Cut it into smaller files.",
                size=-(-size // 1024**2),
                limit=UPLOAD_LIMIT // 1024**2,
            )
        id_ = self._new_id()
        label = intake.label(filename)
        with building(self._folders.upload(id_)) as folder:
            shutil.copyfile(path, folder / "content")
            content_hash = hash_file(folder / "content")
        upload = Upload(
            id=id_,
            name=label,
            created_at=self._clock(),
            content_hash=content_hash,
            filename=label,
            size=size,
        )
        self._artefacts.add(upload)
        return upload

    def inspect(self, upload_id: str) -> Inspection:
        """What is in an upload, and the likely roles of its columns; an upload that cannot be read is removed.

        Raises:
            BadInput: it cannot be read.
        """
        reading = self._read(self._artefacts.get(Upload, upload_id))
        rows = storage.read_rows(self._folders.upload(upload_id) / storage.ROWS, limit=_GUESSED_FROM)
        mapping, notes = roles.guess(reading.columns, rows)
        return Inspection(
            columns=reading.columns,
            rows_count=reading.rows,
            sample_rows=rows[:_SHOWN_ROWS],
            mapping=mapping,
            skipped_count=reading.skipped_count,
            skipped=reading.skipped,
            notes=(*reading.notes, *notes),
        )

    def import_upload(
        self, upload_id: str, name: str | None = None, mapping: Mapping[str, str] | None = None
    ) -> Dataset:
        """Make a dataset of an upload; without a mapping, the likely one.

        Raises:
            BadInput: the file cannot be read, or the mapping does not fit it.
        """
        upload = self._artefacts.get(Upload, upload_id)
        reading = self._read(upload)
        rows = self._folders.upload(upload_id) / storage.ROWS
        record = self._dataset(reading, rows, mapping)
        new = {"name": name or Path(upload.filename).stem, "parents": (upload.id,)}
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
            reading = intake.read_rows(source, source.name, folder / storage.ROWS)
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
        """A new dataset of the same rows with other roles."""
        old = self.get(id_)
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
        self._forget(dataset)
        for parent in dataset.parents:
            self._forget_unused_upload(parent)

    def _read(self, upload: Upload) -> Reading:
        """What is in an upload, read once and kept beside it."""
        folder = self._folders.upload(upload.id)
        known = read_json(folder / "reading.json")
        if known is not None:
            return Reading.model_validate(known)
        content = folder / "content"
        partial = folder / f".{storage.ROWS}.{self._new_id()}.part"
        try:
            reading = intake.read_rows(content, upload.filename, partial)
        except BadInput:
            self._forget(upload)
            raise
        partial.replace(folder / storage.ROWS)
        write_json(folder / "reading.json", reading.model_dump(mode="json"))
        return reading

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

    def _forget(self, record: Upload | Dataset) -> None:
        folder = self._folders.upload if isinstance(record, Upload) else self._folders.dataset
        self._artefacts.delete(record)
        shutil.rmtree(folder(record.id), ignore_errors=True)

    def _forget_unused_upload(self, id_: str) -> None:
        try:
            self._forget(self._artefacts.get(Upload, id_))
        except (NotFound, BadInput):
            return  # the parent is a dataset, or another dataset still comes from this upload
