"""An answer beside its reference, word by word: what both have, what only one of them has.

Takes two texts, gives pieces of plain text in order; whoever shows them escapes them. It understands no meaning.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_MOST = 4_000_000  # pairs of words that are compared; beyond that lines are


KINDS = ("same", "extra", "missing")


class Piece(NamedTuple):
    """A stretch of text: in both, only in the answer (``extra``), or only in the reference (``missing``)."""

    kind: Literal["same", "extra", "missing"]
    text: str


def likeness(pieces: Sequence[Piece]) -> float:
    """How much of both texts stands in both, from 0 to 1, white space not counted."""
    counts = {
        kind: sum(len("".join(one.text.split())) for one in pieces if one.kind == kind) for kind in KINDS
    }
    whole = 2 * counts["same"] + counts["extra"] + counts["missing"]
    return 2 * counts["same"] / whole if whole else 1.0


def word_difference(answer: str, reference: str) -> list[Piece]:
    """The answer with what it has too much and what it lacks; joined without the missing pieces it is the answer again."""
    given, wanted = _WORDS.findall(answer), _WORDS.findall(reference)
    if len(given) * len(wanted) > _MOST:
        given, wanted = _LINES.findall(answer), _LINES.findall(reference)
    pieces: list[Piece] = []
    for kind, first, last, begin, end in SequenceMatcher(None, given, wanted, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(given[first:last])))
            continue
        if last > first:
            pieces.append(Piece("extra", "".join(given[first:last])))
        if end > begin:
            pieces.append(Piece("missing", "".join(wanted[begin:end])))
    return pieces
