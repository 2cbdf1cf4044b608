"""One prompt answered by base and tuned model side by side, token by token.

Takes loaded models, token ids and limits, hands on both answers so far after each token. It loads nothing and talks to
nobody.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)
from transformers.generation.streamers import BaseStreamer

from ftkit.workers.generation import Answer, decode, end_tokens, greedy
from ftkit.workers.loading import BASE, without_adapter

_BROKEN_CHARACTER = "\ufffd"


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
        text = decode(tokens, self._tokenizer)
        # A character may span tokens: its first half is not shown.
        return Answer(
            text if ended else text.rstrip(_BROKEN_CHARACTER), len(tokens), cut=ended and not finished
        )


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
    """As ``answer_pair``, for what does not mix: the base answers first.

    ``base`` and ``tuned`` may be one model with an adapter, which is then switched off for the base.
    """
    wanted = [True]
    first = nothing = Answer("", 0, cut=False)

    def hand_on_base(answers: list[Answer]) -> None:
        wanted[0] = wanted[0] and tell(Pair(answers[0], nothing))

    def hand_on_tuned(answers: list[Answer]) -> None:
        wanted[0] = wanted[0] and tell(Pair(first, answers[0]))

    with without_adapter(base, tuned) as plain:
        (first,) = _stream(plain, tokenizer, [prompt], limits, hand_on_base, wanted)
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
        generation_config=greedy(model, ends, tokenizer, limits.max_new_tokens),
        logits_processor=_sampling(limits),
        stopping_criteria=StoppingCriteriaList([StopWhen(lambda: not wanted[0])]),
        streamer=streamer,
        **more,
    )
    return streamer.answers()


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
