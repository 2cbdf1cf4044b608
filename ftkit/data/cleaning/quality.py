"""Signs of a poor text, each one named and explainable.

Takes a text, says yes or no. Whether a row goes because of a sign is said by the step ``drop_low_quality``.
"""

import re
from collections import Counter

_LINES_FROM = 4  # fewer lines say nothing about repetition
_WORDS_FROM = 30
_LETTERS_FROM = 20
_PHRASE = 4
_OPENING = 220  # characters; a refusal stands at the beginning

_REFUSALS = re.compile(
    r"\b(?:as an? (?:ai|artificial intelligence)(?: language)?(?: model| assistant)?\b"
    r"|(?:i(?:'|’)m|i am) (?:just |only )?an? (?:ai|artificial intelligence)\b"
    r"|i(?:'|’)?m (?:really |very )?(?:sorry|afraid)[,.]? (?:but )?(?:i |that )?(?:can(?:'|’)?t|cannot|can not|am unable|do not|don(?:'|’)t have)"
    r"|i apologi[sz]e,? but i (?:can|am un|do n)"
    r"|i (?:can(?:'|’)?t|cannot|am unable to|am not able to|won(?:'|’)t) (?:assist|help|fulfil|provide|comply|answer|create|generate|complete|access|browse)"
    r"|unfortunately,? i (?:can(?:'|’)?t|cannot|am unable|do not have)"
    r"|(?:bir )?yapay zek[aâ](?: dil)? (?:modeli|asistanı) olarak"
    r"|ben (?:sadece )?bir yapay zek[aâ]"
    r"|(?:üzgünüm|maalesef|özür dilerim),? (?:ancak |ama |fakat )?(?:bu|size|buna|yardımcı|isteğinizi)[^.\n]{0,60}"
    r"(?:olamam|olamıyorum|edemem|edemiyorum|yapamam|yapamıyorum|veremem|veremiyorum|getiremiyorum|getiremem))",
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"^\W*(?:no ?input|no ?output|n/?a|none|null|nan|nil|todo|tbd|test|asdf+|yok|boş|bilinmiyor)\W*$"
    r"|\blorem ipsum dolor\b",
    re.IGNORECASE,
)


def is_only_punctuation(text: str) -> bool:
    """There is something, but no letter and no digit in it."""
    return bool(text.strip()) and not any(character.isalnum() for character in text)


def letters_share(text: str) -> float | None:
    """Share of letters among what is not white space; None for texts too short to say."""
    solid = [character for character in text if not character.isspace()]
    if len(solid) < _LETTERS_FROM:
        return None
    return sum(character.isalpha() for character in solid) / len(solid)


def repeated_lines(text: str) -> float | None:
    """Share of lines that stood before; None where there are too few lines to say."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return None if len(lines) < _LINES_FROM else 1 - len(set(lines)) / len(lines)


def repeated_phrases(text: str) -> float | None:
    """Share of the phrases of four words that the commonest one makes up; None for short texts."""
    words = text.casefold().split()
    if len(words) < _WORDS_FROM:
        return None
    phrases = Counter(zip(*(words[start:] for start in range(_PHRASE)), strict=False))
    return phrases.most_common(1)[0][1] * _PHRASE / len(words)


def is_refusal(text: str) -> bool:
    """It begins like the answer of a model that refuses, in English or Turkish."""
    return bool(_REFUSALS.search(text[:_OPENING]))


def is_filler(text: str) -> bool:
    """It holds what stands in for text: “n/a”, “no input”, “lorem ipsum”."""
    return bool(_FILLERS.search(text))
