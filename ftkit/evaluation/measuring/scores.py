"""Scores of one answer against its reference, its words and its label, and which JSON fields can be scored how.

Takes texts, gives numbers, words and labels; every score of a row is between 0 and 1. It aggregates nothing and knows no
model: the means, F1 and intervals over rows are made by the evaluation worker.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, NoReturn

import regex

FieldKind = Literal["category", "text"]

# A field is a category when a person would count its values rather than read them.
MOST_CATEGORIES = 20
LONGEST_CATEGORY = 30

# Chinese and Japanese write no spaces: each of their characters counts as a word.
_UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = regex.compile(rf"[{_UNSPACED}]|[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]+", regex.V1)
_TURKISH_LETTERS = frozenset("ıİğĞ")
_AROUND = " .,;:!?\"'`*“”‘’«»()[]{}…。！？"


class Field(NamedTuple):
    """A JSON field that the references have."""

    name: str
    kind: FieldKind
    labels: tuple[str, ...]  # of a category: its values as labels, most frequent first

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of its metrics."""
        if self.kind == "text":
            return (f"{self.name}_token_f1",)
        return (f"{self.name}_accuracy", f"{self.name}_macro_f1")


def normalise(text: str) -> str:
    """Text as it is compared: Unicode NFC, each run of white space one space, none at the ends; case is kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def words(text: str, turkish: bool = False) -> list[str]:
    """Words as they are counted: case-folded runs of letters, digits and their marks, without punctuation.

    Of plain English the same as rouge-score's own words. Each Chinese or Japanese character is a word.

    Args:
        text: any.
        turkish: a capital I is the capital of the dotless ı.
    """
    composed = unicodedata.normalize("NFC", text)
    if turkish:
        composed = composed.replace("I", "ı")
    # Case folding turns the Turkish capital İ into i and a combining dot, which no i elsewhere carries.
    folded = unicodedata.normalize("NFC", composed.casefold().replace("i\u0307", "i"))
    return _WORD.findall(folded)  # type: ignore[no-any-return]  # the library has no types


def word_pair(answer: str, reference: str) -> tuple[list[str], list[str]]:
    """Words of both, read as Turkish where a letter of either is only Turkish (or of a language with the same I)."""
    turkish = bool(_TURKISH_LETTERS & {*answer, *reference})
    return words(answer, turkish), words(reference, turkish)


def answer_label(text: str) -> str:
    """A whole answer as a label: white space, case, and punctuation around it do not count.

    All four letters i of Turkish count as one: a single word does not show which language it is.
    """
    folded = normalise(text).casefold().replace("i\u0307", "i").replace("ı", "i")
    return folded.strip(_AROUND) or folded


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over the words that both share, each counted as often as it stands there.

    The F1 of SQuAD (Rajpurkar et al. 2016) without its English article rule. Two texts without words agree.
    """
    given, wanted = map(Counter, word_pair(answer, reference))
    if not given or not wanted:
        return float(given == wanted)
    shared = (given & wanted).total()
    return 2 * shared / (given.total() + wanted.total())


def exact_match(answer: str, reference: str) -> float:
    """1 where the answer is the reference: as values where the reference is a JSON object, else as normalised text."""
    wanted = json_object(reference)
    if wanted is None:
        return float(normalise(answer) == normalise(reference))
    given = json_object(answer)
    return float(given is not None and label(given) == label(wanted))


def json_object(text: str) -> dict[str, Any] | None:
    """The object that ``text`` as a whole is; None where it is anything else, also an object with prose around it."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def label(value: Any) -> str:
    """A JSON value as a comparable text: keys sorted, white space in strings normalised, 2.0 written as 2."""
    return json.dumps(_canonical(value), ensure_ascii=False, sort_keys=True)


def label_names(labels: Sequence[str]) -> list[str]:
    """Labels as a person reads them: strings without quotation marks, unless two would then look the same."""
    values = [json.loads(text) for text in labels]
    plain = [value if isinstance(value, str) else text for value, text in zip(values, labels, strict=True)]
    return plain if len(set(plain)) == len(plain) else list(labels)


def field_labels(text: str, name: str) -> str | None:
    """Label of a field of a JSON answer; None where the answer is not JSON or lacks the field."""
    value = json_object(text)
    return None if value is None or name not in value else label(value[name])


def json_fields(references: Sequence[str]) -> list[Field]:
    """The fields of the references that are JSON objects, in the order in which they first appear.

    A field is a category where it has at most ``MOST_CATEGORIES`` different values of on average at most
    ``LONGEST_CATEGORY`` characters; otherwise it is text.
    """
    values: dict[str, list[str]] = {}
    for reference in references:
        for name, value in (json_object(reference) or {}).items():
            values.setdefault(name, []).append(label(value))
    return [_field(name, labels) for name, labels in values.items()]


def field_scores(answer: str, reference: str, fields: Sequence[Field]) -> dict[str, float | None]:
    """Scores of one answer in each field, by metric; None where the reference gives nothing to compare with.

    An answer that is not JSON is wrong in every field, and counted by ``json_valid``.
    """
    wanted, given = json_object(reference), json_object(answer)
    return {field.metrics[0]: _field_score(field, given, wanted) for field in fields}


def _field_score(
    field: Field, given: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None
) -> float | None:
    if wanted is None or field.name not in wanted:
        return None
    if given is None or field.name not in given:
        return 0.0
    if field.kind == "text":
        return token_f1(_as_text(given[field.name]), _as_text(wanted[field.name]))
    return float(label(given[field.name]) == label(wanted[field.name]))


def _field(name: str, labels: list[str]) -> Field:
    counted = Counter(labels)
    length = sum(len(label_names([text])[0]) for text in labels) / len(labels)
    if len(counted) > MOST_CATEGORIES or length > LONGEST_CATEGORY:
        return Field(name, "text", ())
    return Field(name, "category", tuple(sorted(counted, key=lambda text: (-counted[text], text))))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else label(value)


def _canonical(value: Any) -> Any:
    if isinstance(value, str):
        return normalise(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {normalise(key): _canonical(item) for key, item in value.items()}
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
