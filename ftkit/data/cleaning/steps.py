"""What a cleaning step is: a small frozen model with a name, and a function from a row to a verdict.

Fields carry title, help and bounds once; form, YAML and command line derive from them. Steps know rows and roles, and
what ``Context`` offers; they read no file and count nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as data_field
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from ftkit.data.cleaning import texts
from ftkit.data.phrases import phrase
from ftkit.errors import BadInput

Row = dict[str, Any]
Part = Literal["row", "question", "answer"]


class Keep(NamedTuple):
    """The row stays as it is."""


class Change(NamedTuple):
    """The row stays, with other text; ``edits`` are corrections by hand, for the audit log."""

    row: Row
    edits: tuple[dict[str, Any], ...] = ()


class Drop(NamedTuple):
    """The row goes; ``reason`` is a sentence of ``phrases``, ``like`` the row that stays in its place."""

    reason: str
    like: int | None = None


Verdict = Keep | Change | Drop
Judge = Callable[[int, Row], Verdict]
KEEP = Keep()


@dataclass(frozen=True)
class Context:
    """What steps may use beyond the row itself.

    Args:
        mapping: role → column.
        columns: all columns in order.
        seed: decides whatever a step draws.
        count_tokens: tokens of a text by the tokenizer of a model id; None where no tokenizer may be loaded.
        special_tokens: control tokens of a model id; None as above.
    """

    mapping: Mapping[str, str]
    columns: tuple[str, ...]
    seed: int = 1
    count_tokens: Callable[[str, str], int] | None = None
    special_tokens: Callable[[str], Sequence[str]] | None = None
    used: tuple[str, ...] = data_field(init=False)

    def __post_init__(self) -> None:
        """Find the columns that play a role; where none does, all of them count."""
        playing = {column for role, column in self.mapping.items() if role not in texts.OTHER_ROLES}
        found = tuple(name for name in self.columns if name in playing)
        object.__setattr__(self, "used", found or self.columns)


def option(default: Any, title: str, help_: str, **more: Any) -> Any:
    """A field of a step.

    Args:
        default: value without a choice of the person.
        title: English label.
        help_: English help.
        **more: ``choices`` (value → English words), ``unit``; the rest are pydantic's bounds.
    """
    shown = {"choices": more.pop("choices", {}), "unit": more.pop("unit", "")}
    return Field(default, title=title, description=help_, json_schema_extra=shown, **more)


def choices_of(field: FieldInfo) -> dict[str, str]:
    """The values that a field can take, each with its English words."""
    extra = field.json_schema_extra
    found = extra.get("choices") if isinstance(extra, dict) else None
    return {key: str(text) for key, text in found.items()} if isinstance(found, dict) else {}


class Step(BaseModel):
    """One step; ``step`` is its name."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    title: ClassVar[str]
    help: ClassVar[str]

    step: str
    columns: tuple[str, ...] = option(
        (), "Columns", "Only these columns, with commas between. Empty: every column that plays a role."
    )

    def of(self, context: Context) -> tuple[str, ...]:
        """The columns that this step works on.

        Raises:
            BadInput: a column that was named does not exist.
        """
        for name in self.columns:
            if name not in context.columns:
                raise BadInput(
                    "data.unknown_column",
                    "There is no column “{column}”. Use: {known}.",
                    column=name,
                    known=", ".join(context.columns),
                )
        return self.columns or context.used

    def check(self, context: Context) -> None:
        """Find out, without loading anything heavy, what cannot work with this dataset.

        Raises:
            BadInput: a value does not fit the dataset, or is wrong in itself.
        """
        self.of(context)

    def judge(self, context: Context) -> Judge:
        """The function that decides about one row after another; it may remember rows that it saw."""
        raise NotImplementedError


class WholeStep(Step):
    """A step that must have seen all rows before it can decide about one."""

    def scan(self, context: Context, rows: Iterable[Row]) -> dict[int, tuple[int, str]]:
        """Which rows go, by their place, each with the place of the row that stays, and the reason."""
        raise NotImplementedError


class TextStep(Step):
    """A step that changes texts, one by one."""

    def rewrite(self, context: Context) -> Callable[[str], str]:
        """The function that changes one text."""
        raise NotImplementedError

    def judge(self, context: Context) -> Judge:
        """Change every text of the row."""
        columns, change = self.of(context), self.rewrite(context)

        def decide(_number: int, row: Row) -> Verdict:
            changed = texts.changed(row, columns, change)
            return KEEP if changed is None else Change(changed)

        return decide


class PartStep(Step):
    """A step that looks at one part of a row: question, answer, or all its text."""

    part: Part = option(
        "row",
        "Look at",
        "Which part of a row is looked at. Named columns go before this.",
        choices={"row": "the whole row", "question": "the question", "answer": "the answer"},
    )

    def text_of(self, context: Context) -> Callable[[Row], str]:
        """The function that finds the text to look at."""
        if self.columns or self.part == "row":
            columns = self.of(context)
            return lambda row: "\n".join(text for _, text in texts.leaves(row, columns))
        part = self.part
        return lambda row: texts.part(row, context.mapping, part)


def reason(key: str, **values: object) -> Drop:
    """Drop a row for a reason of ``phrases``."""
    return Drop(phrase(key, **values))
