"""A draft of corrections: what is appended when a person edits, takes back or saves, and what is valid after all of it.

Takes and gives records. Nothing is ever removed from the history. It knows no file.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import Field

from ftkit.data.cleaning import texts
from ftkit.data.cleaning.steps import KEEP, Change, Context, Judge, Row, Step, Verdict
from ftkit.records import Record


class Edit(Record):
    """One text of one row, before and after; or that an edit was taken back; or that all were saved."""

    kind: Literal["edit", "taken_back", "saved"] = "edit"
    number: int = Field(description="Of the edit that was made or taken back; 0 for a save.")
    at: str
    row: int = 0
    place: tuple[str | int, ...] = ()
    before: str = ""
    after: str = ""
    dataset: str = Field(default="", description="What a save made.")


class EditRows(Step):
    """The corrections of a draft as a step, so that they get the same audit log as any other change."""

    title = "Corrected by hand"
    help = "Texts that a person corrected."

    step: Literal["edit_rows"] = "edit_rows"
    edits: tuple[Edit, ...] = ()

    def judge(self, context: Context) -> Judge:
        """Put each correction into its row."""
        by_row: dict[int, list[Edit]] = {}
        for edit in self.edits:
            by_row.setdefault(edit.row, []).append(edit)

        def decide(number: int, row: Row) -> Verdict:
            done: list[dict[str, Any]] = []
            for edit in by_row.get(number, ()):
                new = texts.replaced(row, edit.place, edit.after)
                if new is not None:
                    row = new
                    done.append(edit.model_dump(mode="json", include={"place", "before", "after", "at"}))
            return Change(row, tuple(done)) if done else KEEP

        return decide


def open_draft(history: Sequence[Edit]) -> list[Edit]:
    """Everything since the last save: edits, and what was taken back of them."""
    saves = [place for place, one in enumerate(history) if one.kind == "saved"]
    return list(history[saves[-1] + 1 :] if saves else history)


def taken_back(draft: Iterable[Edit]) -> frozenset[int]:
    """Numbers of the edits that were taken back."""
    return frozenset(one.number for one in draft if one.kind == "taken_back")


def valid(draft: Sequence[Edit]) -> list[Edit]:
    """The last edit of each place that was not taken back, in the order of the rows."""
    back = taken_back(draft)
    last: dict[tuple[int, tuple[str | int, ...]], Edit] = {}
    for one in draft:
        if one.kind == "edit" and one.number not in back:
            last[one.row, one.place] = one
    return sorted(last.values(), key=lambda one: (one.row, [str(key) for key in one.place]))


def with_draft(row: Row, number: int, edits: Iterable[Edit]) -> Row:
    """A row as it will be once the draft is saved."""
    for edit in edits:
        if edit.row == number:
            row = texts.replaced(row, edit.place, edit.after) or row
    return row
