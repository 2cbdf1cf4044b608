"""The train worker: one run with TRL, from the rows of a split to an adapter or a whole model.

Takes ``spec.yaml`` and ``inputs.json`` of the run's folder; leaves ``metrics.jsonl``, ``samples.jsonl``,
``checkpoints/`` and ``adapter/`` or ``model/``. Started again in the same folder it goes on from the newest whole checkpoint.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ftkit.errors import Refused
from ftkit.training.spec import RunSpec
from ftkit.workers.harness import Stopped, Worker, run
from ftkit.workers.training import checkpoints
from ftkit.workers.training.prepared import Prepared, Rows, prepare
from ftkit.workers.training.rows import FastTokenizer, row_limit

if TYPE_CHECKING:
    from ftkit.workers.training.trainer import Watched
    from ftkit.workers.training.watch import Watch

_log = logging.getLogger(__name__)


def job(worker: Worker) -> Mapping[str, Any]:
    """Train, and return the result's metrics."""
    spec = RunSpec.parse(yaml.safe_load((worker.path / "spec.yaml").read_text(encoding="utf-8")))
    worker.progress("preparing")
    rows = prepare_rows(worker.inputs, spec)
    worker.raise_if_stopped()
    worker.progress("loading")
    from ftkit.workers.training import adapter, whole  # noqa: PLC0415 - heavy; the worker shall beat first

    folder = worker.path / "checkpoints"
    checkpoint = checkpoints.newest(folder)
    earlier = checkpoints.go_back(worker.folder, checkpoints.step_of(checkpoint) if checkpoint else 0)
    trainer, watch = _make_trainer(worker, spec, rows, earlier)
    worker.raise_if_stopped()

    def save_result() -> None:
        if spec.use_peft:
            adapter.save(trainer.model, worker.path, worker.inputs["model_id"])
        else:
            whole.save(trainer.model, worker.path, Path(worker.inputs["model"]))

    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except Stopped:
        if trainer.state.global_step:  # else nothing is trained yet
            trainer.save_now()
            save_result()
        raise
    worker.progress("saving", trainer.state.global_step, trainer.state.max_steps)
    save_result()
    if trainer.state.global_step < trainer.state.max_steps and worker.stop_asked():
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
        return prepare(file, inputs["mapping"], tokenizer, limit, spec.completion_only_loss, spec.method)

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
) -> tuple["Watched", "Watch"]:
    from ftkit.workers.training import making  # noqa: PLC0415 - heavy: only once the rows are known to be good
    from ftkit.workers.training.watch import Watch  # noqa: PLC0415 - as above

    watch = Watch(worker, earlier)
    trainer = making.make_trainer(worker, spec, rows, watch)
    watch.trainer = trainer
    return trainer, watch


def _result(worker: Worker, trainer: "Watched", watch: "Watch", rows: Rows) -> dict[str, Any]:
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
        "fast_path": watch.fast,
        "ended_early": trainer.state.global_step < trainer.state.max_steps,
        **_preferences(measured),
    }


def _preferences(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """The last validation's shares and margins of a run that learned from preferences."""
    names = ("eval_reward_accuracy", "eval_reward_margin")
    last: dict[str, Any] = next((m for m in reversed(measured) if names[0] in m), {})
    return {name: last[name] for name in names if name in last}


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
