"""Many questions, several at once, by one engine.

Takes questions, hands on each answer as it ends. What was answered before is not asked again. It reads no file of prompts.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ftkit.errors import BadInput, FtkitError, WorkerFault
from ftkit.serving.batch.lines import Answers, Failed, Wanted
from ftkit.serving.engines.asking import Answer, Engine, Source

AT_ONCE = 8
_MOST_FAULTS = 3  # in succession; then the engine itself has failed, and not a question
_LOOK_SECONDS = 0.2


class Done(NamedTuple):
    """What became of the questions."""

    answered: int
    skipped: int
    failed: list[Failed]


def answer_all(
    engine: Engine,
    source: Source,
    wanted: Sequence[Wanted],
    answers: Answers,
    on_row: Callable[[int, int], None],
) -> Done:
    """Ask what has no answer yet.

    Args:
        engine: that answers.
        source: the model.
        wanted: the questions.
        answers: where answers go, and what tells those that were given before.
        on_row: told how many rows of how many are over, after each.

    Raises:
        Refused: the engine takes no such model.
        FtkitError: the engine failed several times in succession, or cannot answer at all.
    """
    engine.check(source)
    open_ = [one for one in wanted if one.mark not in answers.marks]
    skipped, failed, faults = len(wanted) - len(open_), [], 0
    answered = 0
    on_row(skipped, len(wanted))
    with _Askers(engine, source, open_) as askers:
        for _ in open_:
            one, outcome = askers.next()
            if isinstance(outcome, Answer):
                answers.add(one, outcome)
                answered, faults = answered + 1, 0
            else:
                failed.append(Failed(one.line, one.id, str(outcome)))
                faults = 0 if isinstance(outcome, BadInput) else faults + 1
                if faults >= _MOST_FAULTS:
                    raise outcome
            on_row(skipped + answered + len(failed), len(wanted))
    return Done(answered, skipped, failed)


class _Askers:
    """Threads that ask; leaving ends what they have begun."""

    def __init__(self, engine: Engine, source: Source, wanted: Sequence[Wanted]) -> None:
        self._engine, self._source = engine, source
        self._open: queue.SimpleQueue[Wanted] = queue.SimpleQueue()
        for one in wanted:
            self._open.put(one)
        # Nobody asks far ahead of what is written down.
        self._over: queue.Queue[tuple[Wanted, Answer | FtkitError]] = queue.Queue(AT_ONCE)
        self._left = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask_on, daemon=True) for _ in range(min(AT_ONCE, len(wanted)))
        ]

    def next(self) -> tuple[Wanted, Answer | FtkitError]:
        """The next that is over."""
        return self._over.get()

    def _ask_on(self) -> None:
        while not self._left.is_set():
            try:
                one = self._open.get_nowait()
            except queue.Empty:
                return
            self._hand_over(one, self._ask(one))

    def _hand_over(self, one: Wanted, outcome: Answer | FtkitError) -> None:
        while not self._left.is_set():
            with contextlib.suppress(queue.Full):
                self._over.put((one, outcome), timeout=_LOOK_SECONDS)
                return

    def _ask(self, one: Wanted) -> Answer | FtkitError:
        last = Answer()
        try:
            for so_far in self._engine.answer(self._source, one.asked):
                last = so_far
                if self._left.is_set():
                    break
        except FtkitError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a thread that dies would leave the others waiting for its answer
            return WorkerFault("jobs.failed", "{reason}", reason=f"{type(error).__name__}: {error}")
        return last

    def __enter__(self) -> "_Askers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        for thread in self._threads:
            thread.join()
