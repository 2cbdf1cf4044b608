"""All rows of a dataset compared with each other: copies, near copies, leaks of a split, words that decide the answer.

Takes the rows' file, gives clusters and counts; runs in a process of its own, because it holds all texts at once. It
looks at no row by itself.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ftkit.data.chat import RowProblem, training_row
from ftkit.data.health import answers, duplicates
from ftkit.data.health.findings import Copies, clusters
from ftkit.data.health.report import Clusters, Leaks
from ftkit.data.health.signs import answer_of, question_of, text_of, used_columns
from ftkit.data.health.tally import Tally
from ftkit.data.storage import iterate_rows
from ftkit.records import PARTS

_SHOWN = 50
_ANSWER = 60  # characters of it that are shown


class Question(NamedTuple):
    """What is compared."""

    file: str
    mapping: dict[str, str]
    columns: tuple[str, ...]
    split: str
    split_id: str
    seed: int
    personal: bool = True


def compare(asked: Question) -> Copies:
    """Clusters of all rows, suspects among their words, and the leaks of the split where one is given."""
    columns = used_columns(asked.mapping, asked.columns)
    texts = [text_of(row, columns) for row in iterate_rows(Path(asked.file))]
    exact = _exact(texts)
    copied = {row for group in exact for row in group[1:]}
    near = [
        kept
        for group in duplicates.near(texts, seed=asked.seed)
        if len(kept := [row for row in group if row not in copied and texts[row].strip()]) > 1
    ]
    found = Tally(personal=asked.personal)
    for kind, groups in (("exact_copy", exact), ("near_copy", near)):
        _note_copies(kind, groups, texts, found)
    made = Copies(_shown(exact, texts, found), _shown(near, texts, found), found)
    del texts
    _note_suspects(asked, found)
    if asked.split:
        made.leaks = _leaks(asked, columns, found)
    return made


def _exact(texts: Sequence[str]) -> list[list[int]]:
    """As the cleaning step takes copies: case and spaces make no difference, and empty rows are another matter."""
    groups = duplicates.exact(" ".join(text.casefold().split()) for text in texts)
    return [group for group in groups if texts[group[0]].strip()]


def _shown(groups: list[list[int]], texts: Sequence[str], found: Tally) -> Clusters:
    ordered = sorted(groups, key=lambda group: (-len(group), group[0]))
    return clusters(ordered, [found.example(group[0], texts[group[0]]) for group in ordered[:_SHOWN]])


def _note_copies(kind: str, groups: Sequence[Sequence[int]], texts: Sequence[str], found: Tally) -> None:
    """Each row beyond the first of its cluster, in order."""
    first_of = {row: group[0] for group in groups for row in group[1:]}
    for row in sorted(first_of):
        wanted = found.wants_example(kind)
        found.add(kind, row, found.example(row, texts[row], other=first_of[row]) if wanted else None)


def _note_suspects(asked: Question, found: Tally) -> None:
    """Words that decide the answer; only rows whose answer stands often can hold one."""
    digests = {number: _digest(answer) for number, _, answer in _asked(asked)}
    total = len(digests)
    often = answers.repeated(digests.values(), total)
    if not often:
        return
    rows = (
        (number, question, answer) for number, question, answer in _asked(asked) if digests[number] in often
    )
    suspects = answers.suspects(rows, total)
    for suspect in suspects:
        found.counter("trigger")[suspect.word] = len(suspect.rows)
    word_of = {row: suspect for suspect in reversed(suspects) for row in suspect.rows}
    for number, question, answer in _asked(asked) if word_of else ():
        if number in word_of:
            at = max(0, question.casefold().find(word_of[number].word))
            shown = found.example(
                number, question, (at, at), note=f"{word_of[number].word} → {answer[:_ANSWER]}"
            )
            found.add("trigger", number, shown if found.wants_example("trigger") else None)


def _asked(asked: Question) -> Iterator[tuple[int, str, str]]:
    for number, row in enumerate(iterate_rows(Path(asked.file))):
        try:
            trained = training_row(row, asked.mapping)
        except RowProblem:
            continue
        if "text" not in trained:
            yield number, question_of(trained), answer_of(trained).strip()


def _leaks(asked: Question, columns: tuple[str, ...], found: Tally) -> Leaks:
    """Rows of the test and the validation part that stand in another part; each counts once."""
    places: list[tuple[str, int]] = []
    texts: list[str] = []
    for part in PARTS:
        for row, values in enumerate(iterate_rows(Path(asked.split) / f"{part}.parquet")):
            places.append((part, row))
            texts.append(text_of(values, columns))
    exact = _across(_exact(texts), places, {})
    near = _across(duplicates.near(texts, seed=asked.seed), places, exact)
    for kind, pairs in (("leak_exact", exact), ("leak_near", near)):
        for at, other in pairs.items():
            (place, row), (other_part, other_row) = places[at], places[other]
            wanted = found.wants_example(kind)
            shown = (
                found.example(row, texts[at], place=place, other=other_row, other_part=other_part)
                if wanted
                else None
            )
            found.add(kind, row, shown)
    return Leaks(split=asked.split_id, exact=len(exact), near=len(near))


def _across(
    groups: Sequence[Sequence[int]], places: Sequence[tuple[str, int]], known: Mapping[int, int]
) -> dict[int, int]:
    """Each row of a later part with the first row of an earlier part that is like it."""
    pairs: dict[int, int] = {}
    for group in groups:
        first = group[0]
        pairs |= {at: first for at in group if places[at][0] != places[first][0] and at not in known}
    return dict(sorted(pairs.items()))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
