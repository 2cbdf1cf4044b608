"""The sweeps' public face: start a search for good options, follow it, stop it, go on with it.

Takes ids, specs and plans, gives records and views. The trials are ordinary runs; the sweep worker chooses their values, starts
them through the same queue and writes what they found. This side imports no optimiser.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ftkit.errors import BadInput, FtkitError, NotFound, Refused
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Clock, Jobs, NewId
from ftkit.records import ENDED_STATES, Job, JobState, Run, Split, Sweep
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, hash_value, read_json, write_json
from ftkit.training.card import RunCard
from ftkit.training.service import TrainingService
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps import space, trials
from ftkit.training.sweeps.trials import Found, Plan, Trial
from ftkit.training.watching.progress import Progress, progress_of

FOUND = "found.json"
LANE = "sweep"

# What speaks against the recipe's own values may not speak against the trials'.
_OF_ONE_TRIAL = ("training.too_large", "training.not_enough_disk")


@dataclass(frozen=True)
class SweepView:
    """A sweep with what is known about it now."""

    sweep: Sweep
    job: Job
    state: JobState
    trials: tuple[Trial, ...]
    best: Trial | None
    importance: dict[str, float]
    progress: Progress | None
    seconds_left: float | None

    @property
    def ended(self) -> int:
        """How many trials have ended, in whatever way."""
        return sum(trial.state != "running" for trial in self.trials)


class SweepService:
    """Sweeps of one data folder."""

    def __init__(
        self,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        training: TrainingService,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._training = training
        self._clock = clock
        self._new_id = new_id

    def mistakes(self, plan: Plan, spec: RunSpec, split: str) -> dict[str, FtkitError]:
        """Everything that is wrong with a plan, by option or by field of the plan."""
        found = trials.mistakes(plan, spec)
        validation = self._artefacts.get(Split, split).sizes.get("validation", 0)
        if "metric" not in found and plan.metric.startswith("eval_") and not validation:
            found["metric"] = BadInput(
                "sweeps.no_validation",
                "{metric} needs validation rows, and this split has none. Choose another split or another goal.",
                metric=plan.metric,
            )
        return found

    def card(self, spec: RunSpec, split: str) -> RunCard:
        """What one trial would cost with the recipe's own values.

        Raises:
            Refused: no trial could work.
        """
        card = self._training.card(spec, split)
        for problem in card.problems:
            if not problem.key.startswith(_OF_ONE_TRIAL):
                raise problem
        return card

    def start(  # noqa: PLR0913 - what a run takes, and the plan
        self,
        spec: RunSpec,
        split: str,
        recipe: str,
        plan: Plan,
        name: str | None = None,
        request: str | None = None,
    ) -> Sweep:
        """Queue a sweep.

        Args:
            spec: the options that every trial begins from.
            split: id of the split.
            recipe: name of the recipe that the spec came from.
            plan: what to vary, and how.
            name: shown in lists; its trials carry it too.
            request: a key of this very click; a second call with it returns the same sweep.

        Raises:
            BadInput: the plan has mistakes; the sentence holds them all.
            Refused: no trial could work.
        """
        id_ = hashlib.sha256(f"sweep {request}".encode()).hexdigest()[:12] if request else self._new_id()
        existing = self._existing(id_)
        if existing is not None:
            return existing
        if wrong := self.mistakes(plan, spec, split):
            lines = "\n".join(f"{field}: {error}" for field, error in wrong.items())
            raise BadInput("sweeps.mistakes", "{problems}", problems=lines)
        self.card(spec, split)
        sweep = self._draft(id_, spec, split, recipe, plan)
        if name:
            sweep = sweep.model_copy(update={"name": name})
        write_json(self._folders.sweep(id_) / "inputs.json", {"sweep": sweep.model_dump(mode="json")})
        self._jobs.submit("sweep", id_, lane=LANE, record=sweep)
        return sweep

    def all(self) -> list[SweepView]:
        """All sweeps, newest first."""
        return [self._view(sweep) for sweep in self._artefacts.all(Sweep)]

    def get(self, id_: str) -> SweepView:
        """One sweep.

        Raises:
            NotFound: there is none with this id.
        """
        return self._view(self._artefacts.get(Sweep, id_))

    def log(self, id_: str) -> str:
        """The end of the worker's log."""
        return JobFolder(self._folders.sweep(id_)).log_tail()

    def stop(self, id_: str) -> SweepView:
        """Stop a sweep and the run of its trial; what was found stays.

        Raises:
            Refused: it has ended already.
        """
        sweep = self._artefacts.get(Sweep, id_)
        self._jobs.stop(sweep.id)  # first: it must not start another trial
        for job in self._jobs.unfinished():
            if job.kind == "train" and self._is_trial(job.artefact, sweep.id):
                self._stop_run(job.artefact)
        return self.get(id_)

    def resume(self, id_: str) -> SweepView:
        """Go on after the last trial that has ended; a trial that was interrupted goes on from its checkpoint.

        Raises:
            Refused: the sweep is finished, or has not ended yet.
        """
        view = self.get(id_)
        if view.state == "done":
            raise Refused("sweeps.finished", "The sweep is finished. Start a new one to search further.")
        if view.state not in ENDED_STATES:
            raise Refused(
                "sweeps.not_ended", "The sweep is {state}; there is nothing to resume.", state=view.state
            )
        self._jobs.submit("sweep", id_, lane=LANE)
        return self.get(id_)

    def delete(self, id_: str) -> None:
        """Delete a sweep with the runs of its trials.

        Raises:
            Refused: it has not ended yet, or something was made from one of its runs.
        """
        view = self.get(id_)
        runs = self._runs(id_)
        active = [job.artefact for job in self._jobs.unfinished()]
        if view.state not in ENDED_STATES or any(run.id in active for run in runs):
            raise Refused("sweeps.still_active", "The sweep is {state}. Stop it first.", state=view.state)
        for run in runs:
            for kind, child in self._artefacts.children(run.id):
                raise Refused(
                    "sweeps.trial_used",
                    "{kind} {child} was made from the run {run}. Delete that first.",
                    kind=kind,
                    child=child,
                    run=run.name,
                )
        for run in runs:
            self._training.delete(run.id)
        self._artefacts.delete(view.sweep)
        shutil.rmtree(self._folders.sweep(id_), ignore_errors=True)

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> SweepView:
        """Supervise a sweep until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(id_, on_look=on_look)
        return self.get(id_)

    def _draft(self, id_: str, spec: RunSpec, split: str, recipe: str, plan: Plan) -> Sweep:
        """The record of a new sweep, under a name that is made up."""
        record = self._artefacts.get(Split, split)
        texts = {key: space.write_dimension(one) for key, one in trials.read_space(plan.space).items()}
        return Sweep(
            id=id_,
            name=f"Sweep · {record.name}",
            created_at=self._clock(),
            parents=(split, spec.model_name_or_path),
            content_hash=hash_value(
                [spec.model_dump(mode="json"), plan.model_dump(mode="json"), record.content_hash]
            ),
            seed=plan.seed,
            recipe=recipe,
            split=split,
            model=spec.model_name_or_path,
            spec=spec.model_dump(mode="json"),
            space=texts,
            trials=plan.trials,
            metric=plan.metric,
            direction=trials.METRICS[plan.metric],
            sampler=plan.sampler,
            prune=plan.prune,
        )

    def _existing(self, id_: str) -> Sweep | None:
        try:
            return self._artefacts.get(Sweep, id_)
        except NotFound:
            return None

    def _runs(self, id_: str) -> list[Run]:
        return [run for run in self._artefacts.all(Run) if run.sweep == id_]

    def _is_trial(self, run: str, sweep: str) -> bool:
        try:
            return self._artefacts.get(Run, run).sweep == sweep
        except NotFound:
            return False

    def _stop_run(self, run: str) -> None:
        try:
            self._training.stop(run)
        except Refused:
            return  # it ended in the meantime

    def _view(self, sweep: Sweep) -> SweepView:
        job = self._jobs.of(sweep.id)
        folder = JobFolder(self._folders.sweep(sweep.id))
        found = Found.model_validate(read_json(folder.path / FOUND) or {})
        left = trials.seconds_left(found.trials, sweep.trials) if job.state not in ENDED_STATES else None
        progress = progress_of(job, folder.state())
        best = trials.best_of(found.trials, sweep.direction)
        return SweepView(sweep, job, job.state, found.trials, best, found.importance, progress, left)
