"""Keys and passwords in rows that a run would train on, before it starts.

Takes a file of rows, gives a count and masked examples. It looks for no other personal data: a check does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ftkit.data import storage
from ftkit.data.cleaning import texts
from ftkit.data.health.personal import Span, apart, secrets, suspects
from ftkit.data.health.signs import used_columns
from ftkit.data.health.tally import example

_EXAMPLES = 3


class Secrets(NamedTuple):
    """Rows with a secret, and the first of them as they may be shown."""

    rows: int
    examples: tuple[str, ...]


def find(file: Path, mapping: Mapping[str, str]) -> Secrets:
    """Look through all rows; they are counted from 1, as in the reasons why rows are left out."""
    used = used_columns(mapping, storage.columns_of(file)[0])
    rows, examples = 0, list[str]()
    for number, row in enumerate(storage.iterate_rows(file), start=1):
        told = (text for _, text in texts.leaves(row, used))
        found = next(((text, place) for text in told for place in secrets(text)), None)
        if found is None:
            continue
        rows += 1
        if len(examples) < _EXAMPLES:
            text, at = found
            examples.append(f"row {number}: {example(number, text, at, find=_masks).text}")
    return Secrets(rows, tuple(examples))


def _masks(text: str) -> list[Span]:
    """The secrets, and whatever has the rough form of personal data: presidio is not worth its loading here."""
    keys = (Span("secret", start, end, text[start:end]) for start, end in secrets(text))
    return apart([*keys, *suspects(text)])
