"""One piece of a dataset, looked at in a process of its own: signs of its rows, and their lengths in tokens.

Takes the rows' file and a range, gives counts. Tokens are counted by the trainer's own code. It compares no rows.
"""

from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ftkit.data.chat import RowProblem, TrainingRow, training_row
from ftkit.data.cleaning.filters import language_of
from ftkit.data.health.answers import Balance
from ftkit.data.health.signs import RowSigns, answer_of
from ftkit.data.health.tally import Tally
from ftkit.data.storage import iterate_rows
from ftkit.models.chat_template import TemplateRefusal, control_tokens
from ftkit.workers.training.rows import IGNORED, FastTokenizer, tokenise

_GRAMMAR_LENGTH = 1000  # characters of an answer that are read
_GRAMMAR_BY_WORD = ("Spelling", "Typo")
_WIDTH = 80


class Piece(NamedTuple):
    """Which rows are looked at, and how."""

    file: str
    offset: int
    limit: int
    mapping: dict[str, str]
    columns: tuple[str, ...]
    model: str
    max_length: int
    personal: bool
    language_every: int


class Seen(NamedTuple):
    """What a piece holds; ``lengths`` has an entry for each row that the template takes."""

    rows: int
    usable: int
    tally: Tally
    balance: Balance
    lengths: list[int]
    trained: int


def look(piece: Piece) -> Seen:
    """Count what the rows of a piece show.

    Raises:
        BadInput: the model has no chat template and the rows are conversations.
    """
    tokenizer = _tokenizer(piece.model) if piece.model else None
    signs = RowSigns(
        piece.mapping,
        piece.columns,
        _special_tokens(piece.model) if piece.model else (),
        piece.personal,
        piece.language_every,
    )
    tally, balance, lengths = Tally(personal=piece.personal), Balance(), list[int]()
    count = usable = trained = 0
    for number, row in enumerate(
        islice(iterate_rows(Path(piece.file), piece.offset), piece.limit), piece.offset
    ):
        count += 1
        training = signs.look(number, row, tally)
        if training is None:
            continue
        usable += 1
        balance.add(answer_of(training))
        if tokenizer is not None:
            trained += _count_tokens(number, training, tokenizer, piece.max_length, (tally, lengths))
    return Seen(count, usable, tally, balance, lengths, trained)


def hints(piece: Piece, every: int) -> Tally:
    """Grammar and spelling hints on every n-th English answer of a piece; counter ``read`` says how many were read."""
    from harper import Linter  # noqa: PLC0415  loads a dictionary: two seconds that no other piece needs

    linter, tally = Linter(), Tally(personal=piece.personal)
    rows = islice(iterate_rows(Path(piece.file)), piece.offset, piece.offset + piece.limit)
    for number, row in enumerate(rows, piece.offset):
        if number % every:
            continue
        try:
            answer = answer_of(training_row(row, piece.mapping))
        except RowProblem:
            continue
        if answer.lstrip().startswith(("{", "[", "<")) or "```" in answer or language_of(answer)[0] != "en":
            continue
        tally.counter("read")["en"] += 1
        _lint(linter, number, answer[:_GRAMMAR_LENGTH], tally)
    return tally


def _lint(linter: object, number: int, answer: str, tally: Tally) -> None:
    found = linter.lint(answer)  # type: ignore[attr-defined]  # no stubs for what the module gives
    if not found:
        return
    tally.counter("grammar").update(lint.lint_kind_pretty for lint in found)
    first = found[0]
    note = f"{first.problem_text}: {first.message}"[: 2 * _WIDTH]
    at = (first.span.start, first.span.end)
    tally.add(
        "grammar",
        number,
        tally.example(number, answer, at, note=note) if tally.wants_example("grammar") else None,
        len(found),
    )


def _count_tokens(
    number: int, row: TrainingRow, tokenizer: FastTokenizer, limit: int, into: tuple[Tally, list[int]]
) -> int:
    """Tokens of one row that the loss would count; 0 where training leaves the row out."""
    tally, lengths = into
    try:
        made = tokenise(row, tokenizer)
    except TemplateRefusal as refusal:
        reason = str(refusal.values.get("reason", refusal))
        tally.counter("template")[reason] += 1
        tally.add(
            "template",
            number,
            tally.example(number, answer_of(row), note=reason) if tally.wants_example("template") else None,
        )
        return 0
    length = made.longest
    lengths.append(length)
    if length > limit:
        _note_too_long(number, row, f"{length}", tally)
    if all(label == IGNORED for label in made.labels[1:limit]):
        tally.add(
            "no_room",
            number,
            tally.example(number, answer_of(row), note=f"{length}")
            if tally.wants_example("no_room")
            else None,
        )
    return made.trained if length <= limit else 0


def _note_too_long(number: int, row: TrainingRow, note: str, tally: Tally) -> None:
    tally.add(
        "too_long",
        number,
        tally.example(number, answer_of(row), note=note) if tally.wants_example("too_long") else None,
    )


@lru_cache(maxsize=1)
def _tokenizer(folder: str) -> FastTokenizer:
    return FastTokenizer(Path(folder))


@lru_cache(maxsize=1)
def _special_tokens(folder: str) -> tuple[str, ...]:
    return tuple(control_tokens(Path(folder)))
