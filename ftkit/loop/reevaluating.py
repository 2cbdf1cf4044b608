"""Measuring the model that is live again and again: when it is new, and after so many days.

Takes the owner's choice, queues evaluations of the live version's run on the test part, with the run that was live before beside it, so
that both are measured on the same rows. It counts no look: the evaluation does.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import Field

from ftkit.errors import BadInput, FtkitError, NotFound
from ftkit.evaluation.service import EvaluationService
from ftkit.records import ENDED_STATES, Part, Record, Run, Split
from ftkit.serving.versions.service import ServingService

_SUBJECT, _LAST = "reevaluation", "reevaluation_last"
_MOST_DAYS = 365
_LOOK_EVERY = timedelta(minutes=1)
_AFTER_REFUSAL = timedelta(hours=6)


class Choices(Protocol):
    """Where choices are kept."""

    def get(self, subject: str) -> dict[str, Any] | None:
        """What was chosen."""
        ...

    def put(self, subject: str, values: Mapping[str, Any]) -> None:
        """Choose."""
        ...


class Reevaluation(Record):
    """How often; ``refused`` is why the last one could not be started, as ``FtkitError.as_dict`` has it."""

    every_days: int = Field(default=0, description="0: never.")
    due_at: datetime | None = None
    last: str | None = Field(default=None, description="Id of the newest evaluation of the live run.")
    refused: dict[str, Any] | None = None


class Reevaluating:
    """Scheduled evaluations of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        choices: Choices,
        serving: ServingService,
        evaluation: EvaluationService,
        run_of: Callable[[str], str | None],
        run: Callable[[str], Run],
        split: Callable[[str], Split],
        clock: Callable[[], datetime],
    ) -> None:
        """``run_of`` gives the run of a target."""
        self._choices = choices
        self._serving = serving
        self._evaluation = evaluation
        self._run_of = run_of
        self._run = run
        self._split = split
        self._clock = clock
        self._look_at: datetime | None = None

    def choose(self, every_days: int) -> None:
        """Measure after so many days from now on; 0 ends it.

        Raises:
            BadInput: there cannot be so many.
        """
        if not 0 <= every_days <= _MOST_DAYS:
            raise BadInput(
                "reevaluation.bad_days",
                "{days} days cannot be. Give a number from 0 (never) to {most}.",
                days=every_days,
                most=_MOST_DAYS,
            )
        self._choices.put(_SUBJECT, {"every_days": every_days})
        self._choices.put(_LAST, {})
        self._look_at = None

    def state(self) -> Reevaluation:
        """What is chosen, and when the next one is due; None where nothing is live that can be measured."""
        days = int((self._choices.get(_SUBJECT) or {}).get("every_days", 0))
        refused = (self._choices.get(_LAST) or {}).get("refused")
        run = self._live_run()
        newest = next(iter(self._evaluation.all(run.id)), None) if run else None
        due_at = None
        if days and run is not None:
            due_at = newest.evaluation.created_at + timedelta(days=days) if newest else self._clock()
        return Reevaluation(
            every_days=days, due_at=due_at, last=newest.evaluation.id if newest else None, refused=refused
        )

    def tick(self) -> None:
        """Queue an evaluation where one is due. Cheap; call it often."""
        now = self._clock()
        if self._look_at is not None and now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY
        run = self._live_run()
        standing = self.state()
        if run is None or standing.due_at is None or standing.due_at > now or self._under_way(run):
            return
        try:
            self.start(run)
            self._choices.put(_LAST, {})
        except FtkitError as error:
            self._choices.put(_LAST, {"refused": error.as_dict()})
            self._look_at = now + _AFTER_REFUSAL

    def start(self, run: Run) -> None:
        """Queue one now, with the run that was live before beside it where both can be measured on the same rows.

        Raises:
            Refused: it cannot be measured.
        """
        sizes = self._split(run.split).sizes
        part: Part = "test" if sizes.get("test", 0) else "validation"
        former = self._former(run)
        if former is not None:
            try:
                self._evaluation.start(run.id, part, others=[former])
            except FtkitError:  # over another base model, or it has learnt from these rows
                former = None
        if former is None:
            self._evaluation.start(run.id, part)

    def _under_way(self, run: Run) -> bool:
        return any(view.job.state not in ENDED_STATES for view in self._evaluation.all(run.id))

    def _live_run(self) -> Run | None:
        live = self._serving.state().live
        return self._known(live.target) if live else None

    def _former(self, run: Run) -> str | None:
        """The run that was live before."""
        standby = self._serving.state().standby
        others = (known.id for one in standby if (known := self._known(one.target)) and known.id != run.id)
        return next(others, None)

    def _known(self, target: str) -> Run | None:
        try:
            id_ = self._run_of(target)
            return self._run(id_) if id_ else None
        except NotFound:
            return None
