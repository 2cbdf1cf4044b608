"""The parity test of an export: the trained model's own answers beside those of all ways to it.

Takes a job and what was heard of the exported files, gives the table. It builds nothing.
"""

from collections.abc import Sequence
from typing import Any

import torch

from ftkit.errors import WorkerFault
from ftkit.workers.exporting.job import ExportJob
from ftkit.workers.exporting.parity.prompts import Prompt, prompts_of
from ftkit.workers.exporting.parity.table import Gap, Heard, row_of
from ftkit.workers.exporting.parity.ways import by_compare_page, by_trainer
from ftkit.workers.exporting.weights import tuned_model
from ftkit.workers.generation import decode
from ftkit.workers.loading import give_back_memory, load_tokenizer


def parity(job: ExportJob, exported: Sequence[Heard]) -> dict[str, Any]:
    """The table, the trained model's row first.

    Raises:
        WorkerFault: an exported file makes other tokens of a prompt, or answers otherwise than rounding can explain.
    """
    model = tuned_model(job)
    trained = by_trainer(job, model)
    judge = _Judge(job, model, trained)
    table = [row_of(trained, trained, judge.gap, judge.spell)]
    table += [row_of(heard, trained, judge.gap, judge.spell) for heard in exported]
    for row in table[1:]:
        _check(row, prompts_of(job))
    del judge, model
    give_back_memory()
    compared = by_compare_page(job)
    table.insert(1, _compared(job, compared, trained))
    prompts = [
        {"messages": prompt.messages, "text": prompt.text, "tokens": len(prompt.ids), "answer": text}
        for prompt, text in zip(prompts_of(job), trained.texts, strict=True)
    ]
    return {"rows": table, "prompts": prompts}


def _compared(job: ExportJob, compared: Heard, trained: Heard) -> dict[str, Any]:
    if compared.texts == trained.texts:  # as a rule: the model need not be loaded once more

        def unasked(*_: Any) -> Any:
            raise AssertionError

        return row_of(compared, trained, unasked, unasked)
    judge = _Judge(job, tuned_model(job), trained)
    return row_of(compared, trained, judge.gap, judge.spell)


class _Judge:
    """The trained model, asked how sure it was."""

    def __init__(self, job: ExportJob, model: Any, trained: Heard) -> None:
        self._model, self._trained = model, trained
        self._tokenizer = load_tokenizer(job.model)
        self._end = self._tokenizer.eos_token_id

    def spell(self, number: int, tokens: int) -> str:
        """So much of its answer as text."""
        return decode(self._answer(number)[:tokens], self._tokenizer)

    def gap(self, number: int, place: int, other: int | None) -> Gap:
        """How far its own token was ahead of another one, or of the next likely one where only the text of that is known."""
        answer = self._answer(number)
        logits = self._logits(number, answer[:place])
        chosen = int(logits.argmax())
        rivals = logits.clone()
        rivals[chosen] = -torch.inf
        against = int(rivals.argmax()) if other is None or other == chosen else other
        ahead = float(logits[chosen] - logits[against])
        scale = max(float(logits[chosen] - logits.mean()), 1e-6)
        return Gap(ahead / scale, self._spelled(chosen), "" if other is None else self._spelled(other))

    def _answer(self, number: int) -> list[int]:
        assert self._trained.answers is not None  # noqa: S101 - it was asked for tokens
        return self._trained.answers[number]

    def _spelled(self, token: int) -> str:
        return str(self._tokenizer.decode([token]))

    @torch.no_grad()
    def _logits(self, number: int, so_far: list[int]) -> torch.Tensor:
        assert self._trained.prompts is not None  # noqa: S101 - as above
        prompt, device = self._trained.prompts[number], self._model.device
        if self._model.config.is_encoder_decoder:
            given = {
                "input_ids": torch.tensor([prompt], device=device),
                "decoder_input_ids": torch.tensor(
                    [[self._model.config.decoder_start_token_id, *so_far]], device=device
                ),
            }
        else:
            given = {"input_ids": torch.tensor([[*prompt, *so_far]], device=device)}
        made: torch.Tensor = self._model(**given).logits[0, -1].float()
        return made


def _check(row: dict[str, Any], prompts: Sequence[Prompt]) -> None:
    if row["note"] == "tokens":
        raise WorkerFault(
            "export.other_tokens",
            "The exported files make other tokens of the same prompt than training did ({way}): the model would read "
            "something else. Nothing was kept. Choose another target, or report this with the model's name.",
            way=row["way"],
        )
    if row["note"] == "differs":
        first = row["first_difference"]
        raise WorkerFault(
            "export.other_answers",
            "The exported model answers otherwise than the trained one, and rounding does not explain it ({way}, prompt "
            "{prompt}: “{got}” instead of “{expected}”). Nothing was kept. Choose a finer precision, or another target.",
            way=row["way"],
            prompt=first["prompt"] + 1,
            got=first["got"],
            expected=first["expected"],
        )
