"""Which rows are looked at: everything that the address of the page says, as one value.

Takes the parameters of an address or of a command, gives a ``Selection``, and the parameters back. It reads no rows.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import ValidationError

from ftkit.errors import BadInput
from ftkit.evaluation.errors.measures import OUTCOMES
from ftkit.records import Record

KINDS = ("all", *OUTCOMES)
SORTS = ("worst", "change", "row")
_LONGEST = 200  # characters of a parameter


class Selection(Record):
    """A filter: every part that is set must hold.

    Args:
        measure: by which rows are right, wrong, better or worse; empty for the first of the evaluation.
        kind: an outcome, or all.
        sort: the worst first, those that lost most first, or as they stand in the part.
        slice: dimension, and ``value`` its slice.
        error: kind of error, made by ``side``.
        field: JSON field whose reference has the label ``wanted`` and ``side`` answered ``given``, as places in the list of
            its labels; the place behind the last label is any other answer.
        tag: that people gave.
    """

    measure: str = ""
    kind: Literal["all", "regression", "improvement", "both_wrong", "both_right", "alike"] = "all"
    sort: Literal["worst", "change", "row"] = "worst"
    slice: str = ""
    value: str = ""
    error: str = ""
    side: Literal["base", "tuned"] = "tuned"
    field: str = ""
    wanted: int | None = None
    given: int | None = None
    tag: str = ""

    @classmethod
    def parse(cls, parameters: Mapping[str, str | None]) -> "Selection":
        """From the parameters of an address; others than those of a selection do not count.

        Raises:
            BadInput: one has a value that it cannot have.
        """
        given = {name: str(parameters[name]) for name in cls.model_fields if parameters.get(name)}
        for name, value in given.items():
            if len(value) > _LONGEST:
                raise _bad(name, f"{value[:_LONGEST]}…")
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            name = str(error.errors()[0]["loc"][0])
            raise _bad(name, given[name]) from error

    def parameters(self) -> dict[str, str]:
        """What the address has to say, so that ``parse`` gives the same selection; defaults are left out."""
        return {name: str(value) for name, value in self.model_dump(exclude_defaults=True).items()}

    def having(self, **changes: object) -> "Selection":
        """The same with other values."""
        return self.model_copy(update=changes)

    def without(self, *names: str) -> "Selection":
        """The same without some of its conditions."""
        return self.having(**{name: type(self).model_fields[name].default for name in names})


def _bad(name: str, value: str) -> BadInput:
    return BadInput(
        "errors.bad_filter",
        "{name} cannot be {value}. Choose what to see on the page again.",
        name=name,
        value=repr(value),
    )
