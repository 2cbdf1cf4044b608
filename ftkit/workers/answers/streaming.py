"""Prompts answered side by side, token by token.

Takes a loaded model, token ids and limits, hands on all answers so far after each token. It loads nothing and talks to
nobody.
"""

import math
import time
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
    TopKLogitsWarper,
    TopPLogitsWarper,
)
from transformers.generation.streamers import BaseStreamer

from ftkit.workers.generation import (
    decode,
    end_tokens,
    greedy,
    left_padded,
    right_padded,
    room_for_answer,
)

BROKEN_CHARACTER = "\ufffd"


class Said(NamedTuple):
    """An answer so far; ``cut`` where it had not finished at its limit, ``seconds`` since its model began, until it ended."""

    text: str = ""
    tokens: int = 0
    cut: bool = False
    seconds: float = 0.0
    done: bool = False


class Limits(NamedTuple):
    """How far and how freely a prompt is answered; a temperature of 0 takes the likeliest token."""

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int = 0


class SharedNoise(LogitsProcessor):
    """Makes the likeliest token of each row a sample of its distribution, with the same randomness for all rows.

    The Gumbel-max trick: argmax(log p + g) is distributed as p where g is standard Gumbel noise. All rows of a step add
    the same g, drawn by an own generator, so that two models that agree choose the same token, and a difference between
    the answers is one between the models. Put it behind temperature, top-k and top-p.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores with the noise of this step."""
        del input_ids
        exponential = torch.empty(scores.shape[-1]).exponential_(generator=self._generator)
        noise = -torch.log(exponential.clamp_min(torch.finfo(torch.float32).tiny))
        return torch.log_softmax(scores.float(), dim=-1) + noise.to(scores.device)


class RepetitionPenalty(LogitsProcessor):
    """Makes tokens less likely that stand in the prompt or in the answer already, as transformers' own does.

    Padding does not count: an answer is then the same alone and in a batch.

    Args:
        penalty: what scores are divided or multiplied by; above 1 against repetitions.
        mask: 1 for each token of the prompts, 0 for padding.
    """

    def __init__(self, penalty: float, mask: torch.Tensor) -> None:
        self._penalty, self._mask = penalty, mask

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores of tokens that were seen, weakened."""
        grown = input_ids.shape[1] - self._mask.shape[1]
        mask = torch.nn.functional.pad(self._mask, (0, grown), value=1)
        seen = torch.zeros_like(scores, dtype=torch.long).scatter_add_(1, input_ids, mask) > 0
        weaker = torch.where(scores < 0, scores * self._penalty, scores / self._penalty)
        return torch.where(seen, weaker, scores)


class AnswerStreamer(BaseStreamer):
    """Collects the tokens of each row and hands the answers so far to ``tell`` after each step.

    Args:
        tokenizer: of the model.
        ends: tokens that end an answer.
        limits: the longest answer of each row.
        tell: gets all answers so far.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        ends: Sequence[int],
        limits: Sequence[int],
        tell: Callable[[list[Said]], None],
    ) -> None:
        self._tokenizer = tokenizer
        self._ends = frozenset(ends)
        self._limits = list(limits)
        self._tell = tell
        self._rows: list[list[int]] = [[] for _ in limits]
        self._finished = [False] * len(self._limits)
        self._ended: list[float | None] = [None] * len(self._limits)
        self._began = time.monotonic()
        self._seen_prompt = False

    @property
    def over(self) -> list[bool]:
        """Which rows take no more tokens."""
        return [
            finished or len(row) >= limit
            for finished, row, limit in zip(self._finished, self._rows, self._limits, strict=True)
        ]

    def put(self, value: torch.Tensor) -> None:
        """Called by ``generate`` first with the prompt, then with one token per row."""
        if not self._seen_prompt:
            self._seen_prompt = True
            return
        over = self.over
        for index, token in enumerate(value.tolist()):
            if over[index]:
                continue
            if token in self._ends:
                self._finished[index] = True
            else:
                self._rows[index].append(token)
        for index, done in enumerate(self.over):
            if done and self._ended[index] is None:
                self._ended[index] = time.monotonic()
        self._tell(self.answers())

    def end(self) -> None:
        """Nothing is held back."""

    def answers(self) -> list[Said]:
        """All answers so far."""
        return [self._answer(index, done) for index, done in enumerate(self.over)]

    def _answer(self, index: int, done: bool) -> Said:
        tokens = self._rows[index]
        text = decode(tokens, self._tokenizer)
        until = self._ended[index]
        return Said(
            # A character may span tokens: its first half is not shown.
            text if done else text.rstrip(BROKEN_CHARACTER),
            len(tokens),
            cut=done and not self._finished[index],
            seconds=round((time.monotonic() if until is None else until) - self._began, 3),
            done=done,
        )


class _StopWhen(StoppingCriteria):
    """Ends the rows that have their answer, and all of them when ``asked`` says so."""

    def __init__(self, streamer: AnswerStreamer, asked: Callable[[], bool]) -> None:
        self._streamer, self._asked = streamer, asked

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """One flag per row."""
        over = [self._asked() or done for done in self._streamer.over]
        return torch.tensor(over, dtype=torch.bool, device=input_ids.device)


def answer_rows(  # noqa: PLR0913 - what one streamed generation takes
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[int]],
    limits: Limits,
    tell: Callable[[list[Said]], bool],
    adapters: Sequence[str] | None = None,
) -> list[Said]:
    """Answer prompts in one batch; each answer is the one that its prompt would get alone, up to rounding.

    Args:
        model: with the adapter switched as wanted.
        tokenizer: of the model.
        prompts: token ids; each leaves room for an answer.
        limits: the same for all rows, as is the randomness; shorter where the model's context ends before.
        tell: gets all answers after each token; returning False ends the generation.
        adapters: of a PEFT model, for each prompt the name of its adapter or ``BASE``.
    """
    ends = end_tokens(model, tokenizer)
    longest = [min(limits.max_new_tokens, room_for_answer(model, len(prompt))) for prompt in prompts]
    wanted = True

    def hand_on(answers: list[Said]) -> None:
        nonlocal wanted
        wanted = wanted and tell(answers)

    streamer = AnswerStreamer(tokenizer, ends, longest, hand_on)
    reads_first = model.config.is_encoder_decoder
    padded = (right_padded if reads_first else left_padded)(prompts, tokenizer, model.device)
    mask = padded["attention_mask"][:, :1] if reads_first else padded["attention_mask"]
    model.generate(
        **padded,
        generation_config=greedy(model, ends, tokenizer, max(longest)),
        logits_processor=_sampling(limits, mask),
        stopping_criteria=StoppingCriteriaList([_StopWhen(streamer, lambda: not wanted)]),
        streamer=streamer,
        **({} if adapters is None else {"adapter_names": list(adapters)}),
    )
    return streamer.answers()


def _sampling(limits: Limits, mask: torch.Tensor) -> LogitsProcessorList:
    """What weakens repetitions and turns the likeliest token into a sampled one; nothing of the latter at temperature 0."""
    processors = LogitsProcessorList()
    if not math.isclose(limits.repetition_penalty, 1.0):
        processors.append(RepetitionPenalty(limits.repetition_penalty, mask))
    processors += sampled(limits)
    return processors


def sampled(limits: Limits) -> LogitsProcessorList:
    """What turns the likeliest token into a sampled one; nothing at temperature 0."""
    processors = LogitsProcessorList()
    if math.isclose(limits.temperature, 0.0):
        return processors
    processors.append(TemperatureLogitsWarper(limits.temperature))
    if limits.top_k > 0:
        processors.append(TopKLogitsWarper(limits.top_k))
    if limits.top_p < 1:
        processors.append(TopPLogitsWarper(limits.top_p))
    processors.append(SharedNoise(limits.seed))
    return processors
