"""What a reader is told and tells beside its rows: choices, skipped lines with reasons, notes, and the shared limits.

Takes one call per event, gives counts and the first few of each. It decides nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ftkit.data.phrases import phrase
from ftkit.errors import BadInput
from ftkit.records import Record, Skipped

Row = dict[str, Any]
Numbered = Iterator[tuple[int, Row]]

ROWS_LIMIT = 1_000_000
ROW_LENGTH_LIMIT = 1_000_000  # characters; a longer "row" is nearly always a missing line end or quote
COLUMNS_LIMIT = 200
NAME_LIMIT = 100
DEPTH_LIMIT = 64
FILES_LIMIT = 100
_KEPT = 100


class Options(Record):
    """What a person says about a file where the content leaves it open; empty means: find out."""

    encoding: str = ""
    delimiter: str = ""
    header: bool | None = None
    sheet: str = ""
    list_name: str = ""


class Report:
    """Collects while files are read, one after another."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.file = ""
        self.skipped: list[Skipped] = []
        self.skipped_count = 0
        self.notes: list[str] = []
        self.sheets: tuple[str, ...] = ()
        self.lists: tuple[str, ...] = ()
        self._blank = 0

    def skip(self, line: int, key: str, **values: object) -> None:
        """A line that did not become a row; all are counted, the first hundred kept."""
        self.skipped_count += 1
        if len(self.skipped) < _KEPT:
            self.skipped.append(Skipped(line=line, reason=phrase(key, **values), file=self.file))

    def blank(self) -> None:
        """A line with nothing on it."""
        self._blank += 1

    def note(self, key: str, **values: object) -> None:
        """Something that was changed or decided, said once."""
        text = phrase(key, **values)
        if text not in self.notes:
            self.notes.append(text)

    def offer_sheets(self, names: Sequence[str]) -> None:
        """The sheets among which a person can choose."""
        self.sheets = tuple(names)

    def offer_lists(self, names: Sequence[str]) -> None:
        """The lists of a JSON document among which a person can choose."""
        self.lists = tuple(names)

    def finish(self) -> None:
        """Say what could only be counted at the end."""
        if self._blank:
            self.note("blank_lines", count=self._blank)


def too_many_columns(found: int) -> BadInput:
    """The refusal that all readers share."""
    return BadInput(
        "data.too_many_columns",
        "The file has {found} columns or more; at most {limit} can be read. Keep the ones that you need.",
        found=found,
        limit=COLUMNS_LIMIT,
    )


def too_many_rows() -> BadInput:
    """The refusal that all readers share."""
    return BadInput(
        "data.too_many_rows",
        "The file has more than {limit} rows. Cut it into smaller files, or take a sample of it.",
        limit=ROWS_LIMIT,
    )


def column_names(names: list[str], report: Report) -> list[str]:
    """Header cells as unique, non-empty, bounded names; each changed one is noted."""
    taken: list[str] = []
    for number, raw in enumerate(names, start=1):
        name = raw.strip()
        if not name or len(name) > NAME_LIMIT or name in taken:
            name = f"column_{number}"
            while name in taken or name in names:
                name += "_"
            report.note("column_renamed", number=number, name=name)
        taken.append(name)
    return taken
