"""What every way to a model is asked: rows that the run has not learned from where there are some, and a few fixed questions.

Takes the run's split, gives conversations or plain texts with their token ids as training makes them. It asks no model.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from transformers import AutoConfig

from ftkit.data.chat import RowProblem, training_row, turns
from ftkit.data.storage import iterate_rows
from ftkit.errors import BadInput
from ftkit.workers.exporting.job import ExportJob
from ftkit.workers.generation import context_of
from ftkit.workers.training.rows import FastTokenizer

LONGEST_ANSWER = 20  # tokens: a wrong merge or template shows in the first few
_ROWS = 3
_LOOKED_AT = 50
_LONGEST_PROMPT = 600  # tokens
_SAID: tuple[list[dict[str, str]], ...] = (
    [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}],
    [{"role": "user", "content": "Türkiye'nin başkenti neresidir? Şimdi kısaca yanıtla."}],
    [
        {"role": "user", "content": "Name a colour."},
        {"role": "assistant", "content": "Blue."},
        {"role": "user", "content": "And another one?\n\n1 + 1 = 2; 10 % of 3,000 is 300."},
    ],
)
_TEXTS = ("The capital of France is", "Türkiye'nin başkenti", "1 + 1 = 2; 10 % of 3,000 is")


class Prompt(NamedTuple):
    """One prompt: a conversation, or a plain text where ``messages`` is empty; ``ids`` as training makes them."""

    messages: list[dict[str, Any]]
    text: str
    ids: list[int]


def prompts_of(job: ExportJob) -> list[Prompt]:
    """At least one prompt."""
    encode = FastTokenizer(job.model)
    config = AutoConfig.from_pretrained(job.model, local_files_only=True, trust_remote_code=False)
    most = min(_LONGEST_PROMPT, context_of(config) - LONGEST_ANSWER)
    fits = (one for one in _own(job, encode) if 0 < len(one.ids) <= most)
    fixed = (one for one in _fixed(job, encode) if 0 < len(one.ids) <= most)
    return [*islice(fits, _ROWS), *fixed]


def _own(job: ExportJob, encode: FastTokenizer) -> Iterator[Prompt]:
    """Questions of the run's rows: of the test part before others."""
    for part in ("test", "validation", "train"):
        file = job.split / f"{part}.parquet" if job.split is not None else None
        if file is None or not file.exists():
            continue
        for value in islice(iterate_rows(file), _LOOKED_AT):
            try:
                row = training_row(value, job.mapping)
                if "text" not in row and row["prompt"]:
                    yield _asked(encode, [dict(turn) for turn in turns(row["prompt"], "user")])
            except (RowProblem, BadInput):
                continue


def _fixed(job: ExportJob, encode: FastTokenizer) -> Iterator[Prompt]:
    """Fixed questions; plain texts for a model that has no chat template."""
    refused = 0
    for said in _SAID:
        try:
            yield _asked(encode, said)
        except BadInput:
            refused += 1
    if refused == len(_SAID):
        for text in _TEXTS:
            yield Prompt([], text, encode.text(text))


def _asked(encode: FastTokenizer, messages: list[dict[str, Any]]) -> Prompt:
    text = encode.chat_text(messages, add_generation_prompt=True)
    # An encoder-decoder model reads the conversation as plain text: its tokenizer has no template to make it of.
    kept = [] if encode.encoder_decoder else messages
    return Prompt(kept, text, encode.chat(messages, add_generation_prompt=True))
