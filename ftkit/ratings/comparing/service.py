"""Several models asked the same, side by side: one conversation with each, or a list of prompts; and what of it is kept.

Takes sides and messages, gives all answers as they grow. The models live in the resident generator, which starts when first
asked; this side never loads one.
"""

import shutil
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ftkit.errors import BadInput, NotFound
from ftkit.jobs.resident import Resident
from ftkit.jobs.service import Jobs
from ftkit.ratings.comparing.answers import Comparison, Kept, ListStep, Saved, SideAnswer
from ftkit.ratings.sampling import Sampling
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.records import SavedComparison
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, read_json, write_json

MOST_SIDES = 4
MOST_PROMPTS = 200
_ANSWERS = "answers.json"
_NAME = 120
Messages = Sequence[Mapping[str, Any]]


class ComparisonService:
    """Side-by-side answers of the models of one data folder."""

    def __init__(  # noqa: PLR0913 - what a room's service is made of
        self,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        sides: SideService,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._resident = Resident(jobs, folders, "generate")
        self._sides = sides
        self._clock = clock
        self._new_id = new_id

    def compare(
        self, sides: Sequence[Side], conversations: Sequence[Messages], sampling: Sampling | None = None
    ) -> Generator[Comparison]:
        """Ask all sides; yields their answers as they grow, the last time with ``done``.

        Closing the iterator stops the generation.

        Args:
            sides: one to four.
            conversations: for each side the turns so far, with its own answers; each ends with the question.
            sampling: the same for all answers; greedy where there is none.

        Raises:
            NotFound: there is no such model, run or checkpoint.
            Refused: a run has left nothing yet.
            BadInput: there is no question, or not one to four sides.
            WorkerFault: the generator failed.
        """
        asked = self._asked(sides)
        if len(conversations) != len(asked):
            raise BadInput("ratings.no_question", "There is no question to answer. Write one first.")
        for messages in conversations:
            _check(messages)
        return self._answers(
            {
                "sides": asked,
                "conversations": [[dict(message) for message in messages] for messages in conversations],
                "sampling": (sampling or Sampling()).model_dump(),
            }
        )

    def compare_list(
        self, sides: Sequence[Side], prompts: Sequence[Messages], sampling: Sampling | None = None
    ) -> Generator[ListStep]:
        """Ask all sides one prompt after another; yields each prompt's answers as they grow.

        A prompt that cannot be answered, as one that is too long, has its error in place of answers, and the list goes on.
        Closing the iterator stops the generation.

        Raises:
            As ``compare``.
        """
        if not prompts:
            raise BadInput("ratings.no_prompts", "There is no prompt. Write one a line, or choose test rows.")
        if len(prompts) > MOST_PROMPTS:
            raise BadInput(
                "ratings.many_prompts",
                "{count} prompts are too many at once: the most is {most}. Take the first ones, or make a rating study of them.",
                count=len(prompts),
                most=MOST_PROMPTS,
            )
        self._asked(sides)
        return self._list(sides, prompts, sampling)

    def save(self, sides: Sequence[Side], kept: Kept | Mapping[str, Any], name: str = "") -> SavedComparison:
        """Keep answers as they are, to be shown again.

        Args:
            sides: in the order of the answers.
            kept: rows and how they were made; its ``labels`` are set here.
            name: what a person calls it; the beginning of the first prompt without.

        Raises:
            BadInput: there is no answer to save.
        """
        found = Kept.model_validate(kept)
        if not any(answer.text for row in found.rows for answer in row.answers):
            raise BadInput("ratings.nothing_to_save", "There is no answer to save yet. Ask first.")
        labels = tuple(self._sides.label(side) for side in sides)
        found = found.model_copy(update={"labels": labels})
        record = SavedComparison(
            id=self._new_id(),
            name=(name.strip() or " ".join(found.rows[0].messages[-1]["content"].split()))[:_NAME],
            created_at=self._clock(),
            sides=tuple(map(str, sides)),
        )
        with building(self._folders.comparison(record.id)) as folder:
            write_json(folder / _ANSWERS, found.model_dump(mode="json"))
        self._artefacts.add(record)
        return record

    def saved(self, id_: str) -> Saved:
        """A saved comparison.

        Raises:
            NotFound: there is none with this id, or its file is gone.
        """
        record = self._artefacts.get(SavedComparison, id_)
        content = read_json(self._folders.comparison(id_) / _ANSWERS)
        if content is None:
            raise NotFound(
                "ratings.answers_gone",
                "The answers of the comparison {name} are gone from the data folder. Delete it, and compare again.",
                name=record.name,
            )
        return Saved(record=record, kept=Kept.model_validate(content))

    def all(self) -> list[SavedComparison]:
        """All saved ones, newest first."""
        return self._artefacts.all(SavedComparison)

    def delete(self, id_: str) -> None:
        """Delete a saved one with its answers."""
        self._artefacts.delete(self._artefacts.get(SavedComparison, id_))
        shutil.rmtree(self._folders.comparison(id_), ignore_errors=True)

    def sleep(self) -> None:
        """End the generator and free its memory; the next question starts it again."""
        self._resident.stop()

    def _asked(self, sides: Sequence[Side]) -> list[dict[str, Any]]:
        """The sides as the generator takes them."""
        if not 1 <= len(sides) <= MOST_SIDES:
            raise BadInput(
                "ratings.side_count",
                "{count} models are chosen. Choose one to {most}.",
                count=len(sides),
                most=MOST_SIDES,
            )
        places = [(side, self._sides.place(side)) for side in sides]
        return [
            {
                "name": str(side),
                "model": str(place.model),
                "tuned": None if place.tuned is None else str(place.tuned),
                "strength": side.strength,
            }
            for side, place in places
        ]

    def _answers(self, request: dict[str, Any]) -> Generator[Comparison]:
        started = time.monotonic()
        last = None
        for reply in self._resident.ask(request):
            answers = tuple(SideAnswer(**answer) for answer in reply["answers"])
            last = Comparison(answers=answers, seconds=time.monotonic() - started, done=False)
            yield last
        if last is not None:
            yield last.model_copy(update={"seconds": time.monotonic() - started, "done": True})

    def _list(
        self, sides: Sequence[Side], prompts: Sequence[Messages], sampling: Sampling | None
    ) -> Generator[ListStep]:
        for place, messages in enumerate(prompts):
            try:
                for comparison in self.compare(sides, [messages] * len(sides), sampling):
                    yield ListStep(prompt=place, comparison=comparison)
            except BadInput as error:  # of this prompt: its sides were looked at before
                yield ListStep(prompt=place, error=error.as_dict())


def _check(messages: Messages) -> None:
    if not messages or not messages[-1].get("content", "").strip():
        raise BadInput("ratings.no_question", "There is no question to answer. Write one first.")
