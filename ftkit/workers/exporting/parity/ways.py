"""Ways to ask a model the parity prompts: as the trainer's and the compare page's code do it, and as transformers does it elsewhere.

Takes loaded models, gives what was heard. All prompts are asked greedily and in one batch, as padding changes nothing but the last
bits of a number. It judges nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase, StoppingCriteria, StoppingCriteriaList

from ftkit.export.parity import Heard, Rounding
from ftkit.workers import loading
from ftkit.workers.answers.models import Loaded, Side
from ftkit.workers.answers.streaming import Limits, answer_rows
from ftkit.workers.exporting.job import ExportJob
from ftkit.workers.exporting.parity.prompts import LONGEST_ANSWER, Prompt, prompts_of
from ftkit.workers.generation import decode, end_tokens, greedy, left_padded, right_padded
from ftkit.workers.harness import Worker


def by_transformers(
    job: ExportJob,
    way: str,
    model: Any,
    words: Path | PreTrainedTokenizerBase,
    rounding: Rounding = "fp32",
) -> Heard:
    """A model as transformers has it.

    Args:
        job: for the prompts, and for stops between them.
        way: its name in the table.
        model: loaded.
        words: its tokenizer, or the folder with it.
        rounding: of its weights.
    """
    tokenizer = (
        AutoTokenizer.from_pretrained(words, local_files_only=True) if isinstance(words, Path) else words
    )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    asked = prompts_of(job)
    ids = [token_ids(tokenizer, prompt) for prompt in asked]
    return _heard(job, way, model, tokenizer, ids)._replace(rounding=rounding)


def by_trainer(job: ExportJob, model: Any) -> Heard:
    """The trained model with the token ids that training made: what all other ways are measured by."""
    tokenizer = loading.load_tokenizer(job.model)
    return _heard(job, "trainer", model, tokenizer, [prompt.ids for prompt in prompts_of(job)])


def by_compare_page(job: ExportJob) -> Heard:
    """The way of the resident generator: its loader, its tokenizer, its number format, its streaming."""
    side = Side("tuned", job.model, job.tuned)
    loaded = Loaded(side.weights, side.model)
    prompts = [
        loaded.encode.chat(prompt.messages, add_generation_prompt=True) if prompt.messages else prompt.ids
        for prompt in prompts_of(job)
    ]

    def go_on(_: object) -> bool:
        job.worker.advance()
        return not job.worker.stop_asked()

    with loaded.as_sides([side]) as adapters:
        said = answer_rows(loaded.model, loaded.tokenizer, prompts, Limits(LONGEST_ANSWER), go_on, adapters)
    job.worker.raise_if_stopped()
    texts = [one.text for one in said]
    rounding: Rounding = "bf16" if loading.answer_dtype() == torch.bfloat16 else "fp32"
    return Heard("compare", prompts, texts, rounding=rounding)


def token_ids(tokenizer: PreTrainedTokenizerBase, prompt: Prompt) -> list[int]:
    """A prompt as somebody else makes tokens of it, who has only the exported files."""
    if prompt.messages:
        made: Any = tokenizer.apply_chat_template(
            prompt.messages, tokenize=True, add_generation_prompt=True, return_dict=False
        )
        return [int(token) for token in made]
    return [int(token) for token in tokenizer(prompt.text)["input_ids"]]


def _heard(
    job: ExportJob, way: str, model: Any, tokenizer: PreTrainedTokenizerBase, ids: Sequence[list[int]]
) -> Heard:
    ends = end_tokens(model, tokenizer)
    reads_first = model.config.is_encoder_decoder
    padded = (right_padded if reads_first else left_padded)(ids, tokenizer, model.device)
    made = model.generate(
        **padded,
        generation_config=greedy(model, ends, tokenizer, LONGEST_ANSWER),
        stopping_criteria=StoppingCriteriaList([_WhenAsked(job.worker)]),
    )
    job.worker.raise_if_stopped()
    start = 1 if reads_first else padded["input_ids"].shape[1]
    answers = [_until_end(row[start:], ends) for row in made.tolist()]
    return Heard(way, ids, [decode(answer, tokenizer) for answer in answers], answers)


def _until_end(tokens: list[int], ends: Sequence[int]) -> list[int]:
    return tokens[: next((place for place, token in enumerate(tokens) if token in ends), len(tokens))]


class _WhenAsked(StoppingCriteria):
    """Ends the answers when the export is to stop."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """One flag per row."""
        self._worker.advance()
        return torch.full(
            (input_ids.shape[0],), self._worker.stop_asked(), dtype=torch.bool, device=input_ids.device
        )
