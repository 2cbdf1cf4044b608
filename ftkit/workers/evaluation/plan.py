"""Which metrics are measured on which rows: found from the rows and from what was asked for.

Takes samples and options, gives a plan and the scores of single rows. It compares nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ftkit.evaluation.measuring.catalogue import FIELDS, Task
from ftkit.evaluation.measuring.checks import Check, Runner
from ftkit.evaluation.measuring.options import Options
from ftkit.evaluation.measuring.scores import Field, field_scores, json_fields
from ftkit.workers.evaluation.metrics.base import RowMetric
from ftkit.workers.evaluation.metrics.labels import Accuracy
from ftkit.workers.evaluation.metrics.likelihood import row_perplexity
from ftkit.workers.evaluation.metrics.overlap import (
    Rouge1,
    Rouge2,
    RougeL,
    bleu_row,
    bleu_tokenizer,
    chrf_row,
)
from ftkit.workers.evaluation.metrics.texts import ExactMatch, JsonValid, Length, RefusalRate, TokenF1

Samples = Sequence[Mapping[str, Any]]
RowScore = Callable[[str, str], float | None]

ROW_METRICS: Mapping[str, type[RowMetric]] = {
    metric.key: metric
    for metric in (Accuracy, JsonValid, Rouge1, Rouge2, RougeL, ExactMatch, TokenF1, Length, RefusalRate)
}


class Plan(NamedTuple):
    """What is measured. Without answers (plain texts) it is perplexity alone."""

    task: Task
    answered: bool
    references: list[str]
    metrics: tuple[str, ...]  # keys of the catalogue, without ``fields``
    fields: tuple[Field, ...]
    checks: tuple[Check, ...]
    skipped: dict[str, str]
    tokenize: str

    def row_scores(self) -> dict[str, RowScore]:
        """How one row is scored, by metric; of BLEU and chrF the same formula on the row alone."""
        known: dict[str, RowScore] = {key: metric.row for key, metric in ROW_METRICS.items()}
        known["bleu"] = lambda answer, reference: bleu_row(answer, reference, self.tokenize)
        known["chrf"] = chrf_row
        return {key: known[key] for key in self.metrics if key in known}


def plan_of(samples: Samples, options: Options) -> Plan:
    """The metrics that were asked for, or that suit the rows; and why others that were wanted cannot be measured."""
    references = [sample["reference"] for sample in samples]
    prompts = ["\n\n".join(filter(None, (sample.get("system"), sample.get("prompt")))) for sample in samples]
    task, wanted = options.for_rows(prompts, references)
    answered = samples[0].get("tuned_answer") is not None
    fields = tuple(json_fields(references)) if answered else ()
    skipped: dict[str, str] = {}
    if not answered:
        skipped = {
            key: "no_prompts" for key in (*wanted, *_metrics_of(options.checks)) if key != "perplexity"
        }
    elif not fields:
        skipped = {key: "no_json_references" for key in wanted if key in (FIELDS, "json_valid")}
    return Plan(
        task=task,
        answered=answered,
        references=references,
        metrics=tuple(key for key in wanted if key not in skipped and key != FIELDS),
        fields=fields if FIELDS in wanted else (),
        checks=options.checks if answered else (),
        skipped=skipped,
        tokenize=bleu_tokenizer(references),
    )


def score_rows(samples: list[dict[str, Any]], sides: Sequence[str], plan: Plan) -> None:
    """Each sample's scores of all sides, as ``<side>_<metric>``; None where a row cannot be scored by a metric."""
    for side in sides:
        if "perplexity" in plan.metrics:
            for sample in samples:
                sample[f"{side}_perplexity"] = row_perplexity(sample[f"{side}_nll"], sample["scored_tokens"])
        if not plan.answered:
            continue
        runners = {check.metric: Runner(check) for check in plan.checks}
        scores = plan.row_scores()
        for sample in samples:
            answer, reference = sample[f"{side}_answer"], sample["reference"]
            found = {key: score(answer, reference) for key, score in scores.items()}
            found |= field_scores(answer, reference, plan.fields)
            found |= {key: runner.score(answer) for key, runner in runners.items()}
            sample |= {f"{side}_{key}": score for key, score in found.items()}


def _metrics_of(checks: Sequence[Check]) -> list[str]:
    return [check.metric for check in checks]
