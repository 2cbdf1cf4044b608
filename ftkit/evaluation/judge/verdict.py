"""A judge's reply read as a verdict, strictly: one JSON object with a winner and a reason, or it is none.

Takes the reply and the texts that the judge was shown, gives a ``Verdict``. Fences and prose around the object are passed over; an
object that stands word for word in what was shown is a quotation, not a verdict. It guesses nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

Choice = Literal["A", "B", "tie"]
_CHOICES: dict[str, Choice] = {"a": "A", "b": "B", "tie": "tie"}
_DECODER = json.JSONDecoder(strict=False)  # models leave line breaks within their strings
_REFUSES = re.compile(
    r"\s*(?:i['’]?m sorry|i am sorry|sorry|i can(?:not|['’]t)|i am (?:not able|unable)|i['’]m (?:not able|unable)"
    r"|as an ai|üzgünüm|özür dilerim|yardımcı olamam)",
    re.IGNORECASE,
)
_MOST_OBJECTS = 200  # in one text


class Verdict(NamedTuple):
    """What a judge said."""

    choice: Choice
    reason: str


class NoVerdict(Exception):  # noqa: N818 - counted as a failure of its kind, not raised to a person
    """The reply is no verdict; ``kind`` is ``malformed`` or ``refused``."""

    def __init__(self, kind: Literal["malformed", "refused"], detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def read_verdict(reply: str, shown: Iterable[str] = ()) -> Verdict:
    """The verdict in a reply.

    Args:
        reply: what the judge said.
        shown: texts of the case: question, reference, answers.

    Raises:
        NoVerdict: there is none, or more than one.
    """
    reply = reply.rpartition("</think>")[2]  # what a reasoning model says to itself is no verdict yet
    quoted = [value for text in shown if '"winner"' in text for value in _objects(text)]
    own = [value for value in _objects(reply) if value not in quoted]
    found = {choice for value in own if (choice := _choice(value)) is not None}
    if len(found) > 1:
        raise NoVerdict("malformed", "several verdicts that differ")
    if not found:
        if not own and _REFUSES.match(reply):
            raise NoVerdict("refused", reply)
        raise NoVerdict("malformed", reply)
    value = next(value for value in reversed(own) if _choice(value) is not None)
    return Verdict(found.pop(), str(value["reason"]).strip())


def _choice(value: dict[str, Any]) -> Choice | None:
    """The winner of an object that is a verdict."""
    winner, reason = value.get("winner"), value.get("reason")
    if not isinstance(winner, str) or not isinstance(reason, str) or not reason.strip():
        return None
    return _CHOICES.get(winner.strip().lower())


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text that name a winner, in their order."""
    place = 0
    for _ in range(_MOST_OBJECTS):
        place = text.find("{", place)
        if place < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            place += 1
            continue
        place = end
        if "winner" in value:
            yield value
