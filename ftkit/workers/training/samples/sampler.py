"""Answers the same few prompts before the first step and at each validation, and writes them to ``samples.jsonl``.

A callback of the trainer; takes its events and its model as it is at that moment. It leaves the model, its way of computing
attention and all random states as they were, so that training goes on as if nothing had been asked.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import (
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from ftkit.failpoints import reach
from ftkit.jobs.folder import append_lines
from ftkit.workers.generation import Answer, answer_all
from ftkit.workers.harness import Worker
from ftkit.workers.training.fast import attention
from ftkit.workers.training.samples.prompts import Asked


class Sampler(TrainerCallback):
    """Answers prompts while a run goes on. Put it before callbacks that take the time.

    Args:
        worker: to write through.
        tokenizer: of the model.
        asked: the prompts.
        max_new_tokens: longest answer.
    """

    def __init__(
        self, worker: Worker, tokenizer: PreTrainedTokenizerBase, asked: Sequence[Asked], max_new_tokens: int
    ) -> None:
        self._worker = worker
        self._tokenizer = tokenizer
        self._asked = asked
        self._limit = max_new_tokens

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        """Answer as the model did before it learned anything.

        Raises:
            Stopped: a stop was asked for; nothing is trained yet.
        """
        if state.global_step == 0:
            self._answer(more["model"], args, state)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        """Answer as the model does now.

        Raises:
            Stopped: a stop was asked for; the answers are dropped, and a resumed run begins with them.
        """
        self._answer(more["model"], args, state)

    def _answer(self, model: Any, args: TrainingArguments, state: TrainerState) -> None:
        self._worker.progress("generating", state.global_step, state.max_steps)
        with _answering(model, bf16=args.bf16):
            answers = dict(
                answer_all(
                    model,
                    self._tokenizer,
                    [one.ids for one in self._asked],
                    self._limit,
                    lambda _rows: None,
                    self._worker.stop_asked,
                )
            )
        self._worker.raise_if_stopped()
        lines = [_line(state.global_step, self._asked[place], answers[place]) for place in sorted(answers)]
        reach("samples.append")
        append_lines(self._worker.folder.samples, lines)


@contextmanager
def _answering(model: Any, *, bf16: bool) -> Iterator[None]:
    """The model ready to answer, and afterwards as it was; the numbers are those of training."""
    whole = model.get_base_model() if hasattr(model, "get_base_model") else model
    rows_only = whole.config._attn_implementation == attention.NAME  # knows training batches only
    was_training = model.training
    device = whole.device
    model.eval()
    if rows_only:
        whole.set_attn_implementation("sdpa")
    try:
        with (
            torch.random.fork_rng([device] if device.type == "cuda" else []),
            torch.autocast(device.type, torch.bfloat16, enabled=bf16),
        ):
            yield
    finally:
        if rows_only:
            whole.set_attn_implementation(attention.NAME)
        model.train(was_training)


def _line(step: int, asked: Asked, answer: Answer) -> dict[str, Any]:
    shown = asked._asdict()
    del shown["ids"]
    return {"step": step, **shown, "answer": answer.text, "cut": answer.cut}
