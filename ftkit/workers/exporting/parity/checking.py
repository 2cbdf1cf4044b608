"""The parity test of an export: the trained model's own answers beside those of all ways to it.

Takes a job and what was heard of the exported files, gives the table. It builds nothing.
"""

from collections.abc import Sequence
from typing import Any

import torch

from ftkit.errors import WorkerFault
from ftkit.export.parity import Gap, Heard, row_of
from ftkit.workers.exporting.job import ExportJob
from ftkit.workers.exporting.parity.prompts import prompts_of
from ftkit.workers.exporting.parity.ways import by_compare_page, by_trainer
from ftkit.workers.exporting.weights import tuned_model
from ftkit.workers.generation import decode
from ftkit.workers.loading import give_back_memory, load_tokenizer

_HALF_A_CHARACTER = "\ufffd"


def parity(job: ExportJob, exported: Sequence[Heard]) -> dict[str, Any]:
    """The table, the trained model's row first; and the prompts with what it said, for ways that are asked later.

    Raises:
        WorkerFault: an exported file makes other tokens of a prompt, or answers otherwise than rounding can explain.
    """
    model = tuned_model(job)
    trained = by_trainer(job, model)
    judge = Judge(job, model, trained)
    del model
    give_back_memory()
    table = [row_of(heard, trained, judge.gap, judge.spell) for heard in (trained, by_compare_page(job))]
    for heard in exported:
        row = row_of(heard, trained, judge.gap, judge.spell)
        check(row)
        table.append(row)
    prompts = [
        {
            "messages": prompt.messages,
            "text": prompt.text,
            "tokens": len(prompt.ids),
            "answer": text,
            **judge.said(number),
        }
        for number, (prompt, text) in enumerate(zip(prompts_of(job), trained.texts, strict=True))
    ]
    return {"rows": table, "prompts": prompts}


class Judge:
    """How sure the trained model was of each token of its answers."""

    def __init__(self, job: ExportJob, model: Any, trained: Heard) -> None:
        """Ask it; it is not needed afterwards.

        Args:
            job: whose prompts.
            model: the trained model.
            trained: what it said.
        """
        assert trained.prompts is not None, "its own tokens are known"  # noqa: S101
        assert trained.answers is not None, "as above"  # noqa: S101
        self._answers = trained.answers
        self._tokenizer = load_tokenizer(job.model)
        self._logits = [
            _logits(model, prompt, answer)
            for prompt, answer in zip(trained.prompts, trained.answers, strict=True)
        ]

    def spell(self, number: int, tokens: int) -> str:
        """So much of its answer as text, without the first half of a character."""
        return decode(list(self._answers[number][:tokens]), self._tokenizer).rstrip(_HALF_A_CHARACTER)

    def gap(self, number: int, place: int, other: int | None) -> Gap:
        """How far its own token was ahead of another one, or of the next likely one where only the text of that is known."""
        logits = self._logits[number][place]
        first, second = (int(token) for token in logits.topk(2).indices)
        against = second if other is None or other == first else other
        ahead = float(logits[first] - logits[against])
        scale = max(float(logits[first] - logits.mean()), 1e-6)
        return Gap(ahead / scale, self._word(first), "" if other is None else self._word(other))

    def said(self, number: int) -> dict[str, Any]:
        """Its answer token by token, with how far each was ahead of the next likely one."""
        length = len(self._answers[number])
        spelled = [self.spell(number, tokens) for tokens in range(length + 1)]
        tokens = [
            {"text": spelled[place + 1][len(spelled[place]) :], "ahead": round(self._ahead(number, place), 6)}
            for place in range(length)
        ]
        return {"said": tokens, "ahead_end": round(self._ahead(number, length), 6)}

    def _ahead(self, number: int, place: int) -> float:
        return self.gap(number, place, None).share

    def _word(self, token: int) -> str:
        return str(self._tokenizer.decode([token]))


@torch.no_grad()
def _logits(model: Any, prompt: list[int], answer: list[int]) -> torch.Tensor:
    """What the model thought at each place of its answer, and behind it: (tokens + 1) × vocabulary."""
    if model.config.is_encoder_decoder:
        start = model.config.decoder_start_token_id
        given = {"input_ids": [prompt], "decoder_input_ids": [[start, *answer]]}
    else:
        given = {"input_ids": [[*prompt, *answer]]}
    tensors = {name: torch.tensor(ids, device=model.device) for name, ids in given.items()}
    made: torch.Tensor = model(**tensors).logits[0, -len(answer) - 1 :]
    return made.float().cpu()


def check(row: dict[str, Any]) -> None:
    """Nothing where a way gives what the trained model gives.

    Raises:
        WorkerFault: it does not.
    """
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
