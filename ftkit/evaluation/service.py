"""The evaluation room: measure a run, and perhaps further ones, against their base model, and tell the result.

Takes run ids, gives evaluations and their rows. The measuring happens in the worker; this side writes
what the worker reads (``inputs.json``) and reads what it writes.
"""

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.evaluation.measuring.options import Options
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Clock, Jobs, NewId
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Evaluation, Job, Part, Run, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, hash_value, read_json, write_json
from ftkit.store.looks import Look, Looks

_SEED = 42


@dataclass(frozen=True)
class Progress:
    """How far a running worker is."""

    phase: str
    step: int
    steps: int
    seconds_left: float | None
    heartbeat: float


@dataclass(frozen=True)
class EvaluationView:
    """An evaluation with what is known about it now; ``report`` is there once it is done.

    Of a test part it holds ``looks``: how many evaluations looked at these rows until now, this one among them.
    """

    evaluation: Evaluation
    job: Job
    report: dict[str, Any] | None
    progress: Progress | None


class EvaluationService:
    """Evaluations of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        looks: Looks,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._looks = looks
        self._clock = clock
        self._new_id = new_id
        self._start_lock = threading.Lock()

    def start(
        self,
        run_id: str,
        part: Part = "test",
        options: Options | None = None,
        others: Sequence[str] = (),
    ) -> Evaluation:
        """Queue an evaluation; where the newest one of the same request is not done, that one goes on.

        Args:
            run_id: the run that is measured against its base model.
            part: of the run's split.
            options: task, metrics and checks; left to the references where None.
            others: further runs over the same base model, measured on the same rows.

        Raises:
            Refused: a run has left nothing yet, the part is empty, or another run does not fit.
        """
        run = self._artefacts.get(Run, run_id)
        split = self._artefacts.get(Split, run.split)
        further = [self._artefacts.get(Run, other) for other in dict.fromkeys(others)]
        self._check(run, split, part)
        for other in further:
            self._check_other(run, other, part)
        with self._start_lock:
            wanted = self._new(run, split, part, options or Options(), further)
            evaluation = self._not_done(wanted) or wanted
            self._write_inputs(evaluation, options or Options(), further)
            if evaluation is wanted:
                self._artefacts.add(wanted)
        self._jobs.submit("evaluate", evaluation.id)
        return evaluation

    def resume(self, id_: str) -> Evaluation:
        """Go on with an evaluation that was stopped, failed or was lost; what the models said before is not asked again.

        Raises:
            Refused: it is done.
        """
        view = self.get(id_)
        if view.job.state == "done":
            raise Refused("evaluation.done", "The evaluation is done. Start a new one to measure again.")
        self._jobs.submit("evaluate", id_)
        return view.evaluation

    def all(self, run_id: str | None = None) -> list[EvaluationView]:
        """All evaluations, or those of one run; newest first."""
        found = self._artefacts.all(Evaluation)
        return [self._view(evaluation) for evaluation in found if run_id in (None, evaluation.run)]

    def get(self, id_: str) -> EvaluationView:
        """One evaluation.

        Raises:
            NotFound: there is none with this id.
        """
        return self._view(self._artefacts.get(Evaluation, id_))

    def verdict(self, run_id: str) -> EvaluationView | None:
        """The newest finished evaluation of a run, that of the test part before others."""
        done = [view for view in self.all(run_id) if view.report is not None]
        return next((view for view in done if view.evaluation.part == "test"), done[0] if done else None)

    def samples(self, id_: str, offset: int = 0, limit: int | None = 20) -> list[dict[str, Any]]:
        """Rows with both answers and their scores, in the order of the part; empty while they are not measured."""
        rows = self._rows(self._artefacts.get(Evaluation, id_))
        return rows[offset:] if limit is None else rows[offset : offset + limit]

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> EvaluationView:
        """Supervise an evaluation until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(self._artefacts.get(Evaluation, id_).id, on_look=on_look)
        return self.get(id_)

    def stop(self, id_: str) -> EvaluationView:
        """Stop an evaluation; what the models said so far is kept for when it goes on."""
        self._jobs.stop(self._artefacts.get(Evaluation, id_).id)
        return self.get(id_)

    def delete(self, id_: str) -> None:
        """Delete an evaluation with its rows.

        Raises:
            Refused: it has not ended yet.
        """
        view = self.get(id_)
        if view.job.state not in ENDED_STATES:
            raise Refused(
                "evaluation.active", "The evaluation is {state}. Stop it first.", state=view.job.state
            )
        self._artefacts.delete(view.evaluation)
        shutil.rmtree(self._folders.evaluation(id_), ignore_errors=True)

    def _check(self, run: Run, split: Split, part: Part) -> None:
        if self._folders.tuned(run.id) is None:
            raise nothing_trained(run)
        if split.sizes.get(part, 0) == 0:
            raise Refused(
                "evaluation.empty_part",
                "The {part} part of the split has no rows. "
                "Choose another part, or split with a larger share for it.",
                part=part,
            )

    def _check_other(self, run: Run, other: Run, part: Part) -> None:
        if other.id == run.id:
            raise BadInput(
                "evaluation.same_run",
                "The run {run} is measured already. Choose other runs beside it.",
                run=run.name,
            )
        if other.model != run.model:
            raise Refused(
                "evaluation.other_model",
                "The run {other} is over {its_model}, and {run} over {model}. Choose runs over the same base model.",
                other=other.name,
                its_model=other.model,
                run=run.name,
                model=run.model,
            )
        if self._folders.tuned(other.id) is None:
            raise nothing_trained(other)
        seen = self._seen(run, other, part)
        if seen:
            raise Refused(
                "evaluation.rows_seen",
                "The run {other} was trained on {count} of the rows of the {part} part, by another split. "
                "Choose runs that have not seen them.",
                other=other.name,
                count=seen,
                part=part,
            )

    def _seen(self, run: Run, other: Run, part: Part) -> int:
        """How many rows of the part another run was trained on; 0 where both are over one split."""
        if other.split == run.split or part == "train":
            return 0
        import pyarrow.parquet as pq  # noqa: PLC0415 - a tenth of a second that most commands do not need

        files = (
            self._folders.split(run.split) / f"{part}.parquet",
            self._folders.split(other.split) / "train.parquet",
        )
        if not files[1].exists():
            return 0
        asked, trained = (
            {repr(sorted(row.items())) for row in pq.read_table(file).to_pylist()} for file in files
        )
        return len(asked & trained)

    def _not_done(self, wanted: Evaluation) -> Evaluation | None:
        """The newest evaluation of the same request, where it is not done."""
        asked = (wanted.run, wanted.part, wanted.others)
        for evaluation in self._artefacts.all(Evaluation):
            # One without a hash was never written by this version.
            if (evaluation.run, evaluation.part, evaluation.others) != asked or (
                evaluation.content_hash not in ("", wanted.content_hash)
            ):
                continue
            return None if self._job(evaluation).state == "done" else evaluation
        return None

    def _new(self, run: Run, split: Split, part: Part, options: Options, others: Sequence[Run]) -> Evaluation:
        hashes = [one.content_hash for one in (run, split, *others)]
        return Evaluation(
            id=self._new_id(),
            name=f"{run.name} · {part}",
            created_at=self._clock(),
            parents=(run.id, split.id, *(other.id for other in others)),
            content_hash=hash_value([*hashes, part, _SEED, options.as_json()]),
            seed=_SEED,
            run=run.id,
            split=split.id,
            part=part,
            others=tuple(other.id for other in others),
        )

    def _write_inputs(self, evaluation: Evaluation, options: Options, others: Sequence[Run]) -> None:
        """Where its worker is not reading them; a run may have gone on since they were written."""
        inputs = self._folders.evaluation(evaluation.id) / "inputs.json"
        if inputs.exists() and self._job(evaluation).state not in ENDED_STATES:
            return
        run = self._artefacts.get(Run, evaluation.run)
        split = self._artefacts.get(Split, evaluation.split)
        further = [
            {"run": one.id, "name": one.name, "tuned": str(self._folders.tuned(one.id))} for one in others
        ]
        write_json(
            inputs,
            {
                "split": str(self._folders.split(split.id)),
                "mapping": split.mapping,
                "part": evaluation.part,
                "model": str(self._folders.model(run.model)),
                "tuned": str(self._folders.tuned(run.id)),
                "others": further,
                "seed": _SEED,
                "max_new_tokens": None,
                "cache": str(self._folders.cache("answers")),
                **options.as_json(),
            },
        )

    def _view(self, evaluation: Evaluation) -> EvaluationView:
        job = self._job(evaluation)
        folder = self._folders.evaluation(evaluation.id)
        report = read_json(folder / "report.json") if job.state == "done" else None
        if report is not None and evaluation.part == "test":
            report["looks"] = self._count_look(evaluation, job, report)
        state = JobFolder(folder).state()
        progress = None
        if state and job.state in ACTIVE_STATES:
            progress = Progress(
                phase=state["phase"],
                step=state.get("step", 0),
                steps=state.get("steps", 0),
                seconds_left=state.get("seconds_left"),
                heartbeat=state["time"],
            )
        return EvaluationView(evaluation, job, report, progress)

    def _count_look(self, evaluation: Evaluation, job: Job, report: dict[str, Any]) -> int:
        """How many evaluations looked at these rows; this one is counted when its result is first read."""
        told = report["signature"]
        look = Look(
            evaluation=evaluation.id,
            split=evaluation.split,
            part=evaluation.part,
            rows_hash=told.get("rows_content") or told.get("rows_hash") or evaluation.split,
            run=evaluation.run,
            looked_at=job.finished_at or self._clock(),
        )
        return self._looks.note(look)

    def _job(self, evaluation: Evaluation) -> Job:
        """The newest job; where a crash came between the record and its job, it is queued now."""
        try:
            return self._jobs.of(evaluation.id)
        except NotFound:
            return self._jobs.submit("evaluate", evaluation.id)

    def _rows(self, evaluation: Evaluation) -> list[dict[str, Any]]:
        path = self._folders.evaluation(evaluation.id) / "samples.parquet"
        if not path.exists():
            return []
        import pyarrow.parquet as pq  # noqa: PLC0415 - a tenth of a second that most commands do not need

        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows


def nothing_trained(run: Run) -> Refused:
    """What measuring a run says that has neither an adapter nor a model yet."""
    return Refused(
        "evaluation.nothing_trained",
        "The run {run} has left nothing yet. Wait for its end, resume it, or start a new run.",
        run=run.name,
    )
