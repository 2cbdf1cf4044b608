"""The evaluation room: measure a run against its base model, and tell the result.

Takes run ids, gives evaluations, their rows and the report page. The measuring happens in the worker; this side writes
what the worker reads (``inputs.json``) and reads what it writes.
"""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ftkit.errors import NotFound, Refused
from ftkit.evaluation.measuring.options import Options
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Clock, Jobs, NewId
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Dataset, Evaluation, Job, Part, Run, Split
from ftkit.store.artefacts import A, Artefacts
from ftkit.store.files import Folders, hash_value, read_json, write_json
from ftkit.store.models import find_model

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
    """An evaluation with what is known about it now; ``report`` is there once it is done."""

    evaluation: Evaluation
    job: Job
    report: dict[str, Any] | None
    progress: Progress | None


class EvaluationService:
    """Evaluations of one data folder."""

    def __init__(
        self, artefacts: Artefacts, folders: Folders, jobs: Jobs, clock: Clock, new_id: NewId
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id
        self._start_lock = threading.Lock()

    def start(self, run_id: str, part: Part = "test", options: Options | None = None) -> Evaluation:
        """Queue an evaluation; where the same one is unfinished, that one is returned.

        Args:
            run_id: whose.
            part: of the run's split.
            options: task, metrics and checks; left to the references where None.

        Raises:
            Refused: the run has left nothing yet, or the part is empty.
        """
        run = self._artefacts.get(Run, run_id)
        split = self._artefacts.get(Split, run.split)
        self._check(run, split, part)
        with self._start_lock:
            new = self._new(run, split, part, options or Options())
            evaluation = self._unfinished(new) or self._add(new, split, options or Options())
        self._jobs.submit("evaluate", evaluation.id)
        return evaluation

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

    def samples(self, id_: str, offset: int = 0, limit: int = 20) -> list[dict[str, Any]]:
        """Rows with both answers and their scores, in the order of the part; empty while they are not measured."""
        return self._rows(self._artefacts.get(Evaluation, id_))[offset : offset + limit]

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> EvaluationView:
        """Supervise an evaluation until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(self._artefacts.get(Evaluation, id_).id, on_look=on_look)
        return self.get(id_)

    def stop(self, id_: str) -> EvaluationView:
        """Stop an evaluation; nothing of it is kept."""
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

    def report(self, run_id: str, language: str = "en") -> str:
        """One self-contained page about a run and its newest finished evaluation, that of the test part before others.

        Args:
            run_id: whose.
            language: ``en`` or ``tr``.
        """
        from ftkit.evaluation.report.page import ReportData, render  # noqa: PLC0415 - Jinja2 costs the command line time

        run = self._artefacts.get(Run, run_id)
        split = self._find(Split, run.split)
        model = find_model(self._folders, run.model)
        done = [view for view in self.all(run_id) if view.report is not None]
        view = next((view for view in done if view.evaluation.part == "test"), done[0] if done else None)
        lineage = list(self._artefacts.lineage(view.evaluation.id if view else run_id))
        data = ReportData(
            run=run,
            model=model,
            split=split,
            dataset=self._find(Dataset, split.dataset) if split else None,
            training=self._training_metrics(run_id),
            curve=JobFolder(self._folders.run(run_id)).measurements()[0],
            evaluation=view.evaluation if view else None,
            measured=view.report if view else None,
            samples=self._rows(view.evaluation) if view else [],
            lineage=[*lineage, *([("model", model.id, model.name)] if model else [])],
            made_at=self._clock(),
        )
        return render(data, language)

    def _check(self, run: Run, split: Split, part: Part) -> None:
        if self._folders.tuned(run.id) is None:
            raise Refused(
                "evaluation.nothing_trained",
                "The run {run} has left nothing yet. Wait for its end, resume it, or start a new run.",
                run=run.name,
            )
        if split.sizes.get(part, 0) == 0:
            raise Refused(
                "evaluation.empty_part",
                "The {part} part of the split has no rows. "
                "Choose another part, or split with a larger share for it.",
                part=part,
            )

    def _unfinished(self, wanted: Evaluation) -> Evaluation | None:
        for evaluation in self._artefacts.all(Evaluation):
            same = (evaluation.run, evaluation.part) == (wanted.run, wanted.part)
            # One without a hash was never written by this version.
            if not same or evaluation.content_hash not in ("", wanted.content_hash):
                continue
            if self._job(evaluation).state not in ENDED_STATES:
                return evaluation
        return None

    def _new(self, run: Run, split: Split, part: Part, options: Options) -> Evaluation:
        return Evaluation(
            id=self._new_id(),
            name=f"{run.name} · {part}",
            created_at=self._clock(),
            parents=(run.id, split.id),
            content_hash=hash_value([run.content_hash, split.content_hash, part, _SEED, options.as_json()]),
            seed=_SEED,
            run=run.id,
            split=split.id,
            part=part,
        )

    def _add(self, evaluation: Evaluation, split: Split, options: Options) -> Evaluation:
        run = self._artefacts.get(Run, evaluation.run)
        write_json(
            self._folders.evaluation(evaluation.id) / "inputs.json",
            {
                "split": str(self._folders.split(split.id)),
                "mapping": split.mapping,
                "part": evaluation.part,
                "model": str(self._folders.model(run.model)),
                "tuned": str(self._folders.tuned(run.id)),
                "seed": _SEED,
                "max_new_tokens": None,
                "cache": str(self._folders.cache("base")),
                **options.as_json(),
            },
        )
        self._artefacts.add(evaluation)
        return evaluation

    def _view(self, evaluation: Evaluation) -> EvaluationView:
        job = self._job(evaluation)
        folder = self._folders.evaluation(evaluation.id)
        report = read_json(folder / "report.json") if job.state == "done" else None
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

    def _training_metrics(self, run_id: str) -> dict[str, Any]:
        try:
            job = self._jobs.of(run_id)
        except NotFound:
            return {}
        metrics: dict[str, Any] = (self._jobs.folder(job).result(job.nonce) or {}).get("metrics", {})
        return metrics

    def _find(self, kind: type[A], id_: str) -> A | None:
        try:
            return self._artefacts.get(kind, id_)
        except NotFound:
            return None
