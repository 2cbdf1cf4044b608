"""Rows that one model answers together, token by token; some leave and others join between two tokens.

Takes questions, gives each its row. Each answer is the one that its question would get alone, up to rounding. It talks to nobody.
"""

import contextlib
from collections.abc import Collection
from types import TracebackType
from typing import Self

import torch

from ftkit.errors import Refused
from ftkit.workers.answers.models import Loaded
from ftkit.workers.answers.reading import Adapters, reading_of
from ftkit.workers.answers.rows import Question, Row
from ftkit.workers.generation import context_length, end_tokens, room_for_answer

MOST_ROWS = 8
_MOST_TOKENS = 16384  # of prompts and answers, padding included: the cache stays small beside the model


class Batch:
    """Use it as a context manager: between two changes of its rows the model stays set to their adapters."""

    def __init__(self, loaded: Loaded) -> None:
        self.rows: list[Row] = []
        self._new: list[Row] = []
        self._loaded = loaded
        self._ends = end_tokens(loaded.model, loaded.tokenizer)
        self._reading = reading_of(loaded.model, loaded.tokenizer, MOST_ROWS)
        self._set = contextlib.ExitStack()
        self._adapters: Adapters = None

    def row(self, question: Question) -> Row:
        """The row of a question; it does not join yet.

        Raises:
            Refused: the question leaves no room for an answer.
        """
        room = room_for_answer(self._loaded.model, len(question.prompt))
        if room < 1:
            raise Refused(
                "ratings.prompt_too_long",
                "The conversation has {tokens} tokens and the model reads {context}. Shorten it.",
                tokens=len(question.prompt),
                context=context_length(self._loaded.model),
            )
        return Row(question, self._loaded.tokenizer, self._ends, room)

    def fits(self, row: Row) -> bool:
        """Whether a row can be added now; an empty batch takes any."""
        rows = [*self.rows, *self._new, row]
        small = len(rows) * max(one.longest for one in rows) <= _MOST_TOKENS
        return len(rows) == 1 or (len(rows) <= self._reading.most and small)

    @property
    def free(self) -> bool:
        """Whether one more row might be added."""
        return len(self.rows) + len(self._new) < self._reading.most

    def add(self, row: Row) -> None:
        """Let a row join at the next step."""
        self._new.append(row)

    @torch.no_grad()
    def step(self) -> None:
        """Give one more token to each row; where there are new ones, the first to these alone. None may be over."""
        if self._new:
            self._join()
            return
        scores = self._reading.go_on([row.tokens[-1] for row in self.rows], self._adapters)
        for row, own in zip(self.rows, scores, strict=True):
            row.take(own)

    def _join(self) -> None:
        new, self._new = self._new, []
        self._set.close()
        with self._loaded.as_sides([row.question.side for row in new]) as adapters:
            scores = self._reading.join([row.question.prompt for row in new], adapters)
        for row, own in zip(new, scores, strict=True):
            row.take(own)
        self.rows += new
        self._settle()

    def leave(self, over: Collection[Row]) -> None:
        """Forget rows."""
        if not over:
            return
        places = [place for place, row in enumerate(self.rows) if row not in over]
        self._reading.keep(places)
        self.rows = [self.rows[place] for place in places]
        self._settle()

    def _settle(self) -> None:
        """Set the model to the adapters of the rows."""
        self._set.close()
        self._adapters = None
        if self.rows:
            sides = [row.question.side for row in self.rows]
            self._adapters = self._set.enter_context(self._loaded.as_sides(sides))

    def __enter__(self) -> Self:
        """Nothing more than the batch itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Set the model back."""
        self._set.close()
