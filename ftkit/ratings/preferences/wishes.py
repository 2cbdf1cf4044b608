"""How ratings become preference data.

Takes untyped values, gives frozen ``PreferenceWishes``. The rules themselves stand in ``rules.py``.
"""

from typing import Literal

from pydantic import Field

from ftkit.ratings.choices import Choices

Method = Literal["dpo", "kto"]
METHODS: tuple[Method, ...] = ("dpo", "kto")


class PreferenceWishes(Choices):
    """What preference data is made of."""

    method: Method = Field(
        default="dpo",
        description="dpo: pairs of a better and a worse answer; kto: answers marked as good or bad.",
    )
    agreement: float = Field(
        default=0.5,
        ge=0.5,
        le=1,
        description="Smallest share of an item's ratings that must agree; more than half must in any case.",
    )
    margin: float = Field(
        default=0.5,
        ge=0,
        le=9,
        description="Points by which the mean of the better answer must be higher, with scales.",
    )
    ties: Literal["drop", "good"] = Field(
        default="drop",
        description="What a tie is: nothing that teaches, or with kto two answers that are good enough.",
    )
    edits: bool = Field(
        default=True, description="Whether answers that raters mended are better ones than what they mended."
    )
    without: tuple[str, ...] = Field(default=(), description="Ids of raters whose ratings do not count.")
    without_revoked: bool = Field(
        default=True, description="Whether raters who were shut out do not count, as in the results."
    )
    least_gold: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Raters with a smaller share of the gold items right do not count.",
    )
    use_test_rows: bool = Field(
        default=False, description="Whether prompts of the test part may teach a model."
    )
