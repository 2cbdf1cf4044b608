"""Steps that change texts: unicode and white space, broken encodings, find and replace, control tokens.

Each gives a function from text to text that changes nothing the second time, find and replace excepted. They drop no row.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any, Literal

from ftkit.data.cleaning.steps import Context, TextStep, option
from ftkit.errors import BadInput

_ROUNDS = 5
_SECONDS = 1.0  # for one pattern on one text
_PATTERN_LENGTH = 500
_RESULT_LENGTH = 4_000_000

# Joiners are letters' business in Persian, Indic scripts and emoji; elsewhere they are invisible dirt.
_JOINERS = re.compile(r"(?<![^\x00-\u024f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u024f])")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # of no width, and bidi
    "\U000e0000-\U000e007f\ue000-\uf8ff\ufdd0-\ufdef]"  # tags, private use, never characters
)
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_TAIL = re.compile(r"[ \t]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{4,}")
_RUNS = re.compile(r"(?<=\S)[ \t]{2,}(?=\S)")

# Control tokens of the usual model families; further ones come from the tokenizer of a named model.
_CONTROL = (
    r"<\|[^<>|\s]{1,60}\|>|<｜[^<>｜\n]{1,60}｜>"  # noqa: RUF001  DeepSeek writes them with these bars
    r"|</?s>|<(?:unk|pad|bos|eos|mask)>|</?start_of_turn>|<end_of_turn>|<start_of_image>"
    r"|\[/?INST\]|<</?SYS>>|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
)


class NormaliseText(TextStep):
    """One way of writing what looks the same."""

    title = "Tidy the text"
    help = "Unicode, white space and invisible characters are written one way."

    step: Literal["normalise_text"] = "normalise_text"
    unicode: Literal["NFC", "NFKC", "none"] = option(
        "NFC",
        "Unicode form",
        "How composed letters are written.",
        choices={
            "NFC": "NFC: the same letters",
            "NFKC": "NFKC: plain forms too, ① becomes 1",
            "none": "as it is",
        },
    )
    whitespace: bool = option(
        True, "White space", "Spaces at line ends and around the text go; special spaces become plain ones."
    )
    double_spaces: bool = option(
        False, "Double spaces", "Several spaces between words become one. Leave it off for tables and code."
    )
    invisible: bool = option(
        True, "Invisible characters", "Control, zero-width and text-direction characters go."
    )
    lower_case: Literal["no", "plain", "turkish"] = option(
        "no",
        "Lower case",
        "Whether capital letters become small ones.",
        choices={"no": "no", "plain": "yes", "turkish": "yes, by Turkish rules (I → ı)"},
    )

    def rewrite(self, context: Context) -> Callable[[str], str]:
        """Tidy until nothing changes any more: one rule may make room for another."""
        return lambda text: _settled(text, self._once)

    def _once(self, text: str) -> str:
        if self.whitespace:
            text = _LINE_ENDS.sub("\n", text)
            text = _SPACES.sub(" ", text)
        if self.invisible:
            text = _JOINERS.sub("", _INVISIBLE.sub("", text))
        if self.lower_case != "no":
            text = (text.translate({0x49: "ı", 0x130: "i"}) if self.lower_case == "turkish" else text).lower()
        if self.unicode != "none":
            text = unicodedata.normalize(self.unicode, text)
        if self.double_spaces:
            text = _RUNS.sub(" ", text)
        if self.whitespace:
            text = _BLANK_LINES.sub("\n\n\n", _LINE_TAIL.sub("", text)).strip()
        return text


class RepairMojibake(TextStep):
    """Text that was read in the wrong encoding."""

    title = "Repair broken letters"
    help = "“Ã§ay” becomes “çay”: text that was once read in the wrong encoding is put right."

    step: Literal["repair_mojibake"] = "repair_mojibake"
    entities: bool = option(
        False, "HTML entities", "“&amp;” becomes “&”. Leave it off for lessons about HTML."
    )

    def rewrite(self, context: Context) -> Callable[[str], str]:
        """Let ftfy undo the wrong reading; it leaves alone what it is not sure of."""
        import ftfy  # noqa: PLC0415  only this step needs it
        from ftfy.fixes import unescape_html  # noqa: PLC0415  as above

        def once(text: str) -> str:
            text = ftfy.fix_encoding(text)
            return unescape_html(text) if self.entities else text

        return lambda text: text if text.isascii() and not self.entities else _settled(text, once)


class FindReplace(TextStep):
    """One text for another."""

    title = "Find and replace"
    help = "Every place where a text or a pattern stands gets another text."

    step: Literal["find_replace"] = "find_replace"
    find: str = option("", "Find", "The text, or the pattern.", max_length=_PATTERN_LENGTH)
    replace: str = option(
        "", "Replace by", r"May be empty. In a pattern \1 is the first group.", max_length=_PATTERN_LENGTH
    )
    pattern: bool = option(False, "Is a pattern", "“Find” is a regular expression.")
    ignore_case: bool = option(False, "Ignore case", "Capital letters make no difference.")
    whole_words: bool = option(False, "Whole words", "Not inside of longer words.")

    def check(self, context: Context) -> None:
        """Read the pattern and its replacement.

        Raises:
            BadInput: the pattern is empty or wrong.
        """
        super().check(context)
        self.rewrite(context)

    def rewrite(self, context: Context) -> Callable[[str], str]:
        """Replace with a limit on time and length.

        Raises:
            BadInput: the pattern is empty, wrong, or takes too long on a text.
        """
        if not self.find:
            raise BadInput("clean.nothing_to_find", "“Find” is empty. Say what to look for.")
        substitute = self._substitute()

        def change(text: str) -> str:
            try:
                new = substitute(text)
            except TimeoutError as error:
                raise BadInput(
                    "clean.slow_pattern",
                    "The pattern {find} takes longer than {seconds} s on one text. Make it simpler.",
                    find=self.find,
                    seconds=_SECONDS,
                ) from error
            if len(new) > max(_RESULT_LENGTH, len(text)):
                raise BadInput(
                    "clean.text_too_long",
                    "Replacing {find} makes a text of {length} characters. Use a shorter replacement.",
                    find=self.find,
                    length=len(new),
                )
            return new

        return change

    def _substitute(self) -> Callable[[str], str]:
        import regex  # noqa: PLC0415  unlike re it can give up after a time

        source = self.find if self.pattern else regex.escape(self.find, special_only=True)
        source = rf"\b(?:{source})\b" if self.whole_words else source
        replacement: Any = self.replace if self.pattern else lambda _match: self.replace
        try:
            compiled = regex.compile(source, regex.IGNORECASE if self.ignore_case else 0)
            # With nothing as a further match, the replacement is read here and not only at the first find.
            regex.compile(f"(?:{source})|", compiled.flags).sub(replacement, "", timeout=_SECONDS)
        except (regex.error, ValueError, OverflowError, RecursionError, IndexError) as error:
            raise BadInput(
                "clean.bad_pattern",
                "The pattern {find} cannot be used ({problem}). Correct it, or switch “Is a pattern” off.",
                find=self.find,
                problem=error,
            ) from error
        return lambda text: str(compiled.sub(replacement, text, timeout=_SECONDS))


class NeutraliseSpecialTokens(TextStep):
    """Control tokens of models inside the content."""

    title = "Disarm control tokens"
    help = "Text such as “<|im_end|>” inside a row would act as a command to the model. It is broken up or removed."

    step: Literal["neutralise_special_tokens"] = "neutralise_special_tokens"
    how: Literal["break", "remove"] = option(
        "break",
        "How",
        "What happens to them.",
        choices={"break": "a space breaks them up", "remove": "they are removed"},
    )
    model: str = option(
        "", "Model", "Its own control tokens are looked for too, by its id. May be empty.", max_length=200
    )

    def rewrite(self, context: Context) -> Callable[[str], str]:
        """Break or remove until none is left: what was removed may have held two halves apart."""
        own: tuple[str, ...] = ()
        if self.model and context.special_tokens is not None:
            own = tuple(token for token in context.special_tokens(self.model) if len(token.strip()) > 1)
        words = [re.escape(token) for token in sorted(own, key=len, reverse=True)]
        control = re.compile("|".join([*words, _CONTROL]))
        broken = "" if self.how == "remove" else None

        def once(text: str) -> str:
            if broken is not None:
                return control.sub(broken, text)
            return control.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)

        return lambda text: _settled(text, once)


def _settled(text: str, once: Callable[[str], str]) -> str:
    """Apply a change until it changes nothing."""
    for _ in range(_ROUNDS):
        new = once(text)
        if new == text:
            break
        text = new
    return text
