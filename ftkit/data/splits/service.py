"""The split's public face: a dataset cut into training, validation and test, and what stands in each part.

Takes ids, gives records and rows. A split is immutable and appears under its name only when complete; a large one is
made by a worker. It knows no tokenizer.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ftkit.data import chat, storage
from ftkit.data.chat import Message
from ftkit.data.splits import parts, splitting
from ftkit.data.splits.making import Made, Plan, make
from ftkit.errors import BadInput
from ftkit.jobs.call import call_worker
from ftkit.records import PARTS, Dataset, Part, Record, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, read_json, write_json

_AT_ONCE = 3000  # rows that are split within a second
_PATIENCE = 900.0  # seconds


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
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Make it; without the environment of worker processes everything is done in this one."""
        self._artefacts = artefacts
        self._folders = folders
        self._clock = clock
        self._new_id = new_id
        self._environment = environment

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
        """Cut a dataset into train, validation and test; rows that cannot be trained on are left out and counted.

        Args:
            dataset_id: what is cut.
            ratios: shares of the three parts.
            seed: another seed, another split.
            group: column whose equal values stay together.
            stratify: column whose values keep their shares in every part.
            near: keep near-duplicates together; None for yes, unless most rows are alike (a note says so).
            test: id of a dataset whose rows are the test part; the ratio of train and validation stays.

        Raises:
            BadInput: the ratios or the columns do not work, or there are too few rows.
        """
        dataset = self._artefacts.get(Dataset, dataset_id)
        shares = splitting.check_ratios(ratios)
        held = self._artefacts.get(Dataset, test) if test else None
        for one in filter(None, (dataset, held)):
            storage.check_unchanged(self._rows_of(one), one.file_hash)
        plan = Plan(
            source=str(self._rows_of(dataset)),
            mapping=dataset.mapping,
            ratios=shares,
            seed=seed,
            group=group,
            stratify=stratify,
            near=near,
            test_source=str(self._rows_of(held)) if held else "",
            test_mapping=held.mapping if held else {},
        )
        draft = Split(
            id=self._new_id(),
            name=f"{dataset.name} {'/'.join(f'{share * 100:g}' for share in shares)}",
            created_at=self._clock(),
            parents=tuple(dict.fromkeys([dataset.id, *([held.id] if held else [])])),
            seed=seed,
            versions=storage.versions(),
            dataset=dataset.id,
            ratios=shares,
            sizes={},
            mapping=dataset.mapping,
            group=group,
            stratify=stratify,
            test_dataset=test,
        )
        return self._built(draft, dataset, plan)

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

    def _built(self, draft: Split, dataset: Dataset, plan: Plan) -> Split:
        with building(self._folders.split(draft.id)) as folder:
            made = self._make(folder, plan, dataset.rows)
            lists = made.model_dump(include={"rows", "keys", "left_out_rows"})
            promised = {kind: count for kind, count in made.leak_kinds.items() if made.near or kind != "near"}
            found = made.model_dump(exclude=set(lists)) | {"leaks": sum(promised.values())}
            record = Split.model_validate(draft.model_dump() | found)
            write_json(folder / "manifest.json", parts.manifest(record, dataset, lists))
        self._artefacts.add(record)
        return record

    def _make(self, folder: Path, plan: Plan, rows: int) -> Made:
        """Large datasets are split by a worker, so that the caller stays light."""
        if rows <= _AT_ONCE or self._environment is None:
            return make(folder, plan)
        question = {"folder": str(folder), "plan": plan.model_dump(mode="json")}
        return Made.model_validate(call_worker("data.split", question, self._environment, _PATIENCE))

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
