"""A row as token ids and labels: what the run card counts and what the trainer trains on, by the same code.

Takes a training row, gives a token row. It imports neither torch nor transformers, so that counting starts at once; the
pull worker checked that ids are those of the model's own tokenizer.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from ftkit.data.chat import RowProblem, TrainingRow
from ftkit.models.chat_template import ChatTemplate, read_chat_template, special_tokens
from ftkit.models.kinds import is_encoder_decoder

# Label of a token that the loss does not count; PyTorch's own number.
IGNORED = -100


class FastTokenizer:
    """The tokenizer of a model's folder with its chat template."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        named = special_tokens(folder)
        self.end = named.get("eos_token", "")
        self._unknown = self._tokenizer.token_to_id(named.get("unk_token", ""))
        self._is_unknown: dict[str, bool] = {}
        self.encoder_decoder = is_encoder_decoder(folder)

    @cached_property
    def _template(self) -> ChatTemplate:
        return read_chat_template(self._folder)

    def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        add_generation_prompt: bool = False,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> list[int]:
        """Ids of a conversation; the template writes all special tokens itself, except in the text that an encoder reads."""
        text = self.chat_text(messages, add_generation_prompt, tools)
        return self._ids(text, add_special_tokens=self.encoder_decoder)

    def chat_text(
        self,
        messages: Sequence[Mapping[str, Any]],
        add_generation_prompt: bool = False,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """A conversation as the template writes it."""
        return self._template.render(messages, add_generation_prompt, tools)

    def disarms(self, row: TrainingRow) -> bool:
        """Whether a conversation holds control tokens in its text, which are broken up; plain texts stand as they are."""
        sides = (row.get("prompt", []), row.get("completion", []))
        return any(self._template.disarms(side) for side in sides if not isinstance(side, str) and side)

    def unknown_signs(self, row: TrainingRow) -> set[str]:
        """Signs in a row that no token stands for, so that the model sees one and the same token for all of them."""
        if self._unknown is None:
            return set()
        found: set[str] = set()
        for side in (row.get("text", ""), row.get("prompt", ""), row.get("completion", "")):
            for text in [side] if isinstance(side, str) else [turn["content"] for turn in side]:
                found.update(text)
        for sign in found - self._is_unknown.keys():
            self._is_unknown[sign] = self._unknown in self._ids(sign, add_special_tokens=False)
        return {sign for sign in found if self._is_unknown[sign]}

    def text(self, text: str) -> list[int]:
        """Ids of a plain text, with the special tokens that the tokenizer puts around one."""
        return self._ids(text, add_special_tokens=True)

    def _ids(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Without the places of the tokens in the text, which nobody asks for and which cost a fifth of the time."""
        (made,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=add_special_tokens)
        ids: list[int] = made.ids
        return ids

    def ended(self, ids: list[int]) -> list[int]:
        """Ids with the end token behind them, once."""
        end = self._tokenizer.token_to_id(self.end)
        return ids if end is None or ids[-1:] == [end] else [*ids, end]

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The text of each token; of tokens that make one character together, the last one has it."""
        stream = DecodeStream(skip_special_tokens=False)
        return [stream.step(self._tokenizer, id_) or "" for id_ in ids]


class TokenRow(NamedTuple):
    """One training row; labels are the ids, or ``IGNORED`` where nothing is learned."""

    input_ids: list[int]
    labels: list[int]

    @property
    def longest(self) -> int:
        """Tokens that the model reads at once."""
        return len(self.input_ids)

    @property
    def size(self) -> int:
        """Tokens that the model reads for this row in all."""
        return len(self.input_ids)

    @property
    def trained(self) -> int:
        """Tokens that the loss counts; the first one is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])


class SourceRow(NamedTuple):
    """One training row of an encoder-decoder model: the encoder reads ``input_ids``, the decoder learns all ``labels``."""

    input_ids: list[int]
    labels: list[int]

    @property
    def longest(self) -> int:
        """Tokens that the encoder or the decoder has at once, whichever are more."""
        return max(len(self.input_ids), len(self.labels))

    @property
    def size(self) -> int:
        """Tokens that the model reads for this row in all."""
        return len(self.input_ids) + len(self.labels)

    @property
    def trained(self) -> int:
        """Tokens that the loss counts."""
        return len(self.labels)


def tokenise(
    row: TrainingRow, tokenizer: FastTokenizer, completion_only: bool = True
) -> TokenRow | SourceRow:
    """One row as TRL tokenises it: a text gets an end token, a conversation is what its template writes.

    Raises:
        RowProblem: an encoder-decoder model needs a question and an answer, and this is one text.
    """
    if tokenizer.encoder_decoder:
        return _source_row(row, tokenizer)
    if "text" in row:
        text = row["text"]
        ids = tokenizer.text(text if text.endswith(tokenizer.end) else text + tokenizer.end)
        return TokenRow(ids, list(ids))
    prompt, ids = asked_and_whole(row, tokenizer)
    known = common_beginning(prompt, ids) if completion_only else 0
    return TokenRow(ids, [IGNORED] * known + ids[known:])


def _source_row(row: TrainingRow, tokenizer: FastTokenizer) -> SourceRow:
    """The question for the encoder, the answer and an end token for the decoder."""
    if "text" in row:
        raise RowProblem("text_for_encoder")
    asked, answer = prompt_ids(row, tokenizer), row["completion"]
    answered = tokenizer.text(answer) if isinstance(answer, str) else tokenizer.chat(answer)
    return SourceRow(asked, tokenizer.ended(answered))


def prompt_ids(row: TrainingRow, tokenizer: FastTokenizer) -> list[int]:
    """What a model is given to answer: a conversation open for the answer, or a plain text as it stands."""
    prompt = row["prompt"]
    if isinstance(prompt, str):
        return tokenizer.text(prompt)
    return tokenizer.chat(prompt, add_generation_prompt=True, tools=row.get("tools", []))


def common_beginning(prompt: Sequence[int], whole: Sequence[int]) -> int:
    """Where the answer starts: a template may write an open prompt differently from one with an answer."""
    pairs = zip(prompt, whole, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def asked_and_whole(row: TrainingRow, tokenizer: FastTokenizer) -> tuple[list[int], list[int]]:
    """Ids of the prompt, open for the answer, and of prompt and answer together."""
    asked, prompt, completion = prompt_ids(row, tokenizer), row["prompt"], row["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        end = "" if completion.endswith(tokenizer.end) else tokenizer.end
        return asked, tokenizer.text(prompt + completion + end)
    return asked, tokenizer.chat([*prompt, *completion], tools=row.get("tools", []))


def row_limit(model: Path, max_length: int) -> int:
    """The longest row that the model takes: positions end at its context length, which GPT-2 calls ``n_positions``."""
    config = json.loads((model / "config.json").read_bytes())
    context = config.get("max_position_embeddings", config.get("n_positions"))
    # T5 counts distances, not places: its ``n_positions`` is no limit.
    counted = isinstance(context, int) and not config.get("is_encoder_decoder")
    return min(max_length, context) if counted else max_length
