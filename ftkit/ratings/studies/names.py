"""Names of models in an answer: an answer that says whose it is would tell the rater what must not be known.

Takes ids and labels of the models of a study and a text, gives the names that the text says. It changes no text.
"""

import re
from collections.abc import Iterable

# Families and makers that models name when they are asked who they are, with a version behind them or without one.
FAMILIES = (
    *("smollm", "llama", "tinyllama", "qwen", "gpt", "chatgpt", "distilgpt", "gemma", "mistral", "mixtral"),
    *("deepseek", "falcon-?instruct", "flan-?t5", "claude", "openai", "anthropic", "hugging ?face"),
)
_FAMILY = rf"(?:{'|'.join(FAMILIES)})(?:[ -]?v?\d+(?:\.\d+)*[a-z]?)?"
_PART = re.compile(r"[^\s/·|,;:()]+")


class Names:
    """What gives a model away.

    Args:
        given: ids and labels of the models: each as a whole, and those of its parts that are no ordinary words, which have a
            letter and a digit, such as ``smollm2``.
    """

    def __init__(self, given: Iterable[str]) -> None:
        told = {text.strip() for text in given if text.strip()}
        parts = {
            part for text in told for piece in _PART.findall(text) for part in (piece, *piece.split("-"))
        }
        words = {text for text in told if _is_distinct(text)} | {part for part in parts if _is_name(part)}
        escaped = [re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))]
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join([*escaped, _FAMILY])})(?!\w)", re.IGNORECASE)

    def said(self, text: str) -> tuple[str, ...]:
        """The names in a text, each once, in the order in which they stand there."""
        found: dict[str, str] = {}
        for match in self._pattern.finditer(text):
            found.setdefault(match.group().casefold(), match.group())
        return tuple(found.values())


def _is_distinct(text: str) -> bool:
    """Whether a whole name is more than one ordinary word."""
    return len(text.split()) > 1 or _is_name(text)


def _is_name(word: str) -> bool:
    """Whether it has a letter and a digit, and is long enough not to be chance."""
    has_both = any(sign.isalpha() for sign in word) and any(sign.isdigit() for sign in word)
    return has_both and len(word) >= 4  # noqa: PLR2004 - shorter ones, such as 2nd, are ordinary
