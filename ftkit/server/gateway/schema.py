"""What the gateway takes and gives: OpenAI's forms, as far as a served model can keep to them.

Pydantic models, from which the OpenAPI description is made, so it says what is checked. A field that is not here is refused: none of
them is taken and then ignored. Nothing is answered here.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

# The name that gets the live version, or the canary for its share.
MODEL = "ftkit"
MOST_TOKENS = 4096
USUAL_TOKENS = 256
BODY_LIMIT = 64 * 1024
_MOST_MESSAGES = 200
_LONGEST_TEXT = BODY_LIMIT
_MOST_SEED = 2**31 - 1


def _whole(value: object) -> object:
    """JSON knows one kind of number: 1.0 is as whole as 1, and true is none."""
    if isinstance(value, bool):
        raise ValueError("Input should be a number")  # noqa: TRY004 - a TypeError would not become a refusal
    return int(value) if isinstance(value, float) and value.is_integer() else value


_WHOLE = BeforeValidator(_whole)
Text = Annotated[str, Field(max_length=_LONGEST_TEXT)]
Stop = Annotated[str, Field(min_length=1, max_length=100)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TextPart(_Asked):
    """A piece of a message; only text is taken."""

    type: Literal["text"]
    text: Text


class Said(_Asked):
    """One message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Annotated[list[TextPart], Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(max_length=64)] | None = Field(None, description="Taken and not used.")

    def plain(self) -> dict[str, str]:
        """As a chat template reads it."""
        text = self.content if isinstance(self.content, str) else "".join(one.text for one in self.content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class StreamOptions(_Asked):
    """How an answer is streamed; taken without a stream too, where there is nothing that it could change."""

    include_usage: bool = Field(False, description="One more piece at the end, with the numbers of tokens.")


class _Wish(_Asked):
    """What chats and completions have in common."""

    model: Annotated[str, Field(max_length=200)] = Field(
        MODEL, description="ftkit, or the id of a version of /v1/models."
    )
    max_tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS), _WHOLE] | None = Field(
        None, description="Of the answer; 256 if left out."
    )
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = Field(
        None, description="0: always the likeliest token."
    )
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    seed: Annotated[int, Field(ge=0, le=_MOST_SEED), _WHOLE] | None = Field(
        None, description="The same seed, the same answer; another one each time if left out."
    )
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    n: Annotated[int, Field(ge=1, le=1), _WHOLE] | None = Field(None, description="One answer a request.")
    presence_penalty: Annotated[float, Field(ge=0, le=0)] | None = None
    frequency_penalty: Annotated[float, Field(ge=0, le=0)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: Annotated[str, Field(max_length=256)] | None = Field(
        None, description="Requests of one user get one version while a canary is tried."
    )

    @property
    def tokens(self) -> int:
        """The most tokens of the answer."""
        return self.max_tokens or USUAL_TOKENS

    @property
    def stops(self) -> tuple[str, ...]:
        """What ends the answer."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


class ChatRequest(_Wish):
    """A conversation to go on with."""

    messages: Annotated[list[Said], Field(min_length=1, max_length=_MOST_MESSAGES)]
    max_completion_tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS), _WHOLE] | None = Field(
        None, description="The newer name of max_tokens; this one counts where both are given."
    )

    @property
    def tokens(self) -> int:
        """The most tokens of the answer."""
        return self.max_completion_tokens or super().tokens


class CompletionRequest(_Wish):
    """A text to go on with."""

    prompt: Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT)]


class FeedbackRequest(_Asked):
    """What a user says of an answer; at least one of the four."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [name]} for name in ("thumb", "rating", "correction", "comment")]
        }
    )

    request_id: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="The id of the answer, or its header x-request-id."
    )
    thumb: Annotated[Literal[1, -1], _WHOLE] | SkipJsonSchema[None] = Field(
        None, description="1 up, -1 down."
    )
    rating: Annotated[int, Field(ge=1, le=5), _WHOLE] | SkipJsonSchema[None] = None
    correction: Annotated[str, Field(max_length=32_000)] | SkipJsonSchema[None] = Field(
        None, description="The right answer."
    )
    comment: Annotated[str, Field(max_length=4_000)] | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        said = self.model_fields_set - {"request_id"}
        if not said or any(getattr(self, name) is None for name in said):
            raise ValueError("give thumb, rating, correction or comment, each with a value")
        return self


class Stored(BaseModel):
    """The answer to feedback."""

    request_id: str
    stored: Literal[True] = True
    texts_kept: bool = Field(
        description="Whether correction and comment are kept too; else the traffic log keeps numbers only."
    )


class Usage(BaseModel):
    """Tokens of a request."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatMessage(BaseModel):
    """The model's message."""

    role: Literal["assistant"] = "assistant"
    content: str


class ChatChoice(BaseModel):
    """The one answer of a chat."""

    index: Literal[0] = 0
    message: ChatMessage
    finish_reason: Literal["stop", "length"]
    logprobs: None = None


class ChatAnswer(BaseModel):
    """The answer to a chat; ``model`` is the id of the version that gave it."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage


class CompletionChoice(BaseModel):
    """The one answer of a completion."""

    index: Literal[0] = 0
    text: str
    finish_reason: Literal["stop", "length"]
    logprobs: None = None


class CompletionAnswer(BaseModel):
    """The answer to a completion; ``model`` is the id of the version that gave it."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage


class ModelShown(BaseModel):
    """One name that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["ftkit"] = "ftkit"
    label: str = Field(description="What a person calls it.")
    state: str = Field(description="live, canary or standby.")


class Models(BaseModel):
    """All names that can be asked."""

    object: Literal["list"] = "list"
    data: list[ModelShown]


class Trouble(BaseModel):
    """What went wrong, in OpenAI's form."""

    message: str
    type: str
    param: str | None
    code: str | None


class Problem(BaseModel):
    """An answer that is none."""

    error: Trouble


class Health(BaseModel):
    """Whether the gateway is up, and whether something is live."""

    status: Literal["ok"] = "ok"
    version: str
    serving: bool


Described = dict[int | str, dict[str, Any]]
