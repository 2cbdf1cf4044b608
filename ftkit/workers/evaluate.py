"""The evaluation worker: base and tuned model measured on the same rows of one part of a split.

Takes ``inputs.json`` (split, mapping, part, model, tuned, seed, max_new_tokens), writes ``samples.parquet`` and, last,
``report.json``. The base model is loaded once with the adapter on top, which is switched off to be the base; a whole tuned
model is loaded beside it. Greedy and seeded: the same inputs give the same report on one machine. It changes neither model
nor data.
"""

import inspect
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import PreTrainedTokenizerBase

from ftkit.data.storage import iterate_rows
from ftkit.errors import Refused, WorkerFault
from ftkit.evaluation.measuring.options import Options
from ftkit.store.files import hash_file, read_json, write_json
from ftkit.workers.evaluation.prepared import Prepared, default_limit, prepare_rows
from ftkit.workers.evaluation.remembered import BaseAnswers
from ftkit.workers.evaluation.summary import SIDES, add_scores, summarise
from ftkit.workers.generation import Answer, answer_all, batches, context_length, left_padded, right_padded
from ftkit.workers.harness import Worker, run
from ftkit.workers.loading import load_sides, load_tokenizer
from ftkit.workers.training.rows import IGNORED, FastTokenizer

_SCORED_AT_ONCE = 2048  # tokens whose scores over the whole vocabulary are in memory together
_LIBRARIES = (
    "torch",
    "transformers",
    "peft",
    "evaluate",
    "sacrebleu",
    "rouge_score",
    "scikit-learn",
    "scipy",
)


class Inputs(NamedTuple):
    """What is evaluated on what."""

    split: Path
    mapping: dict[str, str]
    part: str
    model: Path
    tuned: Path
    seed: int
    max_new_tokens: int | None
    cache: Path | None
    options: Options

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "Inputs":
        """From ``inputs.json``."""
        return cls(
            split=Path(value["split"]),
            mapping=value["mapping"],
            part=value["part"],
            model=Path(value["model"]),
            tuned=Path(value["tuned"]),
            seed=value["seed"],
            max_new_tokens=value.get("max_new_tokens"),
            cache=Path(value["cache"]) if value.get("cache") else None,
            options=Options.from_json(value),
        )

    @property
    def file(self) -> Path:
        """The rows."""
        return self.split / f"{self.part}.parquet"


class Models(NamedTuple):
    """Base and tuned model, one object twice where an adapter makes the difference, and their tokenizer."""

    base: Any
    tuned: Any
    tokenizer: PreTrainedTokenizerBase

    @contextmanager
    def as_side(self, side: str) -> Iterator[Any]:
        """The model of ``base`` or ``tuned``, with the adapter switched as it must be."""
        if side == "tuned":
            yield self.tuned
        elif self.base is not self.tuned:
            yield self.base
        else:
            with self.tuned.disable_adapter():
                yield self.tuned


def evaluate(worker: Worker) -> dict[str, Any]:
    """Measure both models; the result's metrics say how many rows were used and left out."""
    inputs = Inputs.of(worker.inputs)
    values = read_part(inputs)
    worker.progress("loading")
    models = Models(*load_sides(inputs.model, inputs.tuned), load_tokenizer(inputs.model))
    context = context_length(models.base)
    rows, left_out = prepare_rows(values, inputs.mapping, FastTokenizer(inputs.model), context)
    if not rows:
        raise Refused(
            "evaluation.no_rows",
            "None of the {rows} rows of the {part} part can be evaluated ({reason}). Choose another part or mapping.",
            rows=len(values),
            part=inputs.part,
            reason="; ".join(left_out),
        )
    limit = inputs.max_new_tokens or default_limit(rows)
    told = signature(inputs, models, limit)
    known = BaseAnswers(inputs.cache, _base_depends_on(inputs, told))
    samples = measure_rows(models, rows, limit, worker, known)
    add_scores(samples, SIDES, inputs.options)
    report = summarise(samples, SIDES, inputs.options, inputs.seed, worker.path)
    report |= {
        "rows": len(rows),
        "left_out": left_out.total(),
        "left_out_reasons": dict(left_out.most_common()),
        "signature": told,
    }
    write_samples(worker.path / "samples.parquet", samples)
    write_json(worker.path / "report.json", report)
    return {"rows": len(rows), "left_out": left_out.total()}


def read_part(inputs: Inputs) -> list[dict[str, Any]]:
    """All rows of the part.

    Raises:
        Refused: it is empty.
    """
    values = list(iterate_rows(inputs.file))
    if not values:
        raise Refused(
            "evaluation.empty_part",
            "The {part} part of the split has no rows. Choose another part, or split with a larger share for it.",
            part=inputs.part,
        )
    return values


def measure_rows(
    models: Models, rows: list[Prepared], limit: int, worker: Worker, known: BaseAnswers
) -> list[dict[str, Any]]:
    """One sample per row: texts and log-likelihoods of both sides; the base model is asked what is not known."""
    samples = [_sample(row) for row in rows]
    recalled = known.recall([row.row for row in rows])
    sides = SIDES if recalled is None else ("tuned",)
    for sample, base in zip(samples, recalled or [{}] * len(rows), strict=True):
        sample |= base
    count = RowCounter(worker, "evaluating", len(sides) * len(rows))
    for side in sides:
        with models.as_side(side) as model:
            nlls = row_nlls(model, models.tokenizer, rows, count)
            for sample, nll in zip(samples, nlls, strict=True):
                sample[f"{side}_nll"] = nll
    asked = [place for place, row in enumerate(rows) if row.asked]
    count = RowCounter(worker, "generating", len(sides) * len(asked))
    for side in sides:
        with models.as_side(side) as model:
            prompts = [rows[place].asked for place in asked]
            answers = answer_all(model, models.tokenizer, prompts, limit, count.more, worker.stop_asked)
            for index, answer in answers:
                samples[asked[index]] |= _answered(side, answer)
        worker.raise_if_stopped()
    if recalled is None:
        known.remember(samples)
    return samples


def row_nlls(
    model: Any, tokenizer: PreTrainedTokenizerBase, rows: list[Prepared], count: "RowCounter"
) -> list[float]:
    """Negative log-likelihood of each row's scored tokens under the model as it is switched now.

    Raises:
        WorkerFault: a value is not finite.
    """
    found = [math.nan] * len(rows)
    for batch in batches([row.size for row in rows], most_tokens=_SCORED_AT_ONCE):
        for place, nll in zip(
            batch, _batch_nlls(model, tokenizer, [rows[place] for place in batch]), strict=True
        ):
            found[place] = nll
        count.more(len(batch))
    if not all(map(math.isfinite, found)):
        raise WorkerFault(
            "evaluation.not_finite",
            "The model computes numbers that are not finite. Train again with a lower learning rate.",
        )
    return found


@torch.inference_mode()
def _batch_nlls(model: Any, tokenizer: PreTrainedTokenizerBase, rows: list[Prepared]) -> list[float]:
    if model.config.is_encoder_decoder:
        return _answer_nlls(model, tokenizer, rows)
    inputs = left_padded([row.ids for row in rows], tokenizer, model.device)
    scored = [len(row.ids) - row.start for row in rows]
    kept = max(scored) + 1  # the token before the first scored one predicts it
    logits = model(**inputs, **_only_needed(model, inputs["attention_mask"], kept)).logits
    nlls = []
    for line, ids, count in zip(logits, inputs["input_ids"], scored, strict=True):
        each = torch.nn.functional.cross_entropy(
            line[-count - 1 : -1].float(), ids[-count:], reduction="none"
        )
        nlls.append(float(each.double().sum()))
    return nlls


def _answer_nlls(model: Any, tokenizer: PreTrainedTokenizerBase, rows: list[Prepared]) -> list[float]:
    """Of answers that a decoder writes; the model shifts the labels itself and ignores padding among them."""
    asked = right_padded([list(row.source) for row in rows], tokenizer, model.device)
    answers = right_padded([row.ids for row in rows], tokenizer, model.device)
    labels = answers["input_ids"].masked_fill(answers["attention_mask"] == 0, IGNORED)
    logits = model(**asked, labels=labels).logits
    each = torch.nn.functional.cross_entropy(
        logits.float().transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
    )
    return [float(nll) for nll in each.double().sum(1)]


def _only_needed(model: Any, mask: torch.Tensor, kept: int) -> dict[str, Any]:
    """Logits of the last places only, and true positions behind left padding, where the architecture takes them."""
    taken = inspect.signature(getattr(model, "get_base_model", lambda: model)().forward).parameters
    offered = {"logits_to_keep": kept, "position_ids": (mask.cumsum(-1) - 1).clamp_min(0)}
    return {name: value for name, value in offered.items() if name in taken}


def signature(inputs: Inputs, models: Models, limit: int) -> dict[str, Any]:
    """What two reports must have in common to be compared."""
    return {
        "split": inputs.split.name,
        "part": inputs.part,
        "rows_hash": hash_file(inputs.file),
        "model": inputs.model.name,
        "tuned_hashes": [hash_file(file) for file in sorted(inputs.tuned.glob("*.safetensors"))],
        "decoding": "greedy",
        "max_new_tokens": limit,
        "seed": inputs.seed,
        "dtype": str(models.base.dtype).removeprefix("torch."),
        "device": str(models.base.device),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def _base_depends_on(inputs: Inputs, told: Mapping[str, Any]) -> dict[str, Any]:
    """All that the base model's answers depend on: not on what was tuned, nor on the name of the split."""
    others = {"tuned_hashes", "split", "part", "seed"}
    # The record has a hash of all files of the model: reading gigabytes again would tell nothing more.
    record = read_json(inputs.model / "model.json") or {}
    model = record.get("content_hash") or [hash_file(path) for path in sorted(inputs.model.glob("*.*"))]
    return {
        **{name: value for name, value in told.items() if name not in others},
        "mapping": inputs.mapping,
        "model_hash": model,
    }


def write_samples(path: Path, samples: list[dict[str, Any]]) -> None:
    """All samples as Parquet, as a whole or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    pq.write_table(pa.Table.from_pylist(samples), temporary)
    temporary.replace(path)


class RowCounter:
    """Rows done, told to the reader; leaves the job where a stop was asked for."""

    def __init__(self, worker: Worker, phase: str, rows: int) -> None:
        self._worker, self._phase, self._rows, self._done = worker, phase, rows, 0
        self._begun = time.monotonic()
        worker.progress(phase, 0, rows, seconds_left=None)

    def more(self, rows: int) -> None:
        """So many more are done."""
        self._done += rows
        left = (time.monotonic() - self._begun) / self._done * (self._rows - self._done)
        self._worker.progress(self._phase, self._done, self._rows, seconds_left=round(left, 1))
        self._worker.raise_if_stopped()


def _sample(row: Prepared) -> dict[str, Any]:
    system = "\n\n".join(m["content"] for m in row.prompt if m["role"] == "system")
    turns = [m for m in row.prompt if m["role"] != "system"]
    many = len(turns) > 1
    return {
        "row": row.row,
        "system": system or None,
        "prompt": "\n\n".join(f"{m['role']}: {m['content']}" if many else m["content"] for m in turns),
        "reference": row.reference,
        "base_answer": None,
        "tuned_answer": None,
        "scored_tokens": len(row.ids) - row.start,
    }


def _answered(side: str, answer: Answer) -> dict[str, Any]:
    return {f"{side}_answer": answer.text, f"{side}_tokens": answer.tokens, f"{side}_cut": answer.cut}


if __name__ == "__main__":
    run(evaluate)
