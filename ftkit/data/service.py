"""The data room's whole public face: uploads, datasets and splits.

Takes ids (and a path only from the command line and the upload), gives records and rows. Everything it makes is
immutable and appears under its name only when complete. It trains nothing and knows no tokenizer.
"""

import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ftkit import __version__
from ftkit.data import bundled, chat, intake, parts, splitting, storage
from ftkit.data import mapping as roles
from ftkit.data.bundled import Sample
from ftkit.data.chat import Message, RowProblem
from ftkit.data.reading.readers import Reading
from ftkit.errors import BadInput, NotFound
from ftkit.records import PARTS, Artefact, Dataset, Part, Record, Skipped, Split, Upload
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, hash_file, read_json, write_json

UPLOAD_LIMIT = 2 * 1024**3
_GUESSED_FROM = 200
_SHOWN_ROWS = 20
_ROWS = "rows.parquet"


class Inspection(Record):
    """An upload before it becomes a dataset."""

    columns: tuple[str, ...]
    rows_count: int
    sample_rows: list[dict[str, Any]]
    mapping: dict[str, str]
    skipped_count: int
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


class Example(Record):
    """A prompt to try, and the answer that the data has for it."""

    row: int
    prompt: list[Message]
    reference: str


class DataService:
    """Uploads, datasets and splits of one data folder."""

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
        rows = storage.read_rows(self._folders.upload(upload_id) / _ROWS, limit=_GUESSED_FROM)
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
        rows = self._folders.upload(upload_id) / _ROWS
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
            reading = intake.read_rows(source, source.name, folder / _ROWS)
            record = self._dataset(reading, folder / _ROWS, None)
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

    def split(self, dataset_id: str, ratios: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 42) -> Split:
        """Cut a dataset into train, validation and test; rows that cannot be trained on are left out and counted.

        Raises:
            BadInput: the ratios do not work, or there are too few rows for them.
        """
        dataset = self.get(dataset_id)
        shares = splitting.check_ratios(ratios)
        source = self._rows_file(dataset)
        found = splitting.sort_out(storage.iterate_rows(source), dataset.mapping)
        if not found.keys:
            row, reason = found.left_out[0]
            raise BadInput(
                "data.nothing_to_learn",
                "None of the {count} rows can be trained on. Row {row}: {reason}. Choose other columns.",
                count=dataset.rows,
                row=row,
                reason=reason,
            )
        members = splitting.members(found.keys, shares, seed)
        draft = Split(
            id=self._new_id(),
            name=f"{dataset.name} {'/'.join(f'{share * 100:g}' for share in shares)}",
            created_at=self._clock(),
            parents=(dataset.id,),
            seed=seed,
            versions=_versions(),
            dataset=dataset.id,
            ratios=shares,
            sizes={part: len(members[part]) for part in PARTS},
            left_out=len(found.left_out),
            left_out_reasons=found.reasons(),
            trimmed=found.trimmed,
            mapping=dataset.mapping,
        )
        with building(self._folders.split(draft.id)) as folder:
            parts.write(folder, source, members)
            measured = {
                "leaks": splitting.count_leaks(parts.keys(folder, dataset.mapping)),
                "content_hash": parts.content_hash(folder),
            }
            record = draft.model_copy(update=measured)
            write_json(folder / "manifest.json", parts.manifest(record, dataset, members, found))
        self._artefacts.add(record)
        return record

    def splits(self, dataset_id: str | None = None) -> list[Split]:
        """All splits, or those of one dataset, newest first."""
        return [one for one in self._artefacts.all(Split) if dataset_id in (None, one.dataset)]

    def get_split(self, id_: str) -> Split:
        """The split with this id."""
        return self._artefacts.get(Split, id_)

    def split_rows(self, split_id: str, part: Part, offset: int = 0, limit: int = 20) -> list[dict[str, Any]]:
        """Rows of one part, in the order of the dataset."""
        return storage.read_rows(self._part_file(split_id, part), max(0, offset), limit)

    def examples(self, split_id: str, part: Part, limit: int = 20) -> list[Example]:
        """Prompts of one part with their answers; ``row`` counts the rows of the dataset."""
        split = self.get_split(split_id)
        rows = self.split_rows(split_id, part, 0, limit)
        indices = read_json(self._folders.split(split_id) / "manifest.json")["rows"][part]  # type: ignore[index]
        found = []
        for index, row in zip(indices, rows, strict=False):
            prompt, reference = chat.example(row, split.mapping)
            found.append(Example(row=index, prompt=prompt, reference=reference))
        return found

    def delete(self, id_: str) -> None:
        """Delete a dataset or a split with its files; with a dataset goes its upload, if nothing else came from it.

        Raises:
            BadInput: something was made from it.
            NotFound: there is neither a dataset nor a split with this id.
        """
        try:
            record: Artefact = self.get(id_)
        except NotFound:
            record = self.get_split(id_)
        self._forget(record)
        for parent in record.parents if isinstance(record, Dataset) else ():
            self._forget_unused_upload(parent)

    def _read(self, upload: Upload) -> Reading:
        """What is in an upload, read once and kept beside it."""
        folder = self._folders.upload(upload.id)
        known = read_json(folder / "reading.json")
        if known is not None:
            return Reading.model_validate(known)
        content = folder / "content"
        partial = folder / f".{_ROWS}.{self._new_id()}.part"
        try:
            reading = intake.read_rows(content, upload.filename, partial)
        except BadInput:
            self._forget(upload)
            raise
        partial.replace(folder / _ROWS)
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
            versions=_versions(),
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
            intake.same_file(rows, folder / _ROWS)
        return self._add(dataset)

    def _add(self, dataset: Dataset) -> Dataset:
        self._artefacts.add(dataset)
        return dataset

    def _rows_file(self, dataset: Dataset) -> Path:
        return self._folders.dataset(dataset.id) / _ROWS

    def _part_file(self, split_id: str, part: Part) -> Path:
        if part not in PARTS:
            raise BadInput(
                "data.unknown_part",
                "There is no part {part}. Use one of: {known}.",
                part=part,
                known=", ".join(PARTS),
            )
        return self._folders.split(self.get_split(split_id).id) / f"{part}.parquet"

    def _forget(self, record: Artefact) -> None:
        folder = {
            Upload.kind: self._folders.upload,
            Dataset.kind: self._folders.dataset,
            Split.kind: self._folders.split,
        }[record.kind]
        self._artefacts.delete(record)
        shutil.rmtree(folder(record.id), ignore_errors=True)

    def _forget_unused_upload(self, id_: str) -> None:
        try:
            self._forget(self._artefacts.get(Upload, id_))
        except (NotFound, BadInput):
            return  # the parent is a dataset, or another dataset still comes from this upload


def _versions() -> dict[str, str]:
    return {"ftkit": __version__, "pyarrow": version("pyarrow"), "python": platform.python_version()}
