"""How answers are made, wherever models are asked beside each other.

Takes untyped values, gives a frozen ``Sampling``. It asks no model.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, ValidationError

from ftkit.errors import BadInput
from ftkit.records import Record


class Sampling(Record):
    """How answers are made. A temperature of 0 takes the likeliest token each time."""

    temperature: float = Field(default=0.0, ge=0, le=5)
    top_p: float = Field(default=1.0, gt=0, le=1, description="Choose among the likeliest of this share.")
    top_k: int = Field(default=0, ge=0, le=1000, description="Choose among so many likeliest; 0 for all.")
    repetition_penalty: float = Field(
        default=1.0, ge=1, le=2, description="Above 1, tokens that stand there already become less likely."
    )
    max_new_tokens: int = Field(default=256, ge=1, le=4096, description="Longest answer in tokens.")
    seed: int = Field(default=42, ge=0, lt=2**63, description="The same seed gives the same answers.")

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """From untyped values, e.g. of a form.

        Raises:
            BadInput: with every mistake at once.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            raise BadInput("ratings.bad_sampling", "{problems}", problems="\n".join(problems)) from error
