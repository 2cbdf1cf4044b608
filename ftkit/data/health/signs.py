"""What one row shows by itself: refusals, code, addresses, control signs, broken encodings, personal data.

Takes a row and the roles of its columns, counts into a ``Tally``. It compares no rows with each other and counts no
tokens.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ftkit.data.chat import RowProblem, TrainingRow, conversation, training_row, turns
from ftkit.data.cleaning import quality, texts
from ftkit.data.cleaning.filters import language_of
from ftkit.data.health.personal import PersonalData
from ftkit.data.health.tally import Tally

Row = Mapping[str, Any]

_URL = re.compile(r"https?://[^\s<>\"']{3,}|\bwww\.[^\s<>\"']{3,}", re.IGNORECASE)
_CODE = re.compile(
    r"^```|^\s*(?:def \w+\(|class \w+[(:{]|from [\w.]+ import |import [\w.]+;?$|#include\s*<|(?:public|private|static) \w+"
    r"|function \w*\(|(?:const|let|var) \w+ ?=|SELECT .+ FROM |<(?:html|div|script|body|table)\b|for ?\(.*;.*;)",
    re.MULTILINE,
)
# Signs that steer a terminal or a reader's eye; joiners of emoji and of some scripts are none.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_CONTROL = re.compile(
    r"<\|[^<>|\s]{1,60}\|>|<｜[^<>｜\n]{1,60}｜>"  # noqa: RUF001  DeepSeek writes them with these bars
    r"|</?s>|<(?:unk|pad|bos|eos)>|</?start_of_turn>|<end_of_turn>|\[/?INST\]|<</?SYS>>"
)
_CONTROL_SIGNS = ("<", "[")
_LANGUAGE_LENGTH = 600  # characters
_SURE = 0.8  # certainty from which on a language counts


class RowSigns:
    """Looks at rows one by one.

    Args:
        mapping: role → column.
        columns: all columns of the dataset.
        special_tokens: of the chosen model's tokenizer.
        personal: look for personal data.
        language_every: the language of every n-th row is looked at.
    """

    def __init__(
        self,
        mapping: Mapping[str, str],
        columns: Sequence[str],
        special_tokens: Iterable[str] = (),
        personal: bool = True,
        language_every: int = 1,
    ) -> None:
        self._mapping = mapping
        self._used = used_columns(mapping, columns)
        self._personal = PersonalData() if personal else None
        self._language_every = language_every
        own = sorted((token for token in special_tokens if len(token.strip()) > 1), key=len, reverse=True)
        self._control = re.compile("|".join([*map(re.escape, own), _CONTROL.pattern]))
        self._control_signs = (*_CONTROL_SIGNS, *(token[0] for token in own))

    def look(self, number: int, row: Row, tally: Tally) -> TrainingRow | None:
        """Count what the row shows; the row as training takes it, or None where it cannot."""
        told = [(str(place[0]), text) for place, text in texts.leaves(row, self._used)]
        for column in self._used:
            if not any(text.strip() for place, text in told if place == column) and not _is_value(
                row.get(column)
            ):
                tally.counter("blank")[column] += 1
        self._look_at_texts(number, told, tally)
        if self._personal is not None:
            self._look_for_persons(number, told, tally)
        try:
            trained = training_row(row, self._mapping)
        except RowProblem as problem:
            tally.counter("unusable")[problem.reason] += 1
            shown = tally.example(number, "\n".join(text for _, text in told), note=problem.reason)
            tally.add("unusable", number, shown if tally.wants_example("unusable") else None)
            return None
        self._count_roles(row, tally)
        self._look_at_answer(number, answer_of(trained), tally)
        if number % self._language_every == 0:
            self._look_at_language(number, told, tally)
        return trained

    def _look_at_texts(self, number: int, told: Sequence[tuple[str, str]], tally: Tally) -> None:
        for kind, search in self._searches():
            times = 0
            first: tuple[str, str, tuple[int, int]] | None = None
            for place, text in told:
                for match in search(text):
                    times += 1
                    first = first or (place, text, match)
            if first is not None:
                place, text, at = first
                shown = tally.example(number, text, at, place) if tally.wants_example(kind) else None
                tally.add(kind, number, shown, times)

    def _searches(self) -> Iterable[tuple[str, Callable[[str], Iterable[tuple[int, int]]]]]:
        yield "url", lambda text: _spans(_URL, text) if "://" in text or "www." in text.casefold() else ()
        yield "code", lambda text: _first(_CODE, text)
        yield "hidden_sign", lambda text: () if text.isprintable() else _spans(_HIDDEN, text)
        yield "special_token", self._special_tokens
        yield "mojibake", _mojibake

    def _special_tokens(self, text: str) -> Iterable[tuple[int, int]]:
        return _spans(self._control, text) if any(sign in text for sign in self._control_signs) else ()

    def _look_for_persons(self, number: int, told: Sequence[tuple[str, str]], tally: Tally) -> None:
        assert self._personal is not None  # noqa: S101  asked by the caller
        seen: dict[str, int] = {}
        firsts: dict[str, tuple[str, tuple[int, int], str]] = {}
        for place, text in told:
            for span in self._personal.find(text):
                seen[span.kind] = seen.get(span.kind, 0) + 1
                firsts.setdefault(span.kind, (text, (span.start, span.end), place))
                tally.counter(f"place.{span.kind}")[place] += 1
        for kind, times in seen.items():
            wanted = tally.wants_example(f"personal.{kind}")
            tally.add(
                f"personal.{kind}", number, tally.example(number, *firsts[kind]) if wanted else None, times
            )

    def _count_roles(self, row: Row, tally: Tally) -> None:
        if "text" in self._mapping and "messages" not in self._mapping:
            tally.counter("roles")["text"] += 1
            return
        for message in conversation(row, self._mapping):
            tally.counter("roles")[message["role"]] += 1

    def _look_at_answer(self, number: int, answer: str, tally: Tally) -> None:
        for kind, sign in (("refusal", quality.is_refusal), ("filler", quality.is_filler)):
            if sign(answer):
                tally.add(kind, number, tally.example(number, answer) if tally.wants_example(kind) else None)

    def _look_at_language(self, number: int, told: Sequence[tuple[str, str]], tally: Tally) -> None:
        text = "\n".join(text for _, text in told)
        code, certainty = language_of(text[:_LANGUAGE_LENGTH])
        sure = code if certainty >= _SURE else ""
        tally.counter("language")[sure] += 1
        if sure:
            kind = f"language.{sure}"
            tally.add(kind, number, tally.example(number, text) if tally.wants_example(kind) else None)


def used_columns(mapping: Mapping[str, str], columns: Sequence[str]) -> tuple[str, ...]:
    """Columns that play a role and hold text; where none does, all of them."""
    playing = {column for role, column in mapping.items() if role not in texts.OTHER_ROLES}
    return tuple(name for name in columns if name in playing) or tuple(columns)


def text_of(row: Row, columns: Sequence[str]) -> str:
    """All text of a row, as cleaning compares it."""
    return "\n".join(text for _, text in texts.leaves(row, columns))


def answer_of(trained: TrainingRow) -> str:
    """What the model learns to say."""
    return trained["text"] if "text" in trained else turns(trained["completion"], "assistant")[0]["content"]


def question_of(trained: TrainingRow) -> str:
    """What it is asked: all turns but the system's."""
    asked = turns(trained.get("prompt", []), "user")
    return "\n".join(turn["content"] for turn in asked if turn["role"] != "system")


def _is_value(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _spans(pattern: re.Pattern[str], text: str) -> Iterable[tuple[int, int]]:
    return (match.span() for match in pattern.finditer(text))


def _first(pattern: re.Pattern[str], text: str) -> Iterable[tuple[int, int]]:
    match = pattern.search(text)
    return () if match is None else (match.span(),)


def _mojibake(text: str) -> Iterable[tuple[int, int]]:
    if text.isascii():
        return ()
    from ftfy.badness import BADNESS_RE  # noqa: PLC0415  not when the dashboard starts

    match = BADNESS_RE.search(text)
    return () if match is None else (match.span(),)
