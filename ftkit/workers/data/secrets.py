"""Keys and passwords in rows that a run would train on, before it starts.

Takes a file of rows, gives a count and masked examples. It looks for no other personal data: a check does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ftkit.data import storage
from ftkit.data.cleaning import texts
from ftkit.data.health.personal import PersonalData
from ftkit.data.health.signs import used_columns
from ftkit.data.health.tally import example

_EXAMPLES = 3
# Only a text with such a word, or with the head of a key file, is worth the whole search.
_LONG_WORD = re.compile(r"-----BEGIN|\b(?=\w[\w-]*[\dA-Z_-])[\w-]{15}")


class Secrets(NamedTuple):
    """Rows with a secret, and the first of them as they may be shown."""

    rows: int
    examples: tuple[str, ...]


def find(file: Path, mapping: Mapping[str, str]) -> Secrets:
    """Look through all rows; they are counted from 1, as in the reasons why rows are left out."""
    search = PersonalData()
    used = used_columns(mapping, storage.columns_of(file)[0])
    rows, examples = 0, list[str]()
    for number, row in enumerate(storage.iterate_rows(file), start=1):
        found = next(_places(search, [text for _, text in texts.leaves(row, used)]), None)
        if found is None:
            continue
        rows += 1
        if len(examples) < _EXAMPLES:
            text, at = found
            examples.append(f"row {number}: {example(number, text, at).text}")
    return Secrets(rows, tuple(examples))


def _places(search: PersonalData, told: Sequence[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    for text in told:
        for span in search.find(text) if _LONG_WORD.search(text) else ():
            if span.kind == "secret":
                yield text, (span.start, span.end)
