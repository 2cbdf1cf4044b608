"""The train worker: one LoRA run with TRL, from the rows of a split to an adapter.

Takes ``spec.yaml`` and ``inputs.json`` of the run's folder; leaves ``metrics.jsonl``, ``checkpoints/`` and
``adapter/``. Started again in the same folder it goes on from the newest whole checkpoint.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from ftkit.errors import Refused
from ftkit.training.spec import RunSpec
from ftkit.workers.harness import Stopped, Worker, run
from ftkit.workers.training import checkpoints
from ftkit.workers.training.rows import FastTokenizer, Prepared, prepare, row_limit

if TYPE_CHECKING:
    from ftkit.workers.training.trainer import RunTrainer
    from ftkit.workers.training.watch import Watch

_log = logging.getLogger(__name__)


class Rows(NamedTuple):
    """Rows to learn from, and rows to watch the loss on."""

    train: Prepared
    validation: Prepared


def job(worker: Worker) -> Mapping[str, Any]:
    """Train, and return the result's metrics."""
    spec = RunSpec.parse(yaml.safe_load((worker.path / "spec.yaml").read_text(encoding="utf-8")))
    worker.progress("preparing")
    rows = prepare_rows(worker.inputs, spec)
    worker.raise_if_stopped()
    worker.progress("loading")
    from ftkit.workers.training import adapter  # noqa: PLC0415 - heavy; the worker shall beat first

    folder = worker.path / "checkpoints"
    checkpoint = checkpoints.newest(folder)
    earlier = checkpoints.go_back(worker.folder, checkpoints.step_of(checkpoint) if checkpoint else 0)
    trainer, watch = _make_trainer(worker, spec, rows, earlier)
    worker.raise_if_stopped()
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except Stopped:
        trainer.save_now()
        adapter.save(trainer.model, worker.path, worker.inputs["model_id"])
        raise
    worker.progress("saving", trainer.state.global_step, trainer.state.max_steps)
    adapter.save(trainer.model, worker.path, worker.inputs["model_id"])
    if trainer.state.global_step < trainer.state.max_steps:
        raise Stopped
    return _result(worker, trainer, watch, rows)


def prepare_rows(inputs: Mapping[str, Any], spec: RunSpec) -> Rows:
    """Tokenise both parts as the run card counted them.

    Raises:
        Refused: nothing is left to train on.
    """
    model, split = Path(inputs["model"]), Path(inputs["split"])
    tokenizer, limit = FastTokenizer(model), row_limit(model, spec.max_length)

    def part(name: str) -> Prepared:
        file = split / f"{name}.parquet"
        return prepare(file, inputs["mapping"], tokenizer, limit, spec.completion_only_loss)

    rows = Rows(part("train"), part("validation"))
    for name, prepared in zip(("train", "validation"), rows, strict=True):
        _log.warning(
            "%s: %d rows, %d tokens; %d too long and %d with nothing to learn were left out. %s",
            *(name, len(prepared.rows), prepared.tokens, prepared.left_out, prepared.empty),
            "; ".join(f"row {row}: {reason}" for row, reason in prepared.reasons),
        )
    if not rows.train.rows:
        raise Refused(
            "training.no_rows",
            "No training row is left: {left_out} are longer than {max_length} tokens and {empty} have no answer. "
            "Raise the longest row, or choose another split.",
            left_out=rows.train.left_out,
            max_length=limit,
            empty=rows.train.empty,
        )
    return rows


def _make_trainer(
    worker: Worker, spec: RunSpec, rows: Rows, earlier: dict[str, Any]
) -> tuple["RunTrainer", "Watch"]:
    import torch  # noqa: PLC0415 - heavy: only once the rows are known to be good
    from datasets import Dataset  # noqa: PLC0415 - as above

    from ftkit.workers import loading  # noqa: PLC0415 - as above
    from ftkit.workers.training import adapter, trainer  # noqa: PLC0415 - as above
    from ftkit.workers.training.arguments import adapter_config, training_arguments  # noqa: PLC0415 - as above
    from ftkit.workers.training.fast_batches import FastCollator  # noqa: PLC0415 - as above
    from ftkit.workers.training.watch import Watch  # noqa: PLC0415 - as above

    folder = Path(worker.inputs["model"])
    narrow = spec.bf16 and loading.has_fast_bf16()
    device = loading.device().type
    model = loading.load_model(folder, torch.bfloat16 if narrow and device == "cuda" else torch.float32)
    adapter.check_targets(model, spec.target_names())
    fast = not spec.packing and trainer.fits_fast_path(model)
    if fast:
        trainer.use_fast_attention(model, narrow)
    datasets = [Dataset.from_list([row._asdict() for row in part.rows]) for part in rows]
    watch = Watch(worker, earlier)
    make: Any = trainer.FastTrainer if fast else trainer.RunTrainer
    with loading.quiet_peft():
        made: RunTrainer = make(
            model=model,
            args=training_arguments(
                spec,
                worker.path / "checkpoints",
                validates=bool(rows.validation.rows),
                fast=fast,
                bf16=narrow,
                cpu=device == "cpu",
            ),
            train_dataset=datasets[0],
            eval_dataset=datasets[1] if rows.validation.rows else None,
            processing_class=loading.load_tokenizer(folder),
            peft_config=adapter_config(spec),
            data_collator=FastCollator(share=spec.lora_dropout == 0) if fast else None,
            callbacks=[watch],
            interrupted=worker.raise_if_stopped,
        )
    watch.trainer = made
    return made, watch


def _result(worker: Worker, trainer: "RunTrainer", watch: "Watch", rows: Rows) -> dict[str, Any]:
    from ftkit.workers.training.watch import peak_memory_mb  # noqa: PLC0415 - loaded by now

    measured, _ = worker.folder.measurements()
    validated = [m for m in measured if "eval_loss" in m]
    if not trainer.args.load_best_model_at_end:
        validated = validated[-1:]
    kept = min(validated, key=lambda m: m["eval_loss"], default=None)
    return {
        "tokens_per_second": round(watch.tokens / watch.seconds, 2) if watch.seconds else None,
        "train_loss": _mean_loss(measured),
        "eval_loss": kept["eval_loss"] if kept else None,
        "best_step": kept["step"] if kept else None,
        "train_seconds": round(watch.seconds, 2),
        "peak_memory_mb": peak_memory_mb(),
        "steps": trainer.state.global_step,
        "tokens": watch.tokens,
        "rows": len(rows.train.rows),
        "rows_left_out": rows.train.left_out,
        "rows_empty": rows.train.empty,
        "precision": "bfloat16" if trainer.args.bf16 else "float32",
    }


def _mean_loss(measured: list[dict[str, Any]]) -> float | None:
    """Mean over the steps; a point of the curve stands for all steps since the one before it."""
    total, last = 0.0, 0
    for point in measured:
        if "loss" in point:
            total += point["loss"] * (point["step"] - last)
            last = point["step"]
    return total / last if last else None


if __name__ == "__main__":
    run(job)
