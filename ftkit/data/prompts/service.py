"""Prompts of a split's part or of a dataset, by the id.

Takes ids, gives prompts with references and labels. It writes nothing.
"""

from pathlib import Path

from ftkit.data import storage
from ftkit.data.prompts.drawing import Drawn, draw, nothing_to_ask
from ftkit.data.splits import parts
from ftkit.errors import BadInput
from ftkit.records import PARTS, Dataset, Part, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders


class PromptService:
    """Prompts of one data folder."""

    def __init__(self, artefacts: Artefacts, folders: Folders) -> None:
        self._artefacts = artefacts
        self._folders = folders

    def of_split(self, split: str, part: Part, count: int, seed: int) -> Drawn:
        """Prompts of one part; ``row`` counts the rows of the part.

        Raises:
            NotFound: there is no such split.
            BadInput: there is no such part, or none of its rows asks anything.
        """
        found = self._artefacts.get(Split, split)
        if part not in PARTS:
            raise BadInput(
                "data.unknown_part",
                "There is no part {part}. Use one of: {known}.",
                part=part,
                known=", ".join(PARTS),
            )
        return self._draw(parts.path_of(self._folders.split(split), part), found.mapping, count, seed)

    def of_dataset(self, dataset: str, count: int, seed: int) -> Drawn:
        """Prompts of a dataset.

        Raises:
            NotFound: there is no such dataset.
            BadInput: none of its rows asks anything.
        """
        found = self._artefacts.get(Dataset, dataset)
        file = self._folders.dataset(dataset) / storage.ROWS
        storage.check_unchanged(file, found.file_hash)
        return self._draw(file, found.mapping, count, seed)

    @staticmethod
    def _draw(file: Path, mapping: dict[str, str], count: int, seed: int) -> Drawn:
        drawn = draw(storage.iterate_rows(file), mapping, count, seed)
        if not drawn.prompts:
            raise BadInput(
                "prompts.nothing_to_ask",
                "None of the rows asks a question ({reason}). Choose other data.",
                reason=nothing_to_ask(drawn),
            )
        return drawn
