"""Answers from a loaded model: whole parts in batches, or one prompt to base and tuned side by side, token by token.

Takes a model, token ids and limits, gives texts. It loads nothing and talks to nobody.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)
from transformers.generation.streamers import BaseStreamer

from ftkit.workers.loading import BASE

# A batch holds at most this many tokens of prompts and answers, so that its cache stays small beside the model.
_BATCH_TOKENS = 8192
_BATCH_ROWS = 16  # more gain little on a CPU and pad short rows to the longest
_BROKEN_CHARACTER = "\ufffd"


class Answer(NamedTuple):
    """What a model said; ``cut`` where it had not finished at the limit."""

    text: str
    tokens: int
    cut: bool


class Pair(NamedTuple):
    """Both answers so far."""

    base: Answer
    tuned: Answer


class Limits(NamedTuple):
    """How far and how freely a prompt is answered; a temperature of 0 takes the likeliest token."""

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


class StopWhen(StoppingCriteria):
    """Ends generation between two tokens when ``asked`` says so."""

    def __init__(self, asked: Callable[[], bool]) -> None:
        self._asked = asked

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """One flag per row."""
        return torch.full((input_ids.shape[0],), self._asked(), dtype=torch.bool, device=input_ids.device)


class SharedNoise(LogitsProcessor):
    """Makes the likeliest token of each row a sample of its distribution, with the same randomness for all rows.

    The Gumbel-max trick: argmax(log p + g) is distributed as p where g is standard Gumbel noise. All rows of a step add
    the same g, drawn by an own generator, so that two models that agree choose the same token, and a difference between
    the answers is one between the models. Put it behind temperature and top-p.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores with the noise of this step."""
        del input_ids
        exponential = torch.empty(scores.shape[-1]).exponential_(generator=self._generator)
        noise = -torch.log(exponential.clamp_min(torch.finfo(torch.float32).tiny))
        return torch.log_softmax(scores.float(), dim=-1) + noise.to(scores.device)


class AnswerStreamer(BaseStreamer):
    """Collects the tokens of each row and hands the texts so far to ``tell`` after each step."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        ends: Sequence[int],
        limit: int,
        rows: int,
        tell: Callable[[list[Answer]], None],
    ) -> None:
        self._tokenizer = tokenizer
        self._ends = frozenset(ends)
        self._limit = limit
        self._tell = tell
        self._rows: list[list[int]] = [[] for _ in range(rows)]
        self._finished = [False] * rows
        self._seen_prompt = False

    def put(self, value: torch.Tensor) -> None:
        """Called by ``generate`` first with the prompt, then with one token per row."""
        if not self._seen_prompt:
            self._seen_prompt = True
            return
        for index, token in enumerate(value.tolist()):
            if self._finished[index]:
                continue
            if token in self._ends:
                self._finished[index] = True
            else:
                self._rows[index].append(token)
        self._tell(self.answers())

    def end(self) -> None:
        """Nothing is held back."""

    def answers(self) -> list[Answer]:
        """All answers so far."""
        return [self._answer(index) for index in range(len(self._rows))]

    def _answer(self, index: int) -> Answer:
        tokens, finished = self._rows[index], self._finished[index]
        ended = finished or len(tokens) >= self._limit
        text = _decode(tokens, self._tokenizer)
        # A character may span tokens: its first half is not shown.
        return Answer(
            text if ended else text.rstrip(_BROKEN_CHARACTER), len(tokens), cut=ended and not finished
        )


def end_tokens(model: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Tokens that end an answer: the model's own and the tokenizer's."""
    own = (
        model.config.eos_token_id if model.generation_config is None else model.generation_config.eos_token_id
    )
    found = own if isinstance(own, list) else [own]
    return sorted({token for token in [*found, tokenizer.eos_token_id] if token is not None})


def context_length(model: Any) -> int:
    """The most tokens that prompt and answer may have together, or of an encoder-decoder model each of them."""
    if model.config.is_encoder_decoder:
        return 2**31  # models of the T5 kind count distances, not places
    config = model.config.get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", 0) or 2**31)


def room_for_answer(model: Any, prompt: int) -> int:
    """The longest answer to a prompt of so many tokens; less than 1 where the prompt takes all the room."""
    context = context_length(model)
    return context if model.config.is_encoder_decoder else context - prompt


def batches(lengths: Sequence[int], more: int = 0, most_tokens: int = _BATCH_TOKENS) -> list[list[int]]:
    """Indices of rows in batches of similar length, longest first.

    Args:
        lengths: tokens of each row.
        more: tokens that each row will grow by.
        most_tokens: what a batch may hold, padding included; a longer row is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    found: list[list[int]] = []
    start = 0
    while start < len(order):
        size = max(1, min(_BATCH_ROWS, most_tokens // (lengths[order[start]] + more)))
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
    """Answer prompts greedily; yields ``(index of the prompt, answer)`` batch by batch, longest prompts first.

    Args:
        model: with the adapter switched as wanted.
        tokenizer: of the model.
        prompts: token ids.
        max_new_tokens: longest answer; shorter where the model's context ends before it.
        on_rows: told how many rows were answered, after each batch.
        stop_asked: looked at after each token; the batch is then dropped.
    """
    ends = end_tokens(model, tokenizer)
    reads_first = model.config.is_encoder_decoder
    for batch in batches([len(prompt) for prompt in prompts], max_new_tokens):
        inputs = (right_padded if reads_first else left_padded)(
            [prompts[index] for index in batch], tokenizer, model.device
        )
        width = inputs["input_ids"].shape[1]
        made = model.generate(
            **inputs,
            generation_config=_greedy(
                model, ends, tokenizer, min(max_new_tokens, room_for_answer(model, width))
            ),
            stopping_criteria=StoppingCriteriaList([StopWhen(stop_asked)]),
        )
        if stop_asked():
            return
        # A decoder goes on from a start token of its own, the others from the prompt.
        for index, tokens in zip(batch, made[:, 1 if reads_first else width :].tolist(), strict=True):
            yield index, _finished_answer(tokens, ends, tokenizer)
        on_rows(len(batch))


def answer_pair(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompt: list[int],
    adapter: str,
    limits: Limits,
    tell: Callable[[Pair], bool],
) -> Pair:
    """Answer one prompt with base and tuned model in one batch.

    Args:
        model: a PEFT model that holds ``adapter``.
        tokenizer: of the model.
        prompt: token ids.
        adapter: name of the adapter of the second row; the first has none.
        limits: the same for both rows, as is the randomness.
        tell: gets both answers after each token; returning False ends the generation.
    """
    wanted = [True]

    def hand_on(answers: list[Answer]) -> None:
        wanted[0] = wanted[0] and tell(Pair(*answers))

    return Pair(
        *_stream(model, tokenizer, [prompt] * 2, limits, hand_on, wanted, adapter_names=[BASE, adapter])
    )


def answer_in_turn(
    base: Any,
    tuned: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompt: list[int],
    limits: Limits,
    tell: Callable[[Pair], bool],
) -> Pair:
    """As ``answer_pair``, for two models: the base answers first."""
    wanted = [True]
    first = nothing = Answer("", 0, cut=False)

    def hand_on_base(answers: list[Answer]) -> None:
        wanted[0] = wanted[0] and tell(Pair(answers[0], nothing))

    def hand_on_tuned(answers: list[Answer]) -> None:
        wanted[0] = wanted[0] and tell(Pair(first, answers[0]))

    (first,) = _stream(base, tokenizer, [prompt], limits, hand_on_base, wanted)
    if not wanted[0]:
        return Pair(first, nothing)
    (second,) = _stream(tuned, tokenizer, [prompt], limits, hand_on_tuned, wanted)
    return Pair(first, second)


def _stream(  # noqa: PLR0913 - what one streamed generation takes
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[list[int]],
    limits: Limits,
    hand_on: Callable[[list[Answer]], None],
    wanted: list[bool],
    **more: Any,
) -> list[Answer]:
    """Answers to prompts of one length; ends when ``wanted`` turns false."""
    ends = end_tokens(model, tokenizer)
    streamer = AnswerStreamer(tokenizer, ends, limits.max_new_tokens, len(prompts), hand_on)
    ids = torch.tensor(prompts, device=model.device)
    model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        generation_config=_greedy(model, ends, tokenizer, limits.max_new_tokens),
        logits_processor=_sampling(limits),
        stopping_criteria=StoppingCriteriaList([StopWhen(lambda: not wanted[0])]),
        streamer=streamer,
        **more,
    )
    return streamer.answers()


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
    return Answer(_decode(tokens[:length], tokenizer), length, cut=length == len(tokens))


def _decode(tokens: list[int], tokenizer: PreTrainedTokenizerBase) -> str:
    return cast(str, tokenizer.decode(tokens, skip_special_tokens=True))


def _greedy(
    model: Any, ends: Sequence[int], tokenizer: PreTrainedTokenizerBase, max_new_tokens: int
) -> GenerationConfig:
    return GenerationConfig(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=list(ends),
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
        repetition_penalty=1.0,
    )


def _sampling(limits: Limits) -> LogitsProcessorList:
    """What turns the likeliest token into a sampled one; nothing at temperature 0."""
    processors = LogitsProcessorList()
    if math.isclose(limits.temperature, 0.0):
        return processors
    processors.append(TemperatureLogitsWarper(limits.temperature))
    if limits.top_p < 1:
        processors.append(TopPLogitsWarper(limits.top_p))
    processors.append(SharedNoise(limits.seed))
    return processors
