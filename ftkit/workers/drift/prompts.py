"""The texts that are compared: prompts of the traffic and of the training rows, brought into the same form.

Takes texts, gives prompts without personal data, each different text once: somebody who asks the same thing twenty times is no
drift, and rows that come together are no independent witnesses. It compares nothing.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ftkit.data.chat import RowProblem, conversation, is_raw, is_text
from ftkit.data.cleaning.filters import language_of
from ftkit.data.health.personal import PersonalData

_PLACEHOLDER = re.compile(r"\[(EMAIL|PHONE|CARD|IBAN|IP|TCKN|SECRET)(?:-[0-9a-f]{10})?\]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")  # noqa: RUF001 - the sign that telephones write
_NO_SPACES = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]"
)  # scripts without spaces between words
_LONGEST = 4000  # characters of a prompt that are looked at
_SURE = 0.8  # certainty from which on a language counts


class Prompt(NamedTuple):
    """One prompt.

    Args:
        id: of its request; empty for a training row.
        text: without personal data.
        words: in its order, in small letters.
        language: its code; empty where it cannot be told.
        personal: kinds of personal data that it holds or held.
    """

    id: str
    text: str
    words: tuple[str, ...]
    language: str
    personal: frozenset[str]


def of_training(rows: Iterable[Mapping[str, Any]], mapping: Mapping[str, str]) -> list[str]:
    """What the users of the training rows say, turn by turn: each of them is what a request would end with."""
    if is_text(mapping):
        return []
    found = []
    for row in rows:
        try:
            messages = conversation(row, mapping)
        except RowProblem:  # training leaves it out, too
            continue
        if is_raw(mapping):
            messages = messages[:1]
        found += [message["content"] for message in messages if message["role"] == "user"]
    return found


def distinct(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Ids and texts, the first of each different text, without empty ones; case and spaces make no difference."""
    kept: dict[str, tuple[str, str]] = {}
    for id_, text in texts:
        key = " ".join(text.casefold().split())
        if key:
            kept.setdefault(key, (id_, text))
    return list(kept.values())


def read(texts: Iterable[tuple[str, str]]) -> list[Prompt]:
    """Ids and texts as prompts."""
    finder = PersonalData()
    return [_read(id_, text[:_LONGEST], finder) for id_, text in texts]


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in small letters, without numbers; each sign of a script without spaces is a word."""
    return tuple(word for word in _WORD.findall(_NO_SPACES.sub(lambda sign: f" {sign[0]} ", text.casefold())))


def _read(id_: str, text: str, finder: PersonalData) -> Prompt:
    found = finder.find(text)
    kinds = {span.kind for span in found} | {match[1].lower() for match in _PLACEHOLDER.finditer(text)}
    parts, end = [], 0
    for span in found:
        parts += [text[end : span.start], " "]
        end = span.end
    plain = _PLACEHOLDER.sub(" ", "".join([*parts, text[end:]]))
    code, certainty = language_of(plain)
    return Prompt(id_, plain, words_of(plain), code if certainty >= _SURE else "", frozenset(kinds))
