"""Reports of runs: the facts of a run and its newest finished evaluation as a page for people, or as a model card.

Takes run ids, gives texts. It measures nothing.
"""

from typing import TYPE_CHECKING, Any

from ftkit.errors import NotFound
from ftkit.evaluation.benchmarks.service import BenchmarkService
from ftkit.evaluation.judge.service import JudgeService
from ftkit.evaluation.service import EvaluationService
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Clock, Jobs
from ftkit.records import Dataset, Run, Split
from ftkit.store.artefacts import A, Artefacts
from ftkit.store.files import Folders
from ftkit.store.models import find_model

if TYPE_CHECKING:
    from ftkit.evaluation.report.page import ReportData
    from ftkit.evaluation.report.sections import HealthFacts, PeopleFacts


class ReportService:
    """Reports of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        evaluations: EvaluationService,
        judge: JudgeService,
        benchmarks: BenchmarkService,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        clock: Clock,
    ) -> None:
        self._evaluations = evaluations
        self._judge = judge
        self._benchmarks = benchmarks
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._clock = clock

    def page(
        self,
        run_id: str,
        language: str = "en",
        health: "HealthFacts | None" = None,
        people: "PeopleFacts | None" = None,
    ) -> str:
        """One self-contained page.

        Args:
            run_id: whose.
            language: ``en`` or ``tr``.
            health: what the newest check of the dataset found, in that language.
            people: what people said who rated answers of the run, in that language.

        Raises:
            NotFound: there is no such run.
        """
        from ftkit.evaluation.report.page import render  # noqa: PLC0415 - Jinja2 costs the command line time

        return render(self._data(run_id, health, people), language)

    def card(self, run_id: str, base: str | None = None) -> str:
        """The same facts as Markdown, as the Hub takes them, without a row of the data.

        Args:
            run_id: whose.
            base: id of the base model on the Hub.

        Raises:
            NotFound: there is no such run.
        """
        from ftkit.evaluation.report.card import render_card  # noqa: PLC0415 - as above

        return render_card(self._data(run_id), base)

    def _data(
        self, run_id: str, health: "HealthFacts | None" = None, people: "PeopleFacts | None" = None
    ) -> "ReportData":
        from ftkit.evaluation.report.page import ReportData  # noqa: PLC0415 - as above

        run = self._artefacts.get(Run, run_id)
        split = self._find(Split, run.split)
        model = find_model(self._folders, run.model)
        view = self._evaluations.verdict(run_id)
        id_ = view.evaluation.id if view else run_id
        lineage = list(self._artefacts.lineage(id_))
        return ReportData(
            run=run,
            model=model,
            split=split,
            dataset=self._find(Dataset, split.dataset) if split else None,
            training=self._training_metrics(run_id),
            curve=JobFolder(self._folders.run(run_id)).measurements()[0],
            evaluation=view.evaluation if view else None,
            measured=view.report if view else None,
            samples=self._evaluations.samples(id_, limit=None) if view else [],
            lineage=[*lineage, *([("model", model.id, model.name)] if model else [])],
            made_at=self._clock(),
            health=health,
            people=people,
            judged=self._judged(id_) if view else None,
            benchmarks=self._benchmarks.finished(run_id),
        )

    def _judged(self, evaluation_id: str) -> dict[str, Any] | None:
        """The report of the newest finished judgement."""
        views = self._judge.all(evaluation_id)
        return next((view.report for view in views if view.job.state == "done"), None)

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
