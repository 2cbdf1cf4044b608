"""From a spec and its rows to a trainer that is ready to run, for every method.

Takes the worker's inputs, loads the model, gives the trainer. It starts nothing.
"""

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, PreTrainedModel, PreTrainedTokenizerBase

from ftkit.training.spec import RunSpec
from ftkit.workers import loading
from ftkit.workers.harness import Worker
from ftkit.workers.training import adapter, trainer
from ftkit.workers.training.arguments import adapter_config, quantization, training_arguments
from ftkit.workers.training.checkpoints.saving import Keeping
from ftkit.workers.training.fast.batches import FastCollator
from ftkit.workers.training.preference.rows import check_margins
from ftkit.workers.training.prepared import Rows
from ftkit.workers.training.rows import FastTokenizer, row_limit
from ftkit.workers.training.samples.prompts import first_prompts
from ftkit.workers.training.samples.sampler import Sampler
from ftkit.workers.training.trainer import Watched
from ftkit.workers.training.watch import Watch


def make_trainer(worker: Worker, spec: RunSpec, rows: Rows, watch: Watch, keeping: Keeping) -> Watched:
    """The trainer of the spec's method, with model, rows and callbacks.

    Args:
        worker: of the run.
        spec: its options.
        rows: of both parts.
        watch: sees each step.
        keeping: where it goes on from, and what its checkpoints say.

    Raises:
        BadInput: the spec names layers that the model has not.
        Refused: the best checkpoint cannot be told by these validation rows.
    """
    if spec.metric_for_best_model == "eval_rewards/margins" and spec.load_best_model_at_end:
        check_margins(rows.validation.rows, spec.per_device_eval_batch_size)
    folder, narrow = Path(worker.inputs["model"]), spec.bf16 and loading.has_fast_bf16()
    model: Any = _load(spec, folder, narrow)
    reads_first = bool(model.config.is_encoder_decoder)
    watch.fast = spec.may_be_fast and trainer.fits_fast_path(model)
    if watch.fast:
        trainer.use_fast_attention(model, narrow)
    datasets = [Dataset.from_list([row._asdict() for row in part.rows]) for part in rows]
    more: dict[str, Any] = {}
    if spec.use_peft and worker.inputs.get("adapter"):
        model = loading.put_on(model, Path(worker.inputs["adapter"]), trainable=True)
    elif spec.use_peft:
        adapter.check_targets(model, spec.target_names())
        more["peft_config"] = adapter_config(spec, reads_first)
    if spec.method != "sft" and not spec.use_peft:
        more["ref_model"] = _load(spec, folder, narrow)
    if watch.fast:
        more["data_collator"] = FastCollator(share=spec.lora_dropout == 0)
    tokenizer = loading.load_tokenizer(folder)
    validates = bool(rows.validation.rows)
    arguments = training_arguments(
        spec,
        worker.path / "checkpoints",
        validates=validates,
        fast=watch.fast,
        bf16=narrow,
        cpu=loading.device().type == "cpu",
        encoder_decoder=reads_first,
    )
    with loading.quiet_peft():
        if reads_first:
            model = _with_adapter_and_collator(spec, model, tokenizer, more)
        made: Watched = _kind(spec, watch.fast, reads_first)(
            model=model,
            args=arguments,
            train_dataset=_in_order(spec, datasets[0]),
            eval_dataset=datasets[1] if validates else None,
            processing_class=tokenizer,
            callbacks=[*_samplers(worker, spec, rows, tokenizer), watch, *_early_stopping(spec, validates)],
            interrupted=worker.raise_if_stopped,
            keeping=keeping,
            **more,
        )
    loading.give_back_memory()
    return made


def _load(spec: RunSpec, folder: Path, narrow: bool) -> PreTrainedModel:
    """On a processor, trained weights and those that the fast path narrows by itself come in 32 bits."""
    frozen_on_gpu = spec.use_peft and loading.device().type == "cuda"
    dtype = torch.bfloat16 if narrow and (frozen_on_gpu or spec.quantised) else torch.float32
    return loading.load_model(folder, dtype, quantization(spec, dtype))


def _with_adapter_and_collator(
    spec: RunSpec, model: Any, tokenizer: PreTrainedTokenizerBase, more: dict[str, Any]
) -> Any:
    """What TRL's trainers do for the models that they know."""
    from ftkit.workers.training.seq2seq.trainer import collator, with_adapter  # noqa: PLC0415 - only for T5 and its kind

    config = more.pop("peft_config", None)
    if config is not None:
        model = with_adapter(model, config, spec.quantised, spec.seed)
    if spec.activation_checkpointing and spec.use_peft:
        model.enable_input_require_grads()
    more["data_collator"] = collator(tokenizer, model)
    return model


def _kind(spec: RunSpec, fast: bool, reads_first: bool) -> Any:
    if reads_first:
        from ftkit.workers.training.seq2seq.trainer import AnswerTrainer  # noqa: PLC0415 - as above

        return AnswerTrainer
    if spec.method == "sft":
        return trainer.FastTrainer if fast else trainer.RunTrainer
    from ftkit.workers.training.preference import trainers  # noqa: PLC0415 - plain fine-tuning does not need it

    return trainers.PairTrainer if spec.method == "dpo" else trainers.MarkedTrainer


def _in_order(spec: RunSpec, rows: Dataset) -> Dataset:
    """KTO takes rows in the order in which they come: mix good and bad ones."""
    return rows.shuffle(seed=spec.seed) if spec.method == "kto" else rows


def _samplers(worker: Worker, spec: RunSpec, rows: Rows, tokenizer: PreTrainedTokenizerBase) -> list[Sampler]:
    """What answers prompts at each validation; nothing where there is none, or where it is switched off."""
    if not (spec.sample_prompts and rows.validation.rows):
        return []
    folder = Path(worker.inputs["model"])
    asked = first_prompts(
        Path(worker.inputs["split"]) / "validation.parquet",
        worker.inputs["mapping"],
        FastTokenizer(folder),
        row_limit(folder, spec.max_length),
        spec.method,
        spec.sample_prompts,
    )
    return [Sampler(worker, tokenizer, asked, spec.sample_max_new_tokens)] if asked else []


def _early_stopping(spec: RunSpec, validates: bool) -> list[EarlyStoppingCallback]:
    if not (spec.early_stopping_patience and validates):
        return []
    return [EarlyStoppingCallback(early_stopping_patience=spec.early_stopping_patience)]
