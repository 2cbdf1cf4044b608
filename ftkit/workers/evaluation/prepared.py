"""Rows of a part in tokens, as a model is measured on them: what is scored, what is asked, and what is left out and why.

Takes rows and a tokenizer, gives prepared rows. It imports no torch and asks no model.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from ftkit.data.chat import Message, RowProblem, TrainingRow, answer_text, training_row, turns
from ftkit.models.chat_template import TemplateRefusal
from ftkit.workers.training.rows import IGNORED, FastTokenizer, SourceRow, prompt_ids, tokenise

_LEAST_NEW_TOKENS, _MOST_NEW_TOKENS = 32, 512
_ROOM_FOR_MORE = 1.5  # an answer may be longer than the longest reference by this factor


class Prepared(NamedTuple):
    """One row in tokens: ``ids[start:]`` is scored; ``row`` is its place in the part. A plain text is never asked.

    Of an encoder-decoder model ``ids`` is the answer alone, and ``source`` what the encoder reads.
    """

    row: int
    ids: list[int]
    start: int
    asked: list[int]
    prompt: list[Message]
    reference: str
    source: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Tokens that the model reads."""
        return len(self.source) + len(self.ids)


def prepare_rows(
    values: list[dict[str, Any]], mapping: Mapping[str, str], encode: FastTokenizer, context: int
) -> tuple[list[Prepared], Counter[str]]:
    """Rows in tokens, and how many were left out for which reason."""
    prepared, left_out = [], Counter[str]()
    for number, value in enumerate(values):
        try:
            row = prepare_row(number, training_row(value, mapping), encode)
        except (RowProblem, TemplateRefusal) as problem:
            left_out[str(problem)] += 1
            continue
        if max(len(row.ids), len(row.source)) > context:
            left_out[f"longer than the {context} tokens that the model can read"] += 1
        elif row.start >= len(row.ids):
            left_out["it has no token to score"] += 1
        else:
            prepared.append(row)
    return prepared, left_out


def prepare_row(number: int, row: TrainingRow, encode: FastTokenizer) -> Prepared:
    """One row in tokens; what training would learn is scored, except a first token, which nothing predicts."""
    tokens = tokenise(row, encode)
    if isinstance(tokens, SourceRow):
        asked = tokens.input_ids
        prompt, reference = _texts(row)
        return Prepared(number, tokens.labels, 0, asked, prompt, reference, tuple(asked))
    start = max(1, sum(label == IGNORED for label in tokens.labels))
    if "text" in row:
        return Prepared(number, tokens.input_ids, start, [], [], row["text"])
    return Prepared(number, tokens.input_ids, start, prompt_ids(row, encode), *_texts(row))


def _texts(row: TrainingRow) -> tuple[list[Message], str]:
    """The turns of the prompt, and the answer."""
    return turns(row["prompt"], "user"), answer_text(turns(row["completion"], "assistant")[0])


def default_limit(rows: list[Prepared]) -> int:
    """Longest answer in tokens: half as long again as the longest reference, within 32 and 512."""
    longest = max((len(row.ids) - row.start for row in rows), default=0)
    return min(_MOST_NEW_TOKENS, max(_LEAST_NEW_TOKENS, math.ceil(_ROOM_FOR_MORE * longest)))
