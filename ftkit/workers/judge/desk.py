"""What both kinds of judge share: the verdicts file, the count of what is done, and the line that a reply becomes.

Takes replies, appends lines to ``verdicts.jsonl``; a line is written as soon as its reply is there, so that a killed worker loses
only what was on the way. It asks nobody.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ftkit.evaluation.judge.counting import SAME, Call
from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.evaluation.judge.rubric import Case, messages
from ftkit.evaluation.judge.verdict import NoVerdict, read_verdict
from ftkit.jobs.folder import append_lines, read_lines
from ftkit.workers.harness import Worker

_LONGEST_TEXT = 2000  # of a reason or a reply that is kept
_BYTES_A_TOKEN = 3  # few tokenizers need more tokens than that


class Reply(NamedTuple):
    """What a judge said, and the tokens that this took as it reported them."""

    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    refused: bool = False


class Failed(Exception):  # noqa: N818 - counted by its kind, not shown to a person as it is
    """A verdict that could not be had.

    Args:
        kind: one of ``counting.FAILURES``.
        detail: what happened.
        again: whether asking once more may help.
        wait: seconds that the other side asked to be left alone for.
    """

    def __init__(self, kind: str, detail: str, again: bool = False, wait: float | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.again, self.wait = kind, detail, again, wait


class Desk:
    """The verdicts of one judgement as they come in.

    Args:
        worker: whose folder they go into and who is told how far it is.
        options: how the judge is asked.
        cases: by row.
        secret: what must never be written down, whoever said it.
    """

    def __init__(
        self, worker: Worker, options: JudgeOptions, cases: Mapping[int, Case], secret: str = ""
    ) -> None:
        self._worker, self._options, self._cases, self._secret = worker, options, cases, secret
        self._file = worker.path / "verdicts.jsonl"
        self._begun, self._done, self._calls = time.monotonic(), 0, 0

    def lines(self) -> list[dict[str, Any]]:
        """All lines so far."""
        return read_lines(self._file)

    def note_same(self) -> None:
        """Rows whose answers are equal are a tie that nobody is asked about."""
        known = {line["row"] for line in self.lines() if line["order"] == SAME}
        equal = [case.row for case in self._cases.values() if case.same and case.row not in known]
        if equal:
            append_lines(self._file, [{"row": row, "order": SAME} for row in equal])

    def begin(self, calls: int, waits_for_others: bool) -> None:
        """So many verdicts are to come."""
        self._begun, self._done, self._calls = time.monotonic(), 0, calls
        self._waits = waits_for_others
        self._tell(None)

    def ask(self, call: Call) -> list[dict[str, str]]:
        """The messages that ask for a verdict."""
        return messages(self._cases[call.row], call.order, self._options.rubric, self._options.language)

    def take(self, call: Call, reply: Reply) -> None:
        """A reply came: it is a verdict, or a failure of its kind."""
        usage = {"prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.completion_tokens}
        try:
            if reply.refused:
                raise NoVerdict("refused", reply.text)
            verdict = read_verdict(reply.text, self._cases[call.row].texts)
        except NoVerdict as none:
            self._write(call, failure=none.kind, detail=str(none), **usage)
        else:
            self._write(call, choice=verdict.choice, reason=verdict.reason, **usage)

    def give_up(self, call: Call, failed: Failed) -> None:
        """No verdict could be had."""
        self._write(call, failure=failed.kind, detail=failed.detail)

    def _write(self, call: Call, **values: Any) -> None:
        append_lines(
            self._file, [{**call._asdict(), **{name: self._clean(value) for name, value in values.items()}}]
        )
        self._done += 1
        elapsed = time.monotonic() - self._begun
        self._tell(round(elapsed / self._done * (self._calls - self._done), 1))

    def _tell(self, left: float | None) -> None:
        self._worker.progress("judging", self._done, self._calls, waiting=self._waits, seconds_left=left)

    def _clean(self, value: Any) -> Any:
        """Short enough to keep, and without the key, which an endpoint may well say back."""
        if not isinstance(value, str):
            return value
        text = value.replace(self._secret, "***") if self._secret else value
        return text[:_LONGEST_TEXT]


def tokens_about(asked: list[dict[str, str]]) -> int:
    """About how many tokens messages have, rather too many than too few."""
    return sum(len(one["content"].encode(errors="surrogatepass")) for one in asked) // _BYTES_A_TOKEN
