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
from ftkit.training.memory import smaller
from ftkit.training.spec import RunSpec
from ftkit.workers.data.tokenised import Asked, tokenised
from ftkit.workers.harness import Stopped, Worker, run
from ftkit.workers.training.checkpoints import choosing
from ftkit.workers.training.prepared import Prepared, Rows
from ftkit.workers.training.rows import row_limit

if TYPE_CHECKING:
    from ftkit.workers.training.checkpoints.choosing import Checkpoint
    from ftkit.workers.training.trainer import Watched
    from ftkit.workers.training.watch import Watch

_log = logging.getLogger(__name__)
# Seconds after a signal in which a run saves and ends; who sends one, as a container that is stopped, waits for about ten.
_DEADLINE = 8.0
_BESIDE_THE_LOSS = ("eval_token_accuracy", "eval_reward_accuracy", "eval_reward_margin")


def job(worker: Worker) -> Mapping[str, Any]:
    """Train, and return the result's metrics."""
    spec = RunSpec.parse(yaml.safe_load((worker.path / "spec.yaml").read_text(encoding="utf-8")))
    with worker.nothing_to_lose():
        worker.progress("preparing")
        rows = prepare_rows(worker.inputs, spec)
        worker.raise_if_stopped()
        worker.progress("loading")
        from ftkit.workers.training import adapter, whole  # noqa: PLC0415 - heavy; the worker shall beat first

        trainer, watch, checkpoint = _make_trainer(worker, spec, rows)
        worker.raise_if_stopped()

    def save_result() -> None:
        if spec.use_peft:
            adapter.save(trainer.model, worker.path, worker.inputs["model_id"])
        else:
            whole.save(trainer.model, worker.path, Path(worker.inputs["model"]))

    try:
        trainer.train(resume_from_checkpoint=str(checkpoint.path) if checkpoint else None)
    except Stopped:
        if trainer.state.global_step:  # else nothing is trained yet
            trainer.save_now()
            trainer.keep_best()
            save_result()
        raise
    worker.progress("saving", trainer.state.global_step, trainer.state.max_steps)
    save_result()
    if trainer.state.global_step < trainer.state.max_steps and worker.stop_asked():
        raise Stopped
    result = _result(worker, trainer, watch, rows)
    if spec.push_to_hub:
        from ftkit.workers.training.publish.push import publish  # noqa: PLC0415 - only where it is asked for

        result |= publish(worker, spec, result)
    return result


def prepare_rows(inputs: Mapping[str, Any], spec: RunSpec) -> Rows:
    """Tokenise both parts as the run card counted them.

    Raises:
        Refused: nothing is left to train on.
    """
    model, split = Path(inputs["model"]), Path(inputs["split"])
    cache = Path(inputs["cache"]) if "cache" in inputs else None

    def part(name: str) -> Prepared:
        file = split / f"{name}.parquet"
        asked = Asked(file, inputs["mapping"], model, spec.max_length, spec.completion_only_loss, spec.method)
        return tokenised(asked, cache)

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
            max_length=row_limit(model, spec.max_length),
            empty=rows.train.empty,
        )
    return rows


def smaller_options(worker: Worker) -> dict[str, Any]:
    """Options with which this run would need less memory."""
    return smaller(RunSpec.parse(yaml.safe_load((worker.path / "spec.yaml").read_text(encoding="utf-8"))))


def _make_trainer(
    worker: Worker, spec: RunSpec, rows: Rows
) -> tuple["Watched", "Watch", "Checkpoint | None"]:
    """The trainer, ready to go on from the newest sound checkpoint.

    Raises:
        Refused: the run is no longer what it was when that was saved.
    """
    from ftkit.workers.training import making  # noqa: PLC0415 - heavy: only once the rows are known to be good
    from ftkit.workers.training.checkpoints.origin import origin_of  # noqa: PLC0415 - as above
    from ftkit.workers.training.checkpoints.saving import Keeping  # noqa: PLC0415 - as above
    from ftkit.workers.training.watch import Watch  # noqa: PLC0415 - as above

    origin = origin_of(worker.path, worker.inputs, spec)
    checkpoint = choosing.newest(worker.path / "checkpoints", origin, worker.event)
    earlier = choosing.go_back(worker.folder, checkpoint.reached if checkpoint else None)
    watch = Watch(worker, earlier)
    keeping = Keeping(origin, checkpoint, watch.counted, worker.folder.flush)
    trainer = making.make_trainer(worker, spec, rows, watch, keeping)
    watch.trainer = trainer
    return trainer, watch, checkpoint


def _result(worker: Worker, trainer: "Watched", watch: "Watch", rows: Rows) -> dict[str, Any]:
    from ftkit.workers.training.watch import peak_memory_mb  # noqa: PLC0415 - loaded by now

    measured, _ = worker.folder.measurements()
    kept = _kept(measured, trainer.args)
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
        **_machine(),
        "precision": "bfloat16" if trainer.args.bf16 else "float32",
        "fast_path": watch.fast,
        "ended_early": trainer.state.global_step < trainer.state.max_steps,
        **{name: kept[name] for name in _BESIDE_THE_LOSS if kept and name in kept},
    }


def _machine() -> dict[str, int]:
    """What worked: cores of the processor, and graphics cards."""
    import torch  # noqa: PLC0415 - loaded by now

    return {"cores": torch.get_num_threads(), "cards": torch.cuda.device_count()}


def _kept(measured: list[dict[str, Any]], arguments: Any) -> dict[str, Any] | None:
    """The validation of the checkpoint that the run ends with; of equal ones the first, as the trainer chooses."""
    from ftkit.workers.training.watch import MEASURED_AS  # noqa: PLC0415 - loaded by now

    validated = [m for m in measured if "eval_loss" in m]
    if not arguments.load_best_model_at_end:
        return validated[-1] if validated else None
    name = MEASURED_AS[arguments.metric_for_best_model]
    best = max if arguments.greater_is_better else min
    return best(validated, key=lambda m: m[name], default=None)


def _mean_loss(measured: list[dict[str, Any]]) -> float | None:
    """Mean over the steps; a point of the curve stands for all steps since the one before it."""
    total, last = 0.0, 0
    for point in measured:
        if "loss" in point:
            total += point["loss"] * (point["step"] - last)
            last = point["step"]
    return total / last if last else None


if __name__ == "__main__":
    run(job, smaller_options, _DEADLINE)
