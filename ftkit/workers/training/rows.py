"""Rows as token ids and labels: what the run card counts and what the trainer trains on, by the same code.

Takes a part of a split, gives token rows and counts of what was left out and why. It imports neither torch nor
transformers, so that counting starts at once; the pull worker checked that ids are those of the model's own tokenizer.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from ftkit.data.chat import RowProblem, TrainingRow, training_row
from ftkit.data.storage import iterate_rows
from ftkit.models.chat_template import ChatTemplate, TemplateRefusal, read_chat_template, special_tokens

# Label of a token that the loss does not count; PyTorch's own number.
IGNORED = -100
_REASONS_KEPT = 10


class FastTokenizer:
    """The tokenizer of a model's folder with its chat template."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.end = special_tokens(folder).get("eos_token", "")

    @cached_property
    def _template(self) -> ChatTemplate:
        return read_chat_template(self._folder)

    def chat(self, messages: Sequence[Mapping[str, Any]], add_generation_prompt: bool = False) -> list[int]:
        """Ids of a conversation; the template writes all special tokens itself."""
        text = self._template.render(messages, add_generation_prompt)
        return self._ids(text, add_special_tokens=False)

    def text(self, text: str) -> list[int]:
        """Ids of a plain text, with the special tokens that the tokenizer puts around one."""
        return self._ids(text, add_special_tokens=True)

    def _ids(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Without the places of the tokens in the text, which nobody asks for and which cost a fifth of the time."""
        (made,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=add_special_tokens)
        ids: list[int] = made.ids
        return ids


class TokenRow(NamedTuple):
    """One training row; labels are the ids, or ``IGNORED`` where nothing is learned."""

    input_ids: list[int]
    labels: list[int]

    @property
    def trained(self) -> int:
        """Tokens that the loss counts; the first one is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])


class Prepared(NamedTuple):
    """A part of a split, ready to train on.

    ``left_out`` rows are longer than the limit, ``empty`` rows have nothing to learn or do not fit the mapping.
    """

    rows: list[TokenRow]
    longest: int
    left_out: int
    empty: int
    reasons: tuple[str, ...]

    @property
    def tokens(self) -> int:
        """Real tokens of all rows."""
        return sum(len(row.input_ids) for row in self.rows)

    @property
    def trained_tokens(self) -> int:
        """Tokens that the loss counts."""
        return sum(row.trained for row in self.rows)


def prepare(
    file: Path,
    mapping: Mapping[str, str],
    tokenizer: FastTokenizer,
    max_length: int,
    completion_only: bool = True,
) -> Prepared:
    """Tokenise a part of a split and leave out what cannot be trained on.

    Args:
        file: ``train.parquet`` or another part.
        mapping: role → column.
        tokenizer: of the model that will be trained.
        max_length: longer rows are left out, whole; none is cut.
        completion_only: only the answer is learned; plain texts are learned whole in any case.

    Raises:
        BadInput: the model has no chat template and the rows are conversations.
    """
    rows: list[TokenRow] = []
    longest = left_out = empty = 0
    reasons: list[str] = []
    for number, values in enumerate(iterate_rows(file), start=1):
        try:
            row = tokenise(training_row(values, mapping), tokenizer, completion_only)
        except (RowProblem, TemplateRefusal) as problem:
            empty += 1
            reasons.append(f"row {number}: {problem}")
            continue
        longest = max(longest, len(row.input_ids))
        if len(row.input_ids) > max_length:
            left_out += 1
        elif row.trained == 0:
            empty += 1
            reasons.append(f"row {number}: it has no token to learn")
        else:
            rows.append(row)
    return Prepared(rows, longest, left_out, empty, tuple(reasons[:_REASONS_KEPT]))


def tokenise(row: TrainingRow, tokenizer: FastTokenizer, completion_only: bool = True) -> TokenRow:
    """One row as TRL tokenises it: a text gets an end token, a conversation is what its template writes."""
    if "text" in row:
        text = row["text"]
        ids = tokenizer.text(text if text.endswith(tokenizer.end) else text + tokenizer.end)
        return TokenRow(ids, list(ids))
    prompt = tokenizer.chat(row["prompt"], add_generation_prompt=True)
    ids = tokenizer.chat([*row["prompt"], *row["completion"]])
    # A template may write an open prompt differently from one with an answer: the answer starts where they part.
    pairs = zip(prompt, ids, strict=False)
    known = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) if completion_only else 0
    return TokenRow(ids, [IGNORED] * known + ids[known:])


def row_limit(model: Path, max_length: int) -> int:
    """The longest row that the model takes: positions end at its context length."""
    context = json.loads((model / "config.json").read_bytes()).get("max_position_embeddings")
    return min(max_length, context) if isinstance(context, int) else max_length
