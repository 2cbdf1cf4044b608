"""The name of one model that answers: ``base:<model>``, ``run:<run>``, ``checkpoint:<run>/<step>`` or ``export:<export>``, each
but the first perhaps with ``@strength``.

Takes and gives text and frozen records. Whether there is such a model is the service's matter.
"""

import re
from typing import Literal, Self, cast

from pydantic import Field

from ftkit.errors import BadInput
from ftkit.records import Record

Kind = Literal["base", "run", "checkpoint", "export"]
MOST_STRENGTH = 2.0
_NAME = re.compile(
    r"(?P<kind>base|run|checkpoint|export):(?P<id>[A-Za-z0-9][A-Za-z0-9._-]{0,62})(?:/(?P<step>\d{1,9}))?"
    r"(?:@(?P<strength>\d(?:\.\d{1,2})?))?"
)


class Side(Record):
    """One model that answers."""

    kind: Kind
    id: str = Field(description="Of the model, of the run, or of the export.")
    step: int | None = Field(default=None, description="Of a checkpoint.")
    strength: float = Field(
        default=1.0,
        ge=0,
        le=MOST_STRENGTH,
        description="Share of the adapter's change that is added; 1 as trained, 0 the base model.",
    )

    @classmethod
    def parse(cls, name: str) -> Self:
        """From its name.

        Raises:
            BadInput: it is no such name.
        """
        found = _NAME.fullmatch(name)
        strength = float(found["strength"] or 1) if found else 0.0
        wrong = (
            found is None
            or (found["kind"] == "checkpoint") != (found["step"] is not None)
            or strength > MOST_STRENGTH
            or (found["kind"] == "base" and found["strength"] is not None)
        )
        if found is None or wrong:
            raise BadInput(
                "sides.bad_name",
                "{name} names no model. Write base:MODEL, run:RUN, checkpoint:RUN/STEP or export:EXPORT; all but the first may have "
                "their strength from 0 to 2 behind them, such as run:RUN@0.5.",
                name=repr(name),
            )
        step = int(found["step"]) if found["step"] else None
        return cls(kind=cast("Kind", found["kind"]), id=found["id"], step=step, strength=strength)

    def __str__(self) -> str:
        """Its name."""
        step = "" if self.step is None else f"/{self.step}"
        strength = "" if self.strength == 1 else f"@{self.strength:g}"
        return f"{self.kind}:{self.id}{step}{strength}"
