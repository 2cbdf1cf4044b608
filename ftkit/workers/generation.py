"""Answers of a loaded model to many prompts: greedily, in batches of similar length that shrink as rows finish.

Takes a model, token ids and limits, gives texts. It loads nothing and talks to nobody.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, cast

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

# A batch holds at most this many tokens of prompts and answers, so that its cache stays small beside the model.
_BATCH_TOKENS = 8192
_BATCH_ROWS = 32  # more gain little on a CPU and pad short rows to the longest
# Going on without finished rows pays when they are this share of a batch: the cache of the others is copied for it.
_DROPPED_SHARE = 0.25


class Answer(NamedTuple):
    """What a model said; ``cut`` where it had not finished at its limit or at the end of the model's context."""

    text: str
    tokens: int
    cut: bool


class Sampler(Protocol):
    """What makes sampled answers of greedy ones."""

    def processors(self, places: Sequence[int], start: int) -> LogitsProcessorList:
        """For the rows in these places of the batch, whose answers begin at ``start``."""
        ...


def end_tokens(model: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Tokens that end an answer: the model's own and the tokenizer's."""
    own = (
        model.config.eos_token_id if model.generation_config is None else model.generation_config.eos_token_id
    )
    found = own if isinstance(own, list) else [own]
    return sorted({token for token in [*found, tokenizer.eos_token_id] if token is not None})


def context_length(model: Any) -> int:
    """``context_of`` a loaded model."""
    return context_of(model.config)


def context_of(config: Any) -> int:
    """The most tokens that prompt and answer may have together, or of an encoder-decoder model each of them."""
    if config.is_encoder_decoder:
        return 2**31  # models of the T5 kind count distances, not places
    config = config.get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", 0) or 2**31)


def room_for_answer(model: Any, prompt: int) -> int:
    """The longest answer to a prompt of so many tokens; less than 1 where the prompt takes all the room."""
    context = context_length(model)
    return context if model.config.is_encoder_decoder else context - prompt


def batches(
    lengths: Sequence[int], more: int = 0, most_tokens: int = _BATCH_TOKENS, times: int = 1
) -> list[list[int]]:
    """Indices of rows in batches of similar length, longest first.

    Args:
        lengths: tokens of each row.
        more: tokens that each row will grow by.
        most_tokens: what a batch may hold, padding included; a longer row is a batch of its own.
        times: how often each row will be in its batch, once for each model that answers it.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    found: list[list[int]] = []
    start = 0
    while start < len(order):
        size = max(1, min(_BATCH_ROWS, most_tokens // (lengths[order[start]] + more)) // times)
        found.append(order[start : start + size])
        start += size
    return found


def answer_all(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    on_rows: Callable[[int], None],
    stop_asked: Callable[[], bool],
) -> Iterator[tuple[int, Answer]]:
    """Answer prompts greedily; yields ``(index of the prompt, answer)`` as rows finish, longest prompts first.

    Args:
        model: with the adapter switched as wanted.
        tokenizer: of the model.
        prompts: token ids.
        max_new_tokens: longest answer; shorter where the model's context ends before it.
        on_rows: told how many rows were answered, after each batch.
        stop_asked: looked at after each token; what is not finished is then dropped.
    """
    for batch in batches([len(prompt) for prompt in prompts], max_new_tokens):
        asked = [prompts[index] for index in batch]
        for place, answer in answer_batch(model, tokenizer, asked, max_new_tokens, stop_asked):
            yield batch[place], answer
        if stop_asked():
            return
        on_rows(len(batch))


def answer_batch(  # noqa: PLR0913 - as ``answer_all``
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    stop_asked: Callable[[], bool],
    adapters: Sequence[str] | None = None,
    *,
    sampler: Sampler | None = None,
) -> Iterator[tuple[int, Answer]]:
    """Answer prompts together; yields ``(place of the prompt, answer)`` as rows finish, and goes on with the others alone.

    Each answer is the one that its prompt would get alone, up to rounding: padding is masked, and each row ends at its own
    limit, not at that of the longest.

    Args:
        model: with the adapter switched as wanted.
        tokenizer: of the model.
        prompts: token ids, of similar length.
        max_new_tokens: longest answer; shorter where the model's context ends before it.
        stop_asked: looked at after each token; what is not finished is then dropped.
        adapters: of a PEFT model, for each prompt the name of its adapter or ``BASE``.
        sampler: samples the tokens; without one the likeliest is taken each time.
    """
    batch = _Batch(model, tokenizer, prompts, max_new_tokens, adapters, sampler=sampler)
    while batch.places:
        yield from batch.go_on(stop_asked)
        if stop_asked():
            return


class _Batch:
    """Rows that are answered together, fewer and fewer."""

    def __init__(
        self,
        model: Any,
        tokenizer: PreTrainedTokenizerBase,
        prompts: Sequence[list[int]],
        max_new_tokens: int,
        adapters: Sequence[str] | None,
        *,
        sampler: Sampler | None = None,
    ) -> None:
        self._model, self._tokenizer, self._sampler = model, tokenizer, sampler
        self._ends = end_tokens(model, tokenizer)
        # A decoder behind an encoder goes on from a start token of its own, the others from the prompt.
        self._reads_first = model.config.is_encoder_decoder
        padded = (right_padded if self._reads_first else left_padded)(prompts, tokenizer, model.device)
        self._ids, self._mask = padded["input_ids"], padded["attention_mask"]
        self._width = 1 if self._reads_first else self._ids.shape[1]
        self._limits = [min(max_new_tokens, room_for_answer(model, len(prompt))) for prompt in prompts]
        self._adapters = list(adapters) if adapters is not None else None
        self._cache: Any = None
        self.places = list(range(len(prompts)))

    def go_on(self, stop_asked: Callable[[], bool]) -> Iterator[tuple[int, Answer]]:
        """Generate until it is worth dropping what has finished; gives that."""
        until = [self._width + limit for limit in self._limits]
        share = 1.0 if self._reads_first else _DROPPED_SHARE
        criterion = _EnoughFinished(self._ends, until, share, stop_asked)
        mixed = {"adapter_names": self._adapters} if self._adapters is not None else {}
        made = self._model.generate(
            input_ids=self._ids,
            attention_mask=self._mask,
            past_key_values=self._cache,
            generation_config=greedy(
                self._model,
                self._ends,
                self._tokenizer,
                max(until) - self._ids_so_far(),
                return_dict_in_generate=True,
            ),
            logits_processor=self._sampler.processors(self.places, self._width) if self._sampler else None,
            stopping_criteria=StoppingCriteriaList([criterion]),
            **mixed,
        )
        finished = criterion.finished.tolist()
        for row, tokens in enumerate(made.sequences.tolist()):
            if finished[row]:
                answer = tokens[self._width : until[row]]
                yield self.places[row], _finished_answer(answer, self._ends, self._tokenizer)
        self._keep([row for row, done in enumerate(finished) if not done], made)

    def _ids_so_far(self) -> int:
        return 1 if self._reads_first else self._ids.shape[1]

    def _keep(self, rows: list[int], made: Any) -> None:
        """Go on with these rows only."""
        self.places = [self.places[row] for row in rows]
        self._limits = [self._limits[row] for row in rows]
        if self._adapters is not None:
            self._adapters = [self._adapters[row] for row in rows]
        if not rows or self._reads_first:
            return
        kept = torch.tensor(rows, device=self._ids.device)
        self._ids = made.sequences[kept]
        grown = self._ids.shape[1] - self._mask.shape[1]
        self._mask = torch.nn.functional.pad(self._mask[kept], (0, grown), value=1)
        self._cache = _selected(made.past_key_values, kept)


class _EnoughFinished(StoppingCriteria):
    """Ends a batch when enough of its rows have finished, or when a stop is asked for.

    Args:
        ends: tokens that end an answer.
        until: length in tokens, padding included, at which each row has reached its limit.
        share: of the rows that must have finished.
        stop_asked: looked at after each token.
    """

    def __init__(
        self, ends: Sequence[int], until: Sequence[int], share: float, stop_asked: Callable[[], bool]
    ) -> None:
        self._ends, self._until, self._share, self._stop_asked = ends, until, share, stop_asked
        self.finished = torch.zeros(len(until), dtype=torch.bool)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """One flag per row."""
        last = input_ids[:, -1].cpu()
        self.finished |= torch.isin(last, torch.tensor(self._ends)) | (
            torch.tensor(self._until) <= input_ids.shape[1]
        )
        enough = int(self.finished.sum()) >= self._share * len(self._until)
        over = torch.ones_like(self.finished) if enough or self._stop_asked() else self.finished
        return over.to(input_ids.device)


def _selected(cache: Any, rows: torch.Tensor) -> Any:
    """The cache of some rows; None where its kind cannot be divided: what was read is then read again."""
    layers = getattr(cache, "layers", None)
    if not layers or not all(hasattr(layer, "batch_select_indices") for layer in layers):
        return None
    cache.batch_select_indices(rows)
    return cache


def left_padded(
    rows: Sequence[list[int]], tokenizer: PreTrainedTokenizerBase, device: torch.device
) -> dict[str, torch.Tensor]:
    """``input_ids`` and ``attention_mask`` of rows that end together."""
    turned = right_padded([row[::-1] for row in rows], tokenizer, device)
    return {name: values.flip(1) for name, values in turned.items()}


def right_padded(
    rows: Sequence[list[int]], tokenizer: PreTrainedTokenizerBase, device: torch.device
) -> dict[str, torch.Tensor]:
    """``input_ids`` and ``attention_mask`` of rows that begin together."""
    width = max(map(len, rows))
    padding = tokenizer.pad_token_id
    ids = [row + [padding] * (width - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
    return {
        "input_ids": torch.tensor(ids, device=device),
        "attention_mask": torch.tensor(mask, device=device),
    }


def _finished_answer(tokens: list[int], ends: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> Answer:
    length = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
    return Answer(decode(tokens[:length], tokenizer), length, cut=length == len(tokens))


def decode(tokens: list[int], tokenizer: PreTrainedTokenizerBase) -> str:
    """Text of an answer, without special tokens."""
    return cast(str, tokenizer.decode(tokens, skip_special_tokens=True))


def greedy(
    model: Any, ends: Sequence[int], tokenizer: PreTrainedTokenizerBase, max_new_tokens: int, **more: Any
) -> GenerationConfig:
    """The likeliest token each time, whatever the model's own settings say; ``more`` are options of what is given back."""
    return GenerationConfig(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=list(ends),
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
        repetition_penalty=1.0,
        **more,
    )
