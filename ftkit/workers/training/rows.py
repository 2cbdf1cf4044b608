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
from tokenizers.decoders import DecodeStream

from ftkit.data.chat import RowProblem, TrainingRow, training_row
from ftkit.data.phrases import phrase
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

    def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        add_generation_prompt: bool = False,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> list[int]:
        """Ids of a conversation; the template writes all special tokens itself."""
        text = self._template.render(messages, add_generation_prompt, tools)
        return self._ids(text, add_special_tokens=False)

    def disarms(self, row: TrainingRow) -> bool:
        """Whether a conversation holds control tokens in its text, which are broken up; plain texts stand as they are."""
        sides = (row.get("prompt", []), row.get("completion", []))
        return any(self._template.disarms(side) for side in sides if not isinstance(side, str) and side)

    def text(self, text: str) -> list[int]:
        """Ids of a plain text, with the special tokens that the tokenizer puts around one."""
        return self._ids(text, add_special_tokens=True)

    def _ids(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Without the places of the tokens in the text, which nobody asks for and which cost a fifth of the time."""
        (made,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=add_special_tokens)
        ids: list[int] = made.ids
        return ids

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The text of each token; of tokens that make one character together, the last one has it."""
        stream = DecodeStream(skip_special_tokens=False)
        return [stream.step(self._tokenizer, id_) or "" for id_ in ids]


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

    ``left_out`` rows are longer than the limit, ``empty`` rows have nothing to learn or do not fit the mapping: ``reasons``
    has the first of them, counted from 1. ``disarmed`` ones are among ``rows``: control tokens in their text were broken up.
    """

    rows: list[TokenRow]
    longest: int
    left_out: int
    empty: int
    disarmed: int
    reasons: tuple[tuple[int, str], ...]

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
    longest = left_out = empty = disarmed = 0
    reasons: list[tuple[int, str]] = []
    for number, values in enumerate(iterate_rows(file), start=1):
        try:
            trained = training_row(values, mapping)
            row = tokenise(trained, tokenizer, completion_only)
        except (RowProblem, TemplateRefusal) as problem:
            empty += 1
            reasons.append((number, str(problem)))
            continue
        longest = max(longest, len(row.input_ids))
        if len(row.input_ids) > max_length:
            left_out += 1
        elif row.trained == 0:
            empty += 1
            reasons.append((number, phrase("no_token")))
        else:
            rows.append(row)
            disarmed += tokenizer.disarms(trained)
    return Prepared(rows, longest, left_out, empty, disarmed, tuple(reasons[:_REASONS_KEPT]))


def tokenise(row: TrainingRow, tokenizer: FastTokenizer, completion_only: bool = True) -> TokenRow:
    """One row as TRL tokenises it: a text gets an end token, a conversation is what its template writes."""
    if "text" in row:
        text = row["text"]
        ids = tokenizer.text(text if text.endswith(tokenizer.end) else text + tokenizer.end)
        return TokenRow(ids, list(ids))
    prompt, ids = _asked_and_whole(row, tokenizer)
    # A template may write an open prompt differently from one with an answer: the answer starts where they part.
    pairs = zip(prompt, ids, strict=False)
    known = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) if completion_only else 0
    return TokenRow(ids, [IGNORED] * known + ids[known:])


def prompt_ids(row: TrainingRow, tokenizer: FastTokenizer) -> list[int]:
    """What a model is given to answer: a conversation open for the answer, or a plain text as it stands."""
    prompt = row["prompt"]
    if isinstance(prompt, str):
        return tokenizer.text(prompt)
    return tokenizer.chat(prompt, add_generation_prompt=True, tools=row.get("tools", []))


def _asked_and_whole(row: TrainingRow, tokenizer: FastTokenizer) -> tuple[list[int], list[int]]:
    asked, prompt, completion = prompt_ids(row, tokenizer), row["prompt"], row["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        end = "" if completion.endswith(tokenizer.end) else tokenizer.end
        return asked, tokenizer.text(prompt + completion + end)
    return asked, tokenizer.chat([*prompt, *completion], tools=row.get("tools", []))


def row_limit(model: Path, max_length: int) -> int:
    """The longest row that the model takes: positions end at its context length."""
    context = json.loads((model / "config.json").read_bytes()).get("max_position_embeddings")
    return min(max_length, context) if isinstance(context, int) else max_length
