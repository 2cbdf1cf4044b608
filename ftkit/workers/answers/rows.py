"""One row of a batch: what it was asked, the tokens it has got, and the text that may be shown of them.

Takes the scores of the next token, step by step. It knows no model and no other row.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedTokenizerBase

from ftkit.workers.answers.models import Side
from ftkit.workers.answers.streaming import BROKEN_CHARACTER, Limits, sampled
from ftkit.workers.generation import decode

_DIGITS = 4


class Question(NamedTuple):
    """What one row is asked: token ids, how far and how freely it is answered, and texts that end the answer before them."""

    side: Side
    prompt: list[int]
    limits: Limits
    stop: tuple[str, ...] = ()


class Row:
    """An answer that grows.

    Args:
        question: what is asked.
        tokenizer: of the model.
        ends: tokens that end an answer.
        room: tokens that the model's context has left for the answer.
    """

    def __init__(
        self, question: Question, tokenizer: PreTrainedTokenizerBase, ends: Sequence[int], room: int
    ) -> None:
        self.question = question
        self.limit = min(question.limits.max_new_tokens, room)
        self.tokens: list[int] = []
        self.finish = ""
        self._tokenizer = tokenizer
        self._ends = frozenset(ends)
        self._sampled = sampled(question.limits)
        self._sum = 0.0  # of the probabilities of the tokens
        self._text = ""

    @property
    def longest(self) -> int:
        """Tokens that it may have in the end, the prompt included."""
        return len(self.question.prompt) + self.limit

    @property
    def over(self) -> bool:
        """Whether it takes no more tokens."""
        return bool(self.finish)

    def take(self, scores: torch.Tensor) -> int:
        """Choose the next token and grow by it.

        Args:
            scores: logits of the next token, one for each word of the vocabulary.
        """
        scores = scores.float()
        drawn = self._sampled(torch.empty((1, 0), dtype=torch.long), scores[None])[0]
        token = int(drawn.argmax())
        if token in self._ends:
            self.finish, self._text = "stop", decode(self.tokens, self._tokenizer)
            return token
        self.tokens.append(token)
        self._sum += math.exp(float(scores[token] - scores.logsumexp(0)))
        self._read()
        return token

    def _read(self) -> None:
        text = decode(self.tokens, self._tokenizer)
        at = min((place for stop in self.question.stop if (place := text.find(stop)) >= 0), default=-1)
        if at >= 0:
            self.finish, self._text = "stop", text[:at]
        elif len(self.tokens) >= self.limit:
            self.finish, self._text = "length", text
        else:
            self._text = self._sure(text)

    def _sure(self, text: str) -> str:
        """What no later token takes back: without half a character, and without what may become a stop text."""
        text = text.rstrip(BROKEN_CHARACTER)
        held = max((_overlap(text, stop) for stop in self.question.stop), default=0)
        return text[: len(text) - held]

    def said(self) -> dict[str, Any]:
        """The answer so far, as ``Answer`` of the serving room takes it."""
        count = len(self.tokens)
        sure = self._sum / count if count else math.nan
        return {
            "text": self._text,
            "prompt_tokens": len(self.question.prompt),
            "tokens": count,
            "finish": self.finish,
            "confidence": round(sure, _DIGITS) if math.isfinite(sure) else None,
        }


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of a text with which ``stop`` begins."""
    return next(
        (size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0
    )
