"""How a judge is asked: which model, where, by which rubric, on how many rows, and within which limits.

Takes what a person chose, gives checked options as a record that goes into ``inputs.json``. It holds the name of the
variable with the key, never the key.
"""

import re
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from ftkit.errors import BadInput, Refused
from ftkit.evaluation.judge.address import base_url
from ftkit.evaluation.judge.rubric import LONGEST_RUBRIC, default_rubric
from ftkit.network.addresses import literal_address, reach
from ftkit.records import Record

KEY_VARIABLE = "FTKIT_JUDGE_KEY"
# A page that could name any variable could send any secret of this machine to any address.
_KEY_NAME = re.compile(r"(?:[A-Z][A-Z0-9_]*_)?API_KEY|[A-Z0-9_]*JUDGE[A-Z0-9_]*")


class JudgeOptions(Record):
    """What a judgement is made with; make one with ``parse``."""

    model: str = Field(min_length=1, max_length=200)
    endpoint: str = Field("", description="Base URL; empty for a model of this machine.")
    key_env: str = Field(
        "", description="Name of the environment variable that holds the key; empty for none."
    )
    private: bool = Field(False, description="Whether the endpoint may be on this machine or its network.")
    rubric: str = Field("", max_length=LONGEST_RUBRIC)
    language: Literal["en", "tr"] = "en"
    rows: int | None = Field(None, ge=1, description="How many rows; None for all.")
    seconds: float = Field(60.0, gt=0, le=600, description="Longest wait for one verdict.")
    attempts: int = Field(
        3, ge=1, le=10, description="How often a verdict is asked for before it counts as failed."
    )
    at_once: int = Field(4, ge=1, le=32, description="Verdicts asked for at the same time.")
    max_tokens: int = Field(400, ge=16, le=4096, description="Longest verdict.")
    most_tokens: int = Field(
        2_000_000, ge=1, description="Tokens that may be sent in all; then no more is asked."
    )

    @classmethod
    def parse(cls, **values: Any) -> Self:
        """Checked options, with the default rubric where none is given.

        Raises:
            BadInput: a value cannot be used.
            Refused: the address is one of this machine or its network, and the caller may not ask those.
        """
        given = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        if not given.get("model"):
            raise BadInput("judge.no_model", "The judge has no model. Give the name of one.")
        try:
            made = cls.model_validate(given)
        except ValidationError as error:
            problems = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
            raise BadInput(
                "judge.bad_option",
                "The judge cannot be asked like this ({problems}). Correct it.",
                problems=problems,
            ) from error
        if made.endpoint:
            made = made.model_copy(update={"endpoint": base_url(made.endpoint)})
            _check_reach(made)
        if made.key_env and not _KEY_NAME.fullmatch(made.key_env):
            raise BadInput(
                "judge.bad_key_name",
                "{name} is not taken for the name of a key. Give the name of an environment variable, not the key itself: "
                "FTKIT_JUDGE_KEY, or one that ends in API_KEY.",
                name=made.key_env[:6] + "…",
            )
        return made.model_copy(update={"rubric": made.rubric or default_rubric(made.language)})


def _check_reach(options: JudgeOptions) -> None:
    literal = literal_address(urlsplit(options.endpoint).hostname or "")
    if literal is not None and reach(literal) == "private" and not options.private:
        raise not_from_afar(options.endpoint)


def not_from_afar(endpoint: str) -> Refused:
    """The sentence for an address that only somebody at this machine may have asked."""
    return Refused(
        "judge.private_address",
        "{address} is on this machine or its own network, and this dashboard can be reached from elsewhere. Start the judge from "
        "the command line instead.",
        address=endpoint,
    )
