"""Rows of one part of a split as a new dataset, with corrected answers where there are any.

Takes ids, places of rows and texts, gives the dataset. Where each row came from stands in two columns of its own, so that
whoever trains on it later sees which rows have been used to judge a model. It splits nothing and trains nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.data import storage
from ftkit.data.cleaning.running import content_hash
from ftkit.data.collecting.answers import with_answer
from ftkit.data.phrases import phrase
from ftkit.data.splits import parts
from ftkit.errors import BadInput, Refused
from ftkit.records import Dataset, Part, Record, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building

FROM_PART, FROM = "from_part", "from_evaluation"
_LONGEST = 1_000_000  # characters of a corrected answer
_NAME = 200


class Picked(Record):
    """Rows of a part; ``answers`` has the right answer of those that had a wrong one, by place; ``seen_in`` is the evaluation
    in which somebody saw them.
    """

    split: str
    part: Part
    rows: tuple[int, ...]
    answers: dict[int, str] = {}
    seen_in: str


class CollectingService:
    """Datasets out of chosen rows, over one data folder."""

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

    def collect(self, picked: Picked, name: str = "", *, use_test_rows: bool = False) -> Dataset:
        """Make the dataset.

        Args:
            picked: which rows.
            name: of the dataset; that of the one they come from where it is empty.
            use_test_rows: rows of the test part may be among them: they can then judge no model any more that learns them.

        Raises:
            BadInput: there is no row, or an answer cannot be put into its row.
            Refused: the rows are of the test part and ``use_test_rows`` does not say that this is meant.
        """
        split = self._artefacts.get(Split, picked.split)
        old = self._artefacts.get(Dataset, split.dataset)
        rows = self._check(picked, split, use_test_rows)
        source = parts.path_of(self._folders.split(split.id), picked.part)
        columns, json_columns = storage.columns_of(source)
        id_ = self._new_id()
        with building(self._folders.dataset(id_)) as folder:
            file = folder / storage.ROWS
            names = [*columns, *(one for one in (FROM_PART, FROM) if one not in columns)]
            storage.write_rows(file, self._made(picked, rows, split, source), names, json_columns)
            digest, file_hash = content_hash(file), storage.file_hash(file)
        record = Dataset(
            id=id_,
            name=name.strip()[:_NAME] or old.name,
            created_at=self._clock(),
            parents=(picked.seen_in, split.dataset),
            content_hash=digest,
            file_hash=file_hash,
            versions=storage.versions(),
            rows=len(rows),
            columns=tuple(names),
            mapping=split.mapping,
            notes=_notes(picked, len(rows)),
            license=old.license,
        )
        self._artefacts.add(record)
        return record

    @staticmethod
    def _check(picked: Picked, split: Split, use_test_rows: bool) -> list[int]:
        rows = sorted(set(picked.rows))
        if not rows:
            raise BadInput("collecting.nothing", "No row is chosen. Choose at least one.")
        size = split.sizes.get(picked.part, 0)
        if rows[0] < 0 or rows[-1] >= size:
            raise BadInput(
                "collecting.no_such_row",
                "There is no row {row}: the part has {size} rows, counted from 0.",
                size=size,
                row=rows[0] if rows[0] < 0 else rows[-1],
            )
        too_long = [row for row, text in picked.answers.items() if len(text) > _LONGEST]
        if too_long:
            raise BadInput(
                "collecting.too_long",
                "The right answer of row {row} is longer than {limit} characters. Shorten it.",
                row=too_long[0],
                limit=_LONGEST,
            )
        if picked.part == "test" and not use_test_rows:
            raise refuse_test_rows(len(rows))
        return rows

    @staticmethod
    def _made(picked: Picked, rows: Sequence[int], split: Split, source: Path) -> Iterator[dict[str, Any]]:
        wanted = set(rows)
        for place, row in enumerate(storage.iterate_rows(source)):
            if place in wanted:
                yield {
                    **_corrected(row, split.mapping, picked.answers.get(place)),
                    FROM_PART: picked.part,
                    FROM: picked.seen_in,
                }


def refuse_test_rows(count: int) -> Refused:
    """What is said before so many rows of the test part may teach a model."""
    return Refused(
        "collecting.test_rows",
        "{count} rows are of the test part. A model that learns them knows the answers of its own exam, so these rows can judge "
        "no model any more. Send rows of the validation part, or confirm that you want this.",
        count=count,
    )


def _corrected(row: Mapping[str, Any], mapping: Mapping[str, str], answer: str | None) -> Mapping[str, Any]:
    return row if answer is None else with_answer(row, mapping, answer)


def _notes(picked: Picked, rows: int) -> tuple[str, ...]:
    column = {"column": FROM_PART} if picked.part == "test" else {}
    said = [phrase(f"collected_{picked.part}", rows=rows, **column)]
    corrected = len(picked.answers.keys() & set(picked.rows))
    if corrected:
        said.append(phrase("collected_corrected", count=corrected))
    return tuple(said)
