"""Steps that decide by one row alone whether it stays: length, emptiness, language, signs of poor quality.

They change no text. The filter by an expression stands in ``expression``.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

from ftkit.data import chat
from ftkit.data.chat import RowProblem
from ftkit.data.cleaning import quality, texts
from ftkit.data.cleaning.steps import (
    KEEP,
    Context,
    Drop,
    Judge,
    PartStep,
    Row,
    Step,
    Verdict,
    option,
    reason,
)
from ftkit.data.phrases import phrase
from ftkit.errors import BadInput

_MOST = 10_000_000
_LANGUAGE_FROM = 20  # letters; shorter texts are guessed wrong too often
_LANGUAGE_LOOKED_AT = 2_000  # characters
_CODE = re.compile(r"```.*?(?:```|\Z)|https?://\S+", re.DOTALL)
_UNITS = {"characters": "characters", "words": "words", "tokens": "tokens (needs a model)"}


class _LengthStep(PartStep):
    unit: Literal["characters", "words", "tokens"] = option(
        "characters", "Counted in", "What is counted.", choices=_UNITS
    )
    model: str = option("", "Model", "Whose tokens are counted, by its id; only for tokens.", max_length=200)

    def measure(self, context: Context) -> Callable[[str], int]:
        """The function that gives the length of a text.

        Raises:
            BadInput: tokens are to be counted and no model is named.
        """
        if self.unit == "characters":
            return len
        if self.unit == "words":
            return lambda text: len(text.split())
        if not self.model:
            raise BadInput(
                "clean.no_model", "Length in tokens needs a model. Name one by its id, or count words."
            )
        count, model = context.count_tokens, self.model
        if count is None:
            raise BadInput("clean.no_tokens", "Tokens cannot be counted here. Count words or characters.")
        return lambda text: count(model, text)


class DropShort(_LengthStep):
    """Rows below a length."""

    title = "Remove short rows"
    help = "Rows with less text than this go."

    step: Literal["drop_short"] = "drop_short"
    minimum: int = option(10, "At least", "The shortest length that stays.", ge=1, le=_MOST)

    def judge(self, context: Context) -> Judge:
        """Measure each row."""
        text_of, measure = self.text_of(context), self.measure(context)
        short = reason("clean_short", limit=self.minimum, unit=phrase(f"unit_{self.unit}"))
        return lambda _number, row: short if measure(text_of(row).strip()) < self.minimum else KEEP


class DropLong(_LengthStep):
    """Rows above a length."""

    title = "Remove long rows"
    help = "Rows with more text than this go. They are not cut."

    step: Literal["drop_long"] = "drop_long"
    maximum: int = option(20_000, "At most", "The longest length that stays.", ge=1, le=_MOST)

    def judge(self, context: Context) -> Judge:
        """Measure each row."""
        text_of, measure = self.text_of(context), self.measure(context)
        long = reason("clean_long", limit=self.maximum, unit=phrase(f"unit_{self.unit}"))
        return lambda _number, row: long if measure(text_of(row).strip()) > self.maximum else KEEP


class DropEmpty(Step):
    """Rows that cannot teach anything."""

    title = "Remove empty rows"
    help = "Rows without a question or without an answer go, and rows that do not fit their roles."

    step: Literal["drop_empty"] = "drop_empty"

    def judge(self, context: Context) -> Judge:
        """Read each row as training would; named columns must hold text instead."""
        columns = self.of(context)

        def decide(_number: int, row: Row) -> Verdict:
            if self.columns or not context.mapping:
                blank = [name for name in columns if not _has_text(row, name)]
                wanted = 1 if self.columns else len(columns)
                return reason("empty_column", name=blank[0]) if len(blank) >= wanted else KEEP
            try:
                trained = chat.training_row(row, context.mapping)
            except RowProblem as problem:
                return Drop(problem.reason)
            turns = chat.turns(trained.get("prompt", []), "user")
            if turns and not any(turn["content"].strip() for turn in turns if turn["role"] != "system"):
                return reason("no_question")
            return KEEP

        return decide


class KeepLanguages(PartStep):
    """Rows in some languages only."""

    title = "Keep languages"
    help = "Rows in another language go. The language is guessed from the words, on this machine."

    step: Literal["keep_languages"] = "keep_languages"
    languages: tuple[str, ...] = option(
        ("en",), "Languages", "Two-letter codes with commas between, such as en, tr.", min_length=1
    )
    confidence: float = option(
        0.6, "Certainty", "Rows whose language is less certain than this count as short rows do.", ge=0, le=1
    )
    uncertain: Literal["keep", "drop"] = option(
        "keep",
        "Short and unclear rows",
        "What happens to rows too short or too mixed to tell.",
        choices={"keep": "stay", "drop": "go"},
    )

    def judge(self, context: Context) -> Judge:
        """Guess the language of each row.

        Raises:
            BadInput: a language is not known.
        """
        text_of, wanted = self.text_of(context), {name.casefold() for name in self.languages}
        known = {str(label) for label in _identifier().labels}
        for name in sorted(wanted - known):
            raise BadInput(
                "clean.unknown_language",
                "There is no language “{name}”. Use two-letter codes: {known}.",
                name=name,
                known=", ".join(sorted(known)),
            )

        def decide(_number: int, row: Row) -> Verdict:
            code, certainty = language_of(text_of(row))
            if not code or certainty < self.confidence:
                return KEEP if self.uncertain == "keep" else reason("clean_language_unclear")
            return KEEP if code in wanted else reason("clean_language", code=code)

        return decide


class DropLowQuality(PartStep):
    """Rows with signs of poor text."""

    title = "Remove poor rows"
    help = "Rows whose answer shows one of these signs go; the sign is written down for each."

    step: Literal["drop_low_quality"] = "drop_low_quality"
    part: Literal["row", "question", "answer"] = option(
        "answer",
        "Look at",
        "Which part of a row is looked at. Named columns go before this.",
        choices={"row": "the whole row", "question": "the question", "answer": "the answer"},
    )
    only_punctuation: bool = option(True, "Only punctuation", "There is no letter and no digit.")
    refusals: bool = option(
        True, "Refusals", "It begins like “As an AI language model …” or “I'm sorry, but I can't …”."
    )
    fillers: bool = option(True, "Fillers", "It is “n/a”, “no input”, “lorem ipsum” and the like.")
    echo: bool = option(True, "Echo", "The answer is the question once more.")
    letters: float = option(
        0.1,
        "Fewest letters",
        "Share of letters among all signs that are not spaces. 0 turns it off; code and sums have few.",
        ge=0,
        le=1,
    )
    repeated_lines: float = option(
        0.5, "Repeated lines", "Largest share of lines that stood before. 1 turns it off.", gt=0, le=1
    )
    repeated_phrases: float = option(
        0.4,
        "Repeated phrases",
        "Largest share of the text that one phrase of four words may make up. 1 turns it off.",
        gt=0,
        le=1,
    )

    def judge(self, context: Context) -> Judge:
        """Look for the first sign."""
        text_of = self.text_of(context)

        def decide(_number: int, row: Row) -> Verdict:
            text = text_of(row)
            key = self._sign(text) if text.strip() else None
            if key is None and self.echo and self._is_echo(row, context):
                key = "clean_echo"
            return KEEP if key is None else reason(key)

        return decide

    def _sign(self, text: str) -> str | None:
        if self.only_punctuation and quality.is_only_punctuation(text):
            return "clean_punctuation"
        if self.refusals and quality.is_refusal(text):
            return "clean_refusal"
        if self.fillers and quality.is_filler(text):
            return "clean_filler"
        if _below(quality.letters_share(text), self.letters):
            return "clean_letters"
        if _above(quality.repeated_lines(text), self.repeated_lines):
            return "clean_repeated_lines"
        return (
            "clean_repeated_phrases"
            if _above(quality.repeated_phrases(text), self.repeated_phrases)
            else None
        )

    def _is_echo(self, row: Row, context: Context) -> bool:
        question, answer = (
            " ".join(texts.part(row, context.mapping, which).casefold().split())
            for which in ("question", "answer")
        )
        return bool(answer) and question == answer


def language_of(text: str) -> tuple[str, float]:
    """Code and certainty of a text's language; an empty code where there is too little text."""
    told = _CODE.sub(" ", text[: 2 * _LANGUAGE_LOOKED_AT])[:_LANGUAGE_LOOKED_AT]
    if sum(character.isalpha() for character in told) < _LANGUAGE_FROM:
        return "", 0.0
    code, certainty = _identifier().classify(told)
    return str(code or ""), float(certainty)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  loads a model and numpy

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _has_text(row: Row, column: str) -> bool:
    value = row.get(column)
    if isinstance(value, str | list | dict):
        return any(text.strip() for _, text in texts.leaves(row, (column,)))
    return value is not None


def _below(share: float | None, limit: float) -> bool:
    return share is not None and share < limit


def _above(share: float | None, limit: float) -> bool:
    return share is not None and share > limit
