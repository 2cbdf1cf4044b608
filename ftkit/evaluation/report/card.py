"""The model card: the facts of the report as Markdown with the Hub's metadata, without a row of the data or a path of a machine.

Takes ``ReportData``, gives the text of a ``README.md``. It uploads nothing.
"""

from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCardData

from ftkit.evaluation.report import energy, sections
from ftkit.evaluation.report.metrics import MetricRow, metric_rows
from ftkit.evaluation.report.page import ReportData, left_out
from ftkit.evaluation.report.words import looks_sentence, words

_METHODS = {"sft": "supervised fine-tuning", "dpo": "DPO", "kto": "KTO"}


def render_card(data: ReportData, base: str | None) -> str:
    """The card, in English, as the Hub expects it.

    Args:
        data: the facts.
        base: id of the base model on the Hub; None for one that is not from there.
    """
    about = ModelCardData(
        license=(data.model.license or "").lower() or None if data.model else None,
        base_model=base,
        library_name="peft" if data.run.spec.get("use_peft") else "transformers",
        pipeline_tag="text-generation",
        tags=["ftkit", str(data.run.spec.get("method", "sft"))],
        model_name=data.run.name,
        eval_results=_results(data),
    )
    parts = [f"# {data.run.name}", _what(data, base), *_measured(data), *_limits(data), *_made(data)]
    return f"---\n{about.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n"


def _what(data: ReportData, base: str | None) -> str:
    kind = "A LoRA adapter" if data.run.spec.get("use_peft") else "A model"
    source = base or (data.model.name if data.model else data.run.model)
    method = _METHODS.get(str(data.run.spec.get("method")), str(data.run.spec.get("method")))
    return f"{kind} made from {source} by {method}, with ftkit."


def _results(data: ReportData) -> list[EvalResult] | None:
    if data.measured is None or data.evaluation is None:
        return None
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type="private",
            dataset_name=f"{data.dataset.name if data.dataset else 'own data'}, {data.evaluation.part} part",
            metric_type=metric,
            metric_value=round(value, 6),
        )
        for metric, value in data.measured["tuned"].items()
        if value is not None
    ]


def _measured(data: ReportData) -> list[str]:
    if data.measured is None or data.evaluation is None:
        return ["## Evaluation", "Not evaluated yet."]
    told = words("en")
    rows = metric_rows(data.measured, told)
    seen = looks_sentence(data.measured["looks"], told) if "looks" in data.measured else ""
    where = f"{told.number(data.measured['rows'])} rows of the {data.evaluation.part} part; base and tuned model answered the same."
    found = ["## Evaluation", " ".join(filter(None, [where, seen])), _table(rows), told.say("card.note")]
    if skills := sections.forgotten(data.measured, told):
        lines = [
            f"| {one.name} | {one.questions} | {one.base} | {one.tuned} | {one.verdict} |" for one in skills
        ]
        head = "| skill | questions | base | tuned | |\n|---|---|---|---|---|"
        found += [f"### {told.say('forgotten')}", "\n".join([head, *lines])]
    if names := sections.names(data.measured, told):
        lines = [f"| {one.name} | {one.changed} | {one.quality} | {one.verdict} |" for one in names]
        head = "| two names differ in | changed answers | difference in quality | |\n|---|---|---|---|"
        found += [f"### {told.say('names')}", "\n".join([head, *lines])]
    return found


def _table(rows: list[MetricRow]) -> str:
    head = "| measure | base | tuned | difference | 95 % interval | |\n|---|---|---|---|---|---|"
    lines = [
        f"| {_cell(one.name)} | {one.base} | {one.tuned} | {one.difference} | {one.interval} | {_cell(one.verdict)} |"
        for one in rows
    ]
    return "\n".join([head, *lines])


def _cell(text: str) -> str:
    """A name from the data could end the cell or begin a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _limits(data: ReportData) -> list[str]:
    told = words("en")
    lines = [f"- {line}" for line in left_out(data, told)]
    found = [f"## {told.say('left_out')}", "\n".join(lines) or told.say("left_out.none")]
    if failures := sections.failures(data.samples, told):
        head = "| mistake | base | tuned |\n|---|---|---|"
        rows = [f"| {_cell(one.name)} | {one.base} | {one.tuned} |" for one in failures]
        found = [f"## {told.say('failures')}", "\n".join([head, *rows]), *found]
    return found


def _made(data: ReportData) -> list[str]:
    told = words("en")
    split = data.split
    rows = (
        f"{told.number(split.sizes['train'])} rows to train, not published; the content of the split has the hash `{split.content_hash}`."
        if split
        else "Not published."
    )
    spent = sections.energy_lines(energy.estimate(data.training), data.training, told)
    settings: dict[str, Any] = {key: value for key, value in data.run.spec.items() if value is not None}
    return [
        "## Training data",
        rows,
        f"## {told.say('energy')}",
        " ".join(spent) or told.say("energy.unknown"),
        "## Settings",
        f"```yaml\n{yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)}```",
    ]
