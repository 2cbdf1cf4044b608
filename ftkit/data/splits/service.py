"""The split's public face: a dataset cut into training, validation and test, and what stands in each part.

Takes ids, gives records and rows. A split is immutable and appears under its name only when complete. It knows no
tokenizer.
"""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.data import chat, storage
from ftkit.data.chat import Message
from ftkit.data.splits import parts, splitting
from ftkit.errors import BadInput
from ftkit.records import PARTS, Dataset, Part, Record, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, read_json, write_json


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
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._clock = clock
        self._new_id = new_id

    def split(self, dataset_id: str, ratios: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 42) -> Split:
        """Cut a dataset into train, validation and test; rows that cannot be trained on are left out and counted.

        Raises:
            BadInput: the ratios do not work, or there are too few rows for them.
        """
        dataset = self._artefacts.get(Dataset, dataset_id)
        shares = splitting.check_ratios(ratios)
        source = self._folders.dataset(dataset.id) / storage.ROWS
        storage.check_unchanged(source, dataset.file_hash)
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
            versions=storage.versions(),
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

    def _part_file(self, split_id: str, part: Part) -> Path:
        if part not in PARTS:
            raise BadInput(
                "data.unknown_part",
                "There is no part {part}. Use one of: {known}.",
                part=part,
                known=", ".join(PARTS),
            )
        return self._folders.split(self.get(split_id).id) / f"{part}.parquet"
