"""The ratings room: base and tuned model asked the same, side by side.

Takes a run id and messages, gives both answers as they grow. The models live in the resident generator, which starts when
first asked; this side never loads one.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from ftkit.errors import BadInput, Refused
from ftkit.jobs.resident import Resident
from ftkit.jobs.service import Jobs
from ftkit.ratings.sampling import Sampling
from ftkit.records import Record, Run
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders


class Comparison(Record):
    """Both answers so far; ``cut`` says that an answer had not ended at the limit."""

    base: str
    tuned: str
    base_tokens: int
    tuned_tokens: int
    base_cut: bool = False
    tuned_cut: bool = False
    seconds: float = Field(description="Since the question was sent; loading the model counts.")
    done: bool


class ComparisonService:
    """Side-by-side answers of the runs of one data folder."""

    def __init__(self, artefacts: Artefacts, folders: Folders, jobs: Jobs) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._resident = Resident(jobs, folders, "generate")

    def compare(
        self, run_id: str, messages: Sequence[Mapping[str, str]], sampling: Sampling | None = None
    ) -> Iterator[Comparison]:
        """Ask both models; yields the answers as they grow, the last time with ``done``.

        Closing the iterator stops the generation.

        Args:
            run_id: what it made is asked beside its base model.
            messages: the conversation, ending with the question.
            sampling: the same for both answers; greedy where there is none.

        Raises:
            Refused: the run has left nothing yet.
            BadInput: there is no question.
            WorkerFault: the generator failed.
        """
        run = self._artefacts.get(Run, run_id)
        if not messages or not messages[-1].get("content", "").strip():
            raise BadInput("ratings.no_question", "There is no question to answer. Write one first.")
        request = {
            "model": str(self._folders.model(run.model)),
            "tuned": str(self._tuned(run)),
            "messages": [dict(message) for message in messages],
            "sampling": (sampling or Sampling()).model_dump(),
        }
        return self._answers(request)

    def sleep(self) -> None:
        """End the generator and free its memory; the next question starts it again."""
        self._resident.stop()

    def _answers(self, request: dict[str, Any]) -> Iterator[Comparison]:
        started = time.monotonic()
        last = None
        for reply in self._resident.ask(request):
            last = Comparison(**reply, seconds=time.monotonic() - started, done=False)
            yield last
        if last is not None:
            yield last.model_copy(update={"seconds": time.monotonic() - started, "done": True})

    def _tuned(self, run: Run) -> Path:
        folder = self._folders.tuned(run.id)
        if folder is None:
            raise Refused(
                "ratings.nothing_trained",
                "The run {run} has left nothing yet. Wait for its end, resume it, or start a new run.",
                run=run.name,
            )
        return folder
