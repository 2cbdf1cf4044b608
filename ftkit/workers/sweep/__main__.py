"""The job: one trial after the other, each an ordinary run, until there are as many as were asked for.

Takes ``inputs.json`` (the sweep's record); leaves ``found.json``, written anew whenever a trial begins or ends. Started again in the
same folder it goes on with the trial at which it was interrupted. It trains nothing itself.
"""

import contextlib
import math
import time
from collections.abc import Mapping
from typing import Any

from ftkit.errors import FtkitError, Refused, UserError
from ftkit.records import Job, Sweep
from ftkit.settings import Settings
from ftkit.store.files import read_json, write_json
from ftkit.training.service import RunView, TrainingService
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.service import FOUND
from ftkit.training.sweeps.trials import Found, Trial, best_of, counts, seconds_left
from ftkit.workers.harness import Stopped, Worker, run
from ftkit.workers.sweep import asking
from ftkit.workspace import Workspace

# As many that fail from the start, and the rest would fail as well.
_GIVE_UP = 5


def job(worker: Worker) -> Mapping[str, Any]:
    """Run the sweep of the inputs."""
    with Workspace(Settings.from_environment()) as workspace:
        return Search(worker, workspace.training).go()


class Search:
    """One sweep as its worker sees it.

    Args:
        worker: whose folder it works in.
        training: starts and supervises the runs.
    """

    def __init__(self, worker: Worker, training: TrainingService) -> None:
        self._worker = worker
        self._training = training
        self._sweep = Sweep.model_validate(worker.inputs["sweep"])
        self._found = Found.model_validate(read_json(worker.path / FOUND) or {})
        self._given_up: int | None = None

    def go(self) -> dict[str, Any]:
        """All trials; the result's metrics count them and name the best.

        Raises:
            Stopped: a stop was asked for.
            Refused: every trial fails.
        """
        while len(ended := self._ended()) < self._sweep.trials:
            self._worker.raise_if_stopped()
            self._tell()
            values = self._interrupted() or asking.next_values(self._sweep, ended)
            trial = Trial(number=len(ended) + 1, values=values)
            self._keep(self._tried(trial))
            self._check_hope()
        best = best_of(self._found.trials, self._sweep.direction)
        return {
            "trials": len(self._found.trials),
            **{str(state): number for state, number in counts(self._found.trials).items()},
            "best_trial": best.number if best else None,
            "best_value": best.value if best else None,
        }

    def _tried(self, trial: Trial) -> Trial:
        """A trial as it ended; it is written down before its run starts, so that nothing is tried twice."""
        self._keep(trial)
        try:
            spec = RunSpec.parse({**self._sweep.spec, **trial.values})
            started = self._training.start(
                spec,
                self._sweep.split,
                self._sweep.recipe,
                f"{self._sweep.name} · trial {trial.number}",
                request=f"{self._sweep.id} {trial.number}",
                sweep=self._sweep.id,
            )
        except FtkitError as error:
            state = "refused" if isinstance(error, UserError) else "failed"
            return trial.model_copy(update={"state": state, "reason": error.as_dict()})
        trial = trial.model_copy(update={"run": started.id})
        self._keep(trial)
        self._given_up = None
        view = self._training.get(started.id)
        if view.state == "stopping":  # by the stop that ended this sweep the last time
            view = self._training.wait(started.id, lambda job, _: self._look(trial, job))
        if view.state in {"stopped", "paused", "lost"}:  # interrupted together with this sweep
            self._training.resume(started.id)
        view = self._training.wait(started.id, lambda job, _: self._look(trial, job))
        return self._as_ended(trial, view)

    def _look(self, trial: Trial, job: Job) -> None:
        """At a run that goes on: leave it where the sweep was stopped, give it up where it has no hope."""
        if self._worker.stop_asked():
            self._stop_run(trial)
            raise Stopped
        self._tell(job)
        if self._sweep.prune and self._given_up is None and job.state == "running":
            self._given_up = asking.hopeless_at(self._sweep, self._losses(trial), self._ended())
            if self._given_up is not None:
                self._stop_run(trial)

    def _stop_run(self, trial: Trial) -> None:
        with contextlib.suppress(Refused):  # it ended in this moment
            self._training.stop(trial.run)

    def _as_ended(self, trial: Trial, view: RunView) -> Trial:
        began, ended = view.job.started_at, view.job.finished_at
        seconds = round((ended - began).total_seconds(), 1) if began and ended else None
        known = trial.model_copy(update={"seconds": seconds, "losses": self._losses(trial)})
        if view.state == "stopped" and self._given_up is not None:
            losses = {step: loss for step, loss in known.losses.items() if step <= self._given_up}
            return known.model_copy(update={"state": "pruned", "step": self._given_up, "losses": losses})
        if view.state in {"stopped", "paused"}:
            error = Refused("sweeps.trial_stopped", "Its run was stopped by hand.").as_dict()
            return known.model_copy(update={"state": "stopped", "reason": error})
        if view.state != "done":
            return known.model_copy(update={"state": "failed", "reason": view.job.error})
        value = view.metrics.get(self._sweep.metric)
        if not isinstance(value, int | float) or not math.isfinite(value):
            error = Refused(
                "sweeps.no_value", "Its run measured no {metric}.", metric=self._sweep.metric
            ).as_dict()
            return known.model_copy(update={"state": "failed", "reason": error})
        return known.model_copy(update={"state": "done", "value": float(value)})

    def _losses(self, trial: Trial) -> dict[int, float]:
        """Validation losses of a trial by step, those that are numbers."""
        measured = [one for one in self._training.curves(trial.run) if "eval_loss" in one]
        return {one["step"]: one["eval_loss"] for one in measured if math.isfinite(one["eval_loss"])}

    def _ended(self) -> list[Trial]:
        return [trial for trial in self._found.trials if trial.state != "running"]

    def _interrupted(self) -> dict[str, Any] | None:
        """The values of a trial that had begun when this worker ended the last time."""
        return next((trial.values for trial in self._found.trials if trial.state == "running"), None)

    def _keep(self, trial: Trial) -> None:
        """Write a trial down, and with each that is done what mattered so far."""
        others = [one for one in self._found.trials if one.number != trial.number]
        kept = tuple(sorted([*others, trial], key=lambda one: one.number))
        mattered = asking.importance(self._sweep, kept) if trial.state == "done" else self._found.importance
        self._found = Found(trials=kept, importance=mattered)
        write_json(self._worker.path / FOUND, self._found.model_dump(mode="json"))

    def _check_hope(self) -> None:
        ended = self._ended()
        if len(ended) != _GIVE_UP or any(trial.state not in {"failed", "refused"} for trial in ended):
            return
        reason = FtkitError.from_dict(ended[-1].reason) if ended[-1].reason else ""
        raise Refused(
            "sweeps.all_failed",
            "The first {number} trials all failed, the last one so: {reason}",
            number=_GIVE_UP,
            reason=reason,
        )

    def _tell(self, job: Job | None = None) -> None:
        """How far the sweep is; the time left counts the running trial as far as it has come."""
        left = seconds_left(self._found.trials, self._sweep.trials)
        if left is not None and job is not None and job.started_at is not None:
            left = max(0.0, left - max(0.0, time.time() - job.started_at.timestamp()))
        ended = len(self._ended())
        self._worker.progress("searching", ended, self._sweep.trials, waiting=True, seconds_left=left)


if __name__ == "__main__":
    run(job)
