"""The row editor's public face: texts of a row, corrections as a draft with history, and saving them as a new dataset.

Takes dataset ids, row numbers and places. The draft lies beside the rows as ``edits.jsonl``, to which lines are only ever
added; the rows themselves stay as they are.
"""

import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ftkit.data import storage
from ftkit.data.cleaning import running, texts
from ftkit.data.cleaning.steps import Context
from ftkit.data.editing import drafts
from ftkit.data.editing.drafts import Edit, EditRows
from ftkit.data.phrases import phrase
from ftkit.errors import BadInput
from ftkit.records import Dataset, Record
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building

_EDITS = "edits.jsonl"
_LONGEST = 1_000_000  # characters of one text
_MOST = 10_000  # edits of one draft


class PlaceText(Record):
    """One text of a row: where it stands, as it is in the dataset, and as the draft has it."""

    place: tuple[str | int, ...]
    original: str
    text: str


class Draft(Record):
    """The corrections since the last save; ``back`` are the numbers of those taken back."""

    edits: tuple[Edit, ...]
    back: frozenset[int]
    valid: int


class EditingService:
    """Corrections over one data folder."""

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
        self._lock = threading.Lock()

    def texts(self, dataset_id: str, row: int) -> list[PlaceText]:
        """The texts of a row that can be corrected.

        Raises:
            BadInput: there is no such row.
        """
        dataset = self._artefacts.get(Dataset, dataset_id)
        values = self._row(dataset, row)
        draft = drafts.valid(drafts.open_draft(self._history(dataset_id)))
        now = dict(texts.leaves(drafts.with_draft(values, row, draft), dataset.columns))
        return [
            PlaceText(place=place, original=text, text=now[place])
            for place, text in texts.leaves(values, dataset.columns)
        ]

    def draft(self, dataset_id: str) -> Draft:
        """The corrections since the last save."""
        entries = drafts.open_draft(self._history(self._artefacts.get(Dataset, dataset_id).id))
        edits = tuple(one for one in entries if one.kind == "edit")
        return Draft(edits=edits, back=drafts.taken_back(entries), valid=len(drafts.valid(entries)))

    def edit(self, dataset_id: str, row: int, place: tuple[str | int, ...], after: str) -> Edit:
        """Put a correction into the draft.

        Raises:
            BadInput: there is no such text, or the new one is the same or too long.
        """
        with self._lock:
            known = {one.place: one for one in self.texts(dataset_id, row)}
            if place not in known:
                raise BadInput(
                    "editing.no_such_text",
                    "Row {row} has no text at {place}. Choose another field.",
                    row=row,
                    place=".".join(map(str, place)),
                )
            if len(after) > _LONGEST:
                raise BadInput(
                    "editing.too_long",
                    "The text is longer than {limit} characters. Shorten it.",
                    limit=_LONGEST,
                )
            if after == known[place].text:
                raise BadInput("editing.no_change", "The text is as it was. Change it first.")
            history = self._history(dataset_id)
            if len(drafts.open_draft(history)) >= _MOST:
                raise BadInput(
                    "editing.too_many", "The draft has {limit} corrections. Save it first.", limit=_MOST
                )
            number = 1 + max((one.number for one in history), default=0)
            made = Edit(
                number=number, at=self._now(), row=row, place=place, before=known[place].text, after=after
            )
            self._append(dataset_id, made)
            return made

    def take_back(self, dataset_id: str, number: int) -> None:
        """Take back a correction of the draft.

        Raises:
            BadInput: the draft has no such correction.
        """
        with self._lock:
            draft = self.draft(dataset_id)
            if number in draft.back or all(one.number != number for one in draft.edits):
                raise BadInput(
                    "editing.no_such_edit",
                    "The draft has no correction {number}. Choose another one.",
                    number=number,
                )
            self._append(dataset_id, Edit(kind="taken_back", number=number, at=self._now()))

    def save(self, dataset_id: str, name: str | None = None) -> Dataset:
        """A new dataset with the corrections; the draft is then empty.

        Raises:
            BadInput: there is nothing to save.
        """
        with self._lock:
            old = self._artefacts.get(Dataset, dataset_id)
            edits = drafts.valid(drafts.open_draft(self._history(dataset_id)))
            if not edits:
                raise BadInput("editing.nothing", "There is no correction to save. Correct a text first.")
            context = Context(mapping=old.mapping, columns=old.columns)
            id_ = self._new_id()
            with building(self._folders.dataset(id_)) as folder:
                step = EditRows(edits=tuple(edits))
                summary = running.run(self._rows_file(old), folder, [step], context, lambda _done, _all: None)
                file_hash = storage.file_hash(folder / storage.ROWS)
            note = phrase("clean_edited", count=len(edits), rows=len({edit.row for edit in edits}))
            new = {
                "id": id_,
                "name": (name or "").strip() or old.name,
                "created_at": self._clock(),
                "parents": (old.id,),
                "content_hash": summary.content_hash,
                "file_hash": file_hash,
                "versions": storage.versions(),
                "notes": (note,),
                "skipped": (),
                "skipped_count": 0,
            }
            record = old.model_copy(update=new)
            self._artefacts.add(record)
            self._append(dataset_id, Edit(kind="saved", number=0, at=self._now(), dataset=id_))
            return record

    def _row(self, dataset: Dataset, row: int) -> dict[str, object]:
        if not 0 <= row < dataset.rows:
            raise BadInput(
                "data.no_such_row",
                "There is no row {row}: the dataset has {rows} rows, counted from 0.",
                row=row,
                rows=dataset.rows,
            )
        (values,) = storage.read_rows(self._rows_file(dataset), row, 1)
        return values

    def _rows_file(self, dataset: Dataset) -> Path:
        return self._folders.dataset(dataset.id) / storage.ROWS

    def _history(self, dataset_id: str) -> list[Edit]:
        try:
            lines = (self._folders.dataset(dataset_id) / _EDITS).read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return []
        return [Edit.model_validate_json(line) for line in lines if line.endswith("}")]

    def _append(self, dataset_id: str, entry: Edit) -> None:
        with (self._folders.dataset(dataset_id) / _EDITS).open("a", encoding="utf-8") as stream:
            stream.write("\n" + entry.model_dump_json())  # behind a line torn by a crash, not into it
            stream.flush()
            os.fsync(stream.fileno())

    def _now(self) -> str:
        return self._clock().isoformat(timespec="seconds")
