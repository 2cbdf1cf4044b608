"""What a rating study asks: protocol, criteria, overlap, guidelines.

Takes untyped values, gives frozen ``StudyOptions``. It knows no rater and no answer.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from ftkit.ratings.choices import Choices
from ftkit.ratings.sampling import Sampling
from ftkit.ratings.sides.names import Side
from ftkit.records import Record

Protocol = Literal["pairs", "scales", "ranking", "pass_fail"]
PROTOCOLS: tuple[Protocol, ...] = ("pairs", "scales", "ranking", "pass_fail")
MOST_SIDES = 4
CRITERIA = ("helpful", "correct", "coherent")


class StudyOptions(Choices):
    """How a study is made."""

    name: str = Field(default="", max_length=200, description="What raters see as its title.")
    protocol: Protocol = Field(
        default="pairs",
        description="pairs: which of two answers is better; scales: points for each answer on each criterion; ranking: the "
        "answers in order; pass_fail: whether each answer is good enough.",
    )
    sides: tuple[str, ...] = Field(
        min_length=1, max_length=MOST_SIDES, description="Names of the models that answer."
    )
    criteria: tuple[str, ...] = Field(
        default=CRITERIA, min_length=1, max_length=8, description="Of protocol scales."
    )
    points: int = Field(default=5, ge=2, le=10, description="Best mark on a scale; the worst is 1.")
    overlap: int = Field(default=3, ge=1, le=50, description="How many raters see each item.")
    gold: int = Field(
        default=0, ge=0, le=100, description="Items with a known right choice, to see who pays attention."
    )
    guidelines: str = Field(default="", max_length=20_000, description="What raters read first.")
    show_reference: bool = Field(default=False, description="Whether raters see the data's own answer.")
    editing: bool = Field(default=True, description="Whether raters may write a better answer.")
    sampling: Sampling = Sampling()
    seed: int = Field(default=42, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _sides_are_different(self) -> Self:
        if len(set(self.sides)) < len(self.sides):
            raise ValueError("sides: each model can be there once")
        if self.protocol in {"pairs", "ranking"} and len(self.sides) < 2:  # noqa: PLR2004 - what a comparison needs
            raise ValueError("sides: a comparison needs two models or more")
        for side in self.sides:
            Side.parse(side)
        if len({one.strip().casefold() for one in self.criteria}) < len(self.criteria):
            raise ValueError("criteria: each one can be there once")
        return self


class Prompt(Record):
    """One prompt of a study; where it comes from is told by ``row`` and ``part``."""

    messages: tuple[dict[str, str], ...]
    reference: str = Field(default="", description="The data's own answer, where there is one.")
    row: int | None = Field(default=None, description="Place in the part of the split.")
    slices: dict[str, str] = Field(
        default_factory=dict, description="Labels of the row, for results by group."
    )
    plain: bool = Field(
        default=False, description="The text goes to a model as it stands, without a chat template."
    )


class Source(Record):
    """Where the prompts of a study come from."""

    split: str = ""
    part: str = ""
    dataset: str = ""
