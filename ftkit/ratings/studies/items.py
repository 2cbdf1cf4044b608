"""What raters rate: a prompt and its frozen answers.

Values only. Which models wrote the answers stands in them, so an item never leaves the server as it is.
"""

from pydantic import Field

from ftkit.records import Record


class ItemAnswer(Record):
    """One frozen answer."""

    side: str = Field(description="Name of the model; empty for the answers of a gold item.")
    text: str
    tokens: int = 0
    cut: bool = Field(default=False, description="It had not ended at the limit.")
    named: tuple[str, ...] = Field(default=(), description="Names of models that it says.")


class Item(Record):
    """One prompt with the answers that a rater sees together."""

    id: str
    place: int = Field(description="In the study, from 0.")
    prompt: tuple[dict[str, str], ...]
    answers: tuple[ItemAnswer, ...]
    reference: str = ""
    gold: int | None = Field(default=None, description="The answer that is known to be the better one.")
    row: int | None = Field(default=None, description="Place of the prompt's row in its part.")
    slices: dict[str, str] = Field(default_factory=dict)
