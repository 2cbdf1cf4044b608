"""Preference data as a dataset with a split: pairs of a better and a worse answer, or answers marked as good or bad.

Takes rows that were made elsewhere, gives a dataset and a split that keeps the rows of one prompt together and holds some back.
It decides on no preference.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ftkit.data import storage
from ftkit.data.cleaning.running import content_hash
from ftkit.data.collecting.service import FROM_PART, refuse_test_rows
from ftkit.data.phrases import phrase
from ftkit.data.preferring.holding import ALL, held_back, seed_for
from ftkit.data.splits.service import SplitService
from ftkit.errors import BadInput, NotFound
from ftkit.records import Dataset, Record, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, short_hash

PROMPT_ID, STUDY, ITEM, MADE_BY = "prompt_id", "study", "item", "made_by"
_WHERE_FROM = (PROMPT_ID, STUDY, ITEM, MADE_BY, FROM_PART)
_PAIRS = {"messages": "prompt", "chosen": "chosen", "rejected": "rejected"}
_MARKS = {"messages": "messages", "label": "label"}


class Preferred(NamedTuple):
    """One row: of a pair ``rejected`` is the worse answer; of a marked answer it is None and ``good`` says which it is."""

    item: str
    prompt: tuple[dict[str, str], ...]
    answer: str
    rejected: str | None
    good: bool
    made_by: str


class Origin(Record):
    """What the rows come from; ``key`` tells one making from another, ``part`` is that of the study's prompts."""

    study: str
    key: str
    name: str
    part: str = ""
    notes: tuple[str, ...] = ()
    license: str = ""


class PreferringService:
    """Preference datasets of one data folder."""

    def __init__(
        self, artefacts: Artefacts, folders: Folders, splits: SplitService, clock: Callable[[], datetime]
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._splits = splits
        self._clock = clock

    def make(
        self, rows: Sequence[Preferred], origin: Origin, *, use_test_rows: bool = False
    ) -> tuple[Dataset, Split]:
        """Make dataset and split; the ones that are there already where the same were made before.

        Raises:
            BadInput: there is no row.
            Refused: the prompts are of the test part and ``use_test_rows`` does not say that this is meant.
        """
        if not rows:
            raise BadInput(
                "preferring.nothing", "No rating gives a preference, so there is nothing to learn."
            )
        if origin.part == "test" and not use_test_rows:
            raise refuse_test_rows(len(rows))
        id_ = short_hash([origin.study, origin.key], 12)
        dataset = self._existing(id_) or self._add(id_, rows, origin)
        splits = self._splits.all(dataset.id)
        return dataset, splits[-1] if splits else self._split(dataset)

    def _existing(self, id_: str) -> Dataset | None:
        try:
            return self._artefacts.get(Dataset, id_)
        except NotFound:
            return None

    def _add(self, id_: str, rows: Sequence[Preferred], origin: Origin) -> Dataset:
        pairs = rows[0].rejected is not None
        columns = [*(_PAIRS if pairs else _MARKS).values(), *_WHERE_FROM]
        json_columns = ["prompt" if pairs else "messages"]
        with building(self._folders.dataset(id_)) as folder:
            file = folder / storage.ROWS
            storage.write_rows(file, _written(rows, origin), columns, json_columns)
            digest, file_hash = content_hash(file), storage.file_hash(file)
        record = Dataset(
            id=id_,
            name=origin.name,
            created_at=self._clock(),
            parents=(origin.study,),
            content_hash=digest,
            file_hash=file_hash,
            versions=storage.versions(),
            rows=len(rows),
            columns=tuple(columns),
            mapping=_PAIRS if pairs else _MARKS,
            notes=(*origin.notes, *_test_notes(origin, len(rows))),
            license=origin.license,
        )
        self._artefacts.add(record)
        return record

    def _split(self, dataset: Dataset) -> Split:
        """Some rows held back, so that a margin can be measured; all for training where too few stand apart."""
        ratios = held_back(dataset.rows)
        rows = storage.read_rows(self._folders.dataset(dataset.id) / storage.ROWS, limit=None)
        seed = seed_for(rows, dataset.mapping, PROMPT_ID, ratios)
        with contextlib.suppress(BadInput):
            if seed is not None:
                return self._splits.split(dataset.id, ratios, seed, group=PROMPT_ID)
        return self._splits.split(dataset.id, ALL, group=PROMPT_ID)


def _written(rows: Sequence[Preferred], origin: Origin) -> Iterator[dict[str, object]]:
    for row in rows:
        where = {
            PROMPT_ID: short_hash(list(row.prompt), 12),
            STUDY: origin.study,
            ITEM: row.item,
            MADE_BY: row.made_by,
            FROM_PART: origin.part or None,
        }
        prompt = list(row.prompt)
        if row.rejected is not None:
            yield {"prompt": prompt, "chosen": row.answer, "rejected": row.rejected, **where}
        else:
            answered = [*prompt, {"role": "assistant", "content": row.answer}]
            yield {"messages": answered, "label": "true" if row.good else "false", **where}


def _test_notes(origin: Origin, rows: int) -> tuple[str, ...]:
    return (phrase("preferred_test", rows=rows, column=FROM_PART),) if origin.part == "test" else ()
