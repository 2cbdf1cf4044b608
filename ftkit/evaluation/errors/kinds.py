"""What kind of error an answer is: each kind found by a rule that can be told in a sentence.

Takes an answer with what is known of it, gives the kinds that apply, in a fixed order; none for a right answer. It judges
no style and asks no model.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ftkit.evaluation.measuring.scores import (
    Field,
    exact_match,
    json_object,
    label,
    normalise,
    token_f1,
    words,
)

# In the order in which they are told; ``wrong_field`` and ``missing_field`` name their field behind a colon.
KINDS = (
    *("empty", "cut", "refusal", "repeats", "not_json", "missing_field", "wrong_field", "extra_field"),
    *("wrong_language", "too_long", "too_short", "other"),
)
IN_FIELDS = frozenset({"missing_field", "wrong_field", "extra_field"})  # of answers that are JSON
_ROOM = 5  # words that an answer may be longer or shorter without notice
_FACTOR = 2  # times as long, or as short
_PHRASE = 3  # words; a run of this many that comes again and again is a repetition
_TIMES = 4
_SHARE = 0.3  # of all words that the repeated run must cover
_SAME_TEXT = 0.5  # word overlap below which a text field is wrong


class Answered(NamedTuple):
    """An answer and what is known of it; languages are codes, or empty where they are not known."""

    text: str
    reference: str
    cut: bool = False
    refuses: bool = False
    language: str = ""
    reference_language: str = ""
    wrong: bool = True


def errors_of(answered: Answered, fields: Sequence[Field]) -> tuple[str, ...]:
    """The kinds of errors of one answer.

    Args:
        answered: the answer; ``wrong`` says whether the chosen measure counts it as wrong.
        fields: the JSON fields of the references.
    """
    text, reference = answered.text, answered.reference
    if exact_match(text, reference):
        return ()
    if not text.strip():
        return ("empty",)
    found = []
    if answered.cut:
        found.append("cut")
    if answered.refuses:
        found.append("refusal")
    if repeats(text):
        found.append("repeats")
    wanted = json_object(reference)
    found += _in_json(text, wanted, fields) if wanted is not None else _in_text(answered)
    if answered.language and answered.reference_language and answered.language != answered.reference_language:
        found.append("wrong_language")
    if not found and answered.wrong:
        found.append("other")
    return tuple(sorted(found, key=lambda kind: KINDS.index(kind.partition(":")[0])))


def repeats(text: str) -> bool:
    """Whether a run of three words, or one long piece without spaces, comes again and again."""
    told = normalise(text).casefold().split()
    runs = Counter(zip(*(told[start:] for start in range(_PHRASE)), strict=False))
    if not runs:
        return False
    times = runs.most_common(1)[0][1]
    return times >= _TIMES and times * _PHRASE >= _SHARE * len(told)


def _in_json(text: str, wanted: dict[str, object], fields: Sequence[Field]) -> list[str]:
    given = json_object(text)
    if given is None:
        return ["not_json"]
    found = []
    for field in fields:
        name = field.name
        if name not in wanted:
            continue
        if name not in given:
            found.append(f"missing_field:{name}")
        elif not _same(field, given[name], wanted[name]):
            found.append(f"wrong_field:{name}")
    if given.keys() - wanted.keys():
        found.append("extra_field")
    return found


def _same(field: Field, given: object, wanted: object) -> bool:
    if label(given) == label(wanted):
        return True
    if field.kind != "text":
        return False
    first, second = (one if isinstance(one, str) else label(one) for one in (given, wanted))
    return token_f1(first, second) >= _SAME_TEXT


def _in_text(answered: Answered) -> list[str]:
    given, wanted = len(words(answered.text)), len(words(answered.reference))
    if given > _FACTOR * wanted + _ROOM:
        return ["too_long"]
    return ["too_short"] if wanted > _FACTOR * given + _ROOM else []
