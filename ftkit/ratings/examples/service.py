"""Answers that a person kept as examples: a prompt and the answer that should be given to it.

Takes messages and a chosen, perhaps edited, answer; gives them back as rows of a chat dataset. It makes no dataset: that is the
data room's.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ftkit.errors import BadInput, NotFound
from ftkit.records import Record
from ftkit.store.examples import ExampleLine, ExampleTable

_LONGEST = 100_000


class KeptExample(Record):
    """One of them."""

    id: str
    messages: tuple[dict[str, Any], ...]
    answer: str
    side: str = ""
    edited: bool = False
    saved_at: datetime

    @property
    def row(self) -> dict[str, Any]:
        """As a row of a chat dataset."""
        return {"messages": [*self.messages, {"role": "assistant", "content": self.answer}]}


class ExampleService:
    """The examples of one data folder."""

    def __init__(self, table: ExampleTable, clock: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._table = table
        self._clock = clock
        self._new_id = new_id

    def keep(
        self,
        messages: Sequence[Mapping[str, Any]],
        answer: str,
        *,
        side: str = "",
        said: str | None = None,
        by: str = "owner",
    ) -> KeptExample:
        """Keep an answer.

        Args:
            messages: what is asked, with the turns before it.
            answer: what should be answered.
            side: name of the model that gave it.
            said: what the model said, where a person may have edited it.
            by: who keeps it.

        Raises:
            BadInput: there is no question or no answer, or it is too long.
        """
        if not messages or not str(messages[-1].get("content", "")).strip() or not answer.strip():
            raise BadInput(
                "examples.empty", "An example needs a question and an answer. Choose an answer, or write one."
            )
        if len(answer) > _LONGEST:
            raise BadInput(
                "examples.too_long",
                "The answer has {length} characters; the most is {most}. Shorten it.",
                length=len(answer),
                most=_LONGEST,
            )
        content = {
            "messages": [dict(message) for message in messages],
            "answer": answer,
            "side": side,
            "edited": said is not None and said != answer,
        }
        line = ExampleLine(self._new_id(), content, by, self._clock())
        self._table.add(line)
        return _example(line)

    def all(self) -> list[KeptExample]:
        """All of them, in the order in which they were kept."""
        return [_example(line) for line in self._table.all()]

    def delete(self, id_: str) -> None:
        """Forget one.

        Raises:
            NotFound: there is none with this id.
        """
        if not self._table.delete(id_):
            raise NotFound("examples.none", "There is no kept example {id}. Reload the page.", id=id_)

    def rows(self) -> list[dict[str, Any]]:
        """All of them as rows of a chat dataset.

        Raises:
            BadInput: nothing is kept.
        """
        found = [one.row for one in self.all()]
        if not found:
            raise BadInput(
                "examples.nothing", "No example is kept yet. Keep an answer on the Compare page first."
            )
        return found


def _example(line: ExampleLine) -> KeptExample:
    return KeptExample(id=line.id, saved_at=line.saved_at, **line.content)
