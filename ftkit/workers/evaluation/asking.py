"""Asking models what is not known of some rows yet: likelihoods and answers, several sides of one base in one batch.

Takes rows and what is known of them, fills the latter as the models speak. It loads a model only where something is not known,
and measures nothing.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from ftkit.workers import loading
from ftkit.workers.evaluation.likelihoods import each_nll
from ftkit.workers.evaluation.prepared import Prepared
from ftkit.workers.evaluation.remembered import Remembered
from ftkit.workers.evaluation.sides import Panel, Side, load_group
from ftkit.workers.generation import answer_batch, batches
from ftkit.workers.harness import Worker


def ask_all(worker: Worker, base: Path, groups: Sequence[Sequence[Side]], askings: Sequence["Asking"]) -> int:
    """Ask everything of one group of sides after the other; gives how many were loaded.

    Args:
        worker: told of the progress.
        base: folder of the base model.
        groups: sides that share a model in memory.
        askings: what is asked of each.
    """
    loaded = 0
    for group in groups:
        if not any(asking.open_to(group) for asking in askings):
            continue
        worker.progress("loading")
        panel, tokenizer = load_group(base, group), loading.load_tokenizer(base)
        loaded += 1
        for asking in askings:
            asking.ask(panel, tokenizer, group)
        del panel
        loading.give_back_memory()
    return loaded


class Asking:
    """Asks the models what is not known of the rows yet, and keeps what they say.

    Args:
        worker: told of the progress; its stop ends the asking.
        rows: what is asked and scored.
        limit: tokens of the longest answer.
        known: by side that is asked, what is known; grows.
        phase: of the progress; left out for the rows of the part, which are measured and answered.
    """

    def __init__(
        self,
        worker: Worker,
        rows: Sequence[Prepared],
        limit: int,
        known: Mapping[str, Remembered],
        phase: str | None = None,
    ) -> None:
        self._worker, self._rows, self._limit, self._known = worker, rows, limit, known
        scored = [self._unscored(name) for name in known]
        open_ = [self._unanswered(name) for name in known]
        scorable, asked = sum(bool(row.ids) for row in rows), sum(bool(row.asked) for row in rows)
        self._scored = RowCounter(
            worker, "evaluating" if phase is None else phase, len(known) * scorable, sum(map(len, scored))
        )
        self._answered = RowCounter(
            worker, "generating" if phase is None else phase, len(known) * asked, sum(map(len, open_))
        )

    def open_to(self, group: Sequence[Side]) -> bool:
        """Whether there is something that a side of the group has not said."""
        return any(self._unscored(side.name) or self._unanswered(side.name) for side in self._mine(group))

    def ask(self, panel: Panel, tokenizer: PreTrainedTokenizerBase, group: Sequence[Side]) -> None:
        """Score and answer all rows with the sides of a group."""
        sides = self._mine(group)
        for side in sides:
            self._score(panel, tokenizer, side)
        open_ = [side for side in sides if self._unanswered(side.name)]
        mixing = panel.mixing(open_)
        for together in [mixing, *([side] for side in open_ if side not in mixing)]:
            if together:
                self._answer(panel, tokenizer, together)

    def _mine(self, group: Sequence[Side]) -> list[Side]:
        return [side for side in group if side.name in self._known]

    def _unscored(self, side: str) -> list[Prepared]:
        return [row for row in self._rows if row.ids and "nll" not in self._known[side].of(row.row)]

    def _unanswered(self, side: str) -> list[Prepared]:
        return [row for row in self._rows if row.asked and "answer" not in self._known[side].of(row.row)]

    def _score(self, panel: Panel, tokenizer: PreTrainedTokenizerBase, side: Side) -> None:
        rows = self._unscored(side.name)
        if not rows:
            return
        self._scored.go_on()
        with panel.as_side(side) as model:
            for batch in each_nll(model, tokenizer, rows):
                self._known[side.name].note([{"row": rows[index].row, "nll": nll} for index, nll in batch])
                self._scored.more(len(batch))

    def _answer(self, panel: Panel, tokenizer: PreTrainedTokenizerBase, sides: Sequence[Side]) -> None:
        """Answer with these sides together: what is asked of a row goes into one batch for all of them."""
        open_ = {side: {row.row for row in self._unanswered(side.name)} for side in sides}
        rows = [row for row in self._rows if any(row.row in places for places in open_.values())]
        self._answered.go_on()
        for batch in batches([len(row.asked) for row in rows], self._limit, times=len(sides)):
            asks = [
                (rows[index], side) for index in batch for side in sides if rows[index].row in open_[side]
            ]
            for place, answer in self._answers(panel, tokenizer, asks, mixed=len(sides) > 1):
                row, side = asks[place]
                said = {"answer": answer.text, "tokens": answer.tokens, "cut": answer.cut}
                self._known[side.name].note([{"row": row.row, **said}])
                self._answered.more(1)
            self._worker.raise_if_stopped()

    def _answers(
        self,
        panel: Panel,
        tokenizer: PreTrainedTokenizerBase,
        asks: Sequence[tuple[Prepared, Side]],
        *,
        mixed: bool,
    ) -> Any:
        prompts = [row.asked for row, _ in asks]
        answers = partial(answer_batch, tokenizer=tokenizer, prompts=prompts, max_new_tokens=self._limit)
        if mixed:
            adapters = panel.adapters([side for _, side in asks])
            yield from answers(panel.model, stop_asked=self._stop_asked, adapters=adapters)
            return
        with panel.as_side(asks[0][1]) as model:
            yield from answers(model, stop_asked=self._stop_asked)

    def _stop_asked(self) -> bool:
        """Looked at after each token: so long the work gets on."""
        self._worker.advance()
        return self._worker.stop_asked()


class RowCounter:
    """Rows done, told to the reader with the time left; leaves the job where a stop was asked for.

    Args:
        worker: told.
        phase: of the catalogue.
        rows: in all.
        left: of them still to do; None for all.
    """

    def __init__(self, worker: Worker, phase: str, rows: int, left: int | None = None) -> None:
        self._worker, self._phase, self._rows = worker, phase, rows
        self._done = self._known = rows - (rows if left is None else left)
        self._spent = 0.0
        self._begun = time.monotonic()

    def go_on(self) -> None:
        """The counting begins, or goes on after something else."""
        self._begun = time.monotonic()
        self._tell(None)

    def more(self, rows: int) -> None:
        """So many more are done."""
        now = time.monotonic()
        self._spent, self._begun = self._spent + now - self._begun, now
        self._done += rows
        self._tell(self._spent / (self._done - self._known) * (self._rows - self._done))
        self._worker.raise_if_stopped()

    def _tell(self, left: float | None) -> None:
        seconds = None if left is None else round(left, 1)
        self._worker.progress(self._phase, self._done, self._rows, seconds_left=seconds)
