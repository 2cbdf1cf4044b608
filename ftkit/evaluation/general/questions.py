"""The questions of the forgetting check, written for this project: knowledge, arithmetic, Turkish, following instructions.

Gives questions in the order of the file. A question has either one right answer and three wrong ones, of which the model should
find the right one likeliest, or a pattern that its own answer should match. It asks no model.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import regex

SKILLS = ("knowledge", "arithmetic", "turkish", "instructions")
_FILE = Path(__file__).parent / "questions.jsonl"


class Question(NamedTuple):
    """One question; ``answer`` with ``wrong``, or ``pattern``."""

    id: str
    skill: str
    question: str
    answer: str = ""
    wrong: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """The right answer first, then the wrong ones; nothing where the model writes the answer."""
        return (self.answer, *self.wrong) if self.answer else ()

    def matches(self, answer: str) -> bool:
        """Whether an answer that the model wrote does what was asked."""
        return regex.search(self.pattern, answer) is not None


@cache
def questions() -> tuple[Question, ...]:
    """All questions."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return tuple(
        Question(**{**value, "wrong": tuple(value.get("wrong", ()))}) for value in map(json.loads, lines)
    )


@cache
def fingerprint() -> str:
    """sha256 of the questions."""
    return hashlib.sha256(_FILE.read_bytes()).hexdigest()
