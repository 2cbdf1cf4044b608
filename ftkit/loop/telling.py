"""What rooms say together of a run: its report, its model card, and what judge and metrics say beside people.

Takes ids, gives pages and opinions. Each figure is made by the room that it belongs to.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ftkit.data.health.service import HealthService
from ftkit.errors import NotFound
from ftkit.evaluation.judge.agreement import metric_verdicts
from ftkit.evaluation.judge.service import JudgeService
from ftkit.evaluation.report.sections import HealthFacts, PeopleFacts, PeopleLine
from ftkit.evaluation.report.service import ReportService
from ftkit.evaluation.service import EvaluationService
from ftkit.models.catalogue import source_on_hub
from ftkit.models.service import ModelService
from ftkit.ratings.results.service import Opinion, ResultService
from ftkit.ratings.sides.names import Side
from ftkit.ratings.studies.service import StudyService
from ftkit.ratings.studies.views import StudyView
from ftkit.records import Run
from ftkit.statistics import Agreement, agreement_by_row
from ftkit.training.service import TrainingService


class Witnesses(NamedTuple):
    """The services that know something of a run."""

    health: HealthService
    models: ModelService
    training: TrainingService
    evaluation: EvaluationService
    judge: JudgeService
    reports: ReportService
    studies: StudyService
    run: Callable[[str], Run]


class Telling:
    """What is told of the runs of one data folder; ``results`` is set once that room is open, which asks for ``opinions`` itself."""

    results: ResultService

    def __init__(self, witnesses: Witnesses) -> None:
        self._of = witnesses

    def report(self, run: str, language: str = "en") -> str:
        """The report page of a run, with what the newest check of its dataset found and what people said.

        Raises:
            NotFound: there is no such run.
        """
        dataset = self._of.training.dataset_of(run)
        found = self._of.health.told(dataset, language) if dataset else None
        health = HealthFacts(*found) if found else None
        return self._of.reports.page(run, language, health, self._people(run, language))

    def _people(self, run: str, language: str) -> PeopleFacts | None:
        """What people said of a run, in the newest study that has ratings of it."""
        from ftkit.ratings.results import words as said  # noqa: PLC0415 - few commands need it

        side = str(Side(kind="run", id=run))
        study = next(
            (one for one in self._of.studies.all() if side in one.options.sides and one.ratings), None
        )
        if study is None:
            return None
        results, told = self.results.results(study.study.id), said.result_words(language)
        labels = results["labels"]
        ranked = [line for group in results["rankings"] for line in said.rank_lines(group, labels, told)]
        facts = [(said.question(one, told), said.accord_sentence(one, told)) for one in results["agreement"]]
        facts += said.compared_lines(results, told)
        return PeopleFacts(
            name=results["name"],
            ended=results["state"] == "closed",
            raters=results["raters"],
            headline=said.headline(results, told),
            ranking=[
                PeopleLine(
                    one.rank, one.side, one.chance, one.low, one.high, one.told, one.interval, one.ratings
                )
                for one in ranked
            ],
            agreement=facts,
            position=said.position_sentence(results["position"], told),
            left_out=said.left_out_lines(results, told),
        )

    def opinions(self, view: StudyView) -> list[Opinion]:
        """The judge and the metrics of the newest evaluation of each run of a study, where both are of the same rows."""
        if not view.study.split:
            return []
        found = []
        for side in map(Side.parse, view.options.sides):
            run = self._run_of(side)
            base = "" if run is None else str(Side(kind="base", id=run.model))
            if run is None or run.split != view.study.split or base not in view.options.sides:
                continue
            evaluation = next(
                (
                    one.evaluation
                    for one in self._of.evaluation.all(run.id)
                    if one.report is not None and one.evaluation.part == view.study.part
                ),
                None,
            )
            if evaluation is not None:
                found.append(self._opinion(evaluation.id, base, str(side)))
        return found

    def _opinion(self, evaluation: str, base: str, tuned: str) -> Opinion:
        judged = next((one for one in self._of.judge.all(evaluation) if one.report["judged"]), None)
        version = (evaluation, judged and judged.judgement.id, judged and judged.report["judged"])

        def agree(people: Mapping[int, str]) -> list[tuple[str, str, Agreement]]:
            decided = {row: said for row, said in people.items() if said != "tie"}
            found = [
                (metric, "metric", agreement_by_row(decided, verdicts))
                for metric, verdicts in metric_verdicts(
                    self._of.evaluation.samples(evaluation, limit=None)
                ).items()
            ]
            if judged is None:
                return found
            with_judge = self._of.judge.agreement(judged.judgement.id, people)
            return [(judged.judgement.judge, "judge", with_judge), *found]

        return Opinion(base, tuned, version, agree)

    def _run_of(self, side: Side) -> Run | None:
        """The run of a side that answers as the run does."""
        if side.kind != "run" or side.strength != 1:
            return None
        try:
            return self._of.run(side.id)
        except NotFound:
            return None

    def model_card(self, run: str) -> str:
        """The model card of a run, in Markdown with the Hub's metadata.

        Raises:
            NotFound: there is no such run.
        """
        wanted = self._of.run(run).model
        model = next((model for model in self._of.models.all() if model.id == wanted), None)
        return self._of.reports.card(run, source_on_hub(model.id, model.source) if model else None)
