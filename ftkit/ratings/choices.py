"""What a person chooses in this room: values of a form or of a command line, read with all their mistakes at once.

Takes untyped values, gives a frozen record. Which values there are is each record's matter.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ValidationError

from ftkit.errors import BadInput
from ftkit.records import Record


class Choices(Record):
    """Base of the room's records that a person fills in."""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """From untyped values, e.g. of a form.

        Raises:
            BadInput: with every mistake at once.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, e['loc']))}: {e['msg']}".removeprefix(": ") for e in error.errors()
            ]
            raise BadInput("ratings.bad_choices", "{problems}", problems="\n".join(problems)) from error
