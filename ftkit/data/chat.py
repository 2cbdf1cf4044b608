"""A row and its column roles in, a conversation or a training row out.

Pure values, shared by the pages and the workers. A row that does not fit raises ``RowProblem`` with the reason in
plain words. It renders no template and counts no tokens.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from ftkit.data.phrases import kind_of_value, phrase

Role = Literal["system", "user", "assistant", "tool"]

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "developer", "sistem"), "system"),
    **dict.fromkeys(("user", "human", "kullanıcı", "insan"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model", "ai", "asistan"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "ipython"), "tool"),
}
_EXAMPLE_OPENING = 200  # characters of a plain text that are shown as its beginning


class Message(TypedDict):
    """One turn."""

    role: Role
    content: str


class TrainingRow(TypedDict, total=False):
    """What the trainer takes: either ``text``, or ``prompt`` and ``completion``, both messages or both plain texts."""

    text: str
    prompt: list[Message] | str
    completion: list[Message] | str


class RowProblem(Exception):
    """The row cannot be used; ``reason`` says why in plain words."""

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        self.reason = phrase(key, **values)
        super().__init__(self.reason)


def conversation(row: Mapping[str, Any], mapping: Mapping[str, str]) -> list[Message]:
    """The row as messages; a plain text is one message of the assistant.

    Args:
        row: values by column.
        mapping: role → column; ``prompt`` with ``completion`` goes before ``messages``, that before ``text``, and that
            before single fields. With ``chosen`` the conversation ends with the chosen answer.

    Raises:
        RowProblem: the row does not fit the mapping.
    """
    if is_raw(mapping):
        return [
            {"role": "user", "content": _required(row, mapping["prompt"])},
            {"role": "assistant", "content": _required(row, mapping["completion"])},
        ]
    if "messages" in mapping:
        messages = _messages(_column(row, mapping["messages"]), mapping["messages"])
    elif "text" in mapping:
        return [{"role": "assistant", "content": _required(row, mapping["text"])}]
    else:
        messages = _asked(row, mapping)
    if "system" in mapping and not any(message["role"] == "system" for message in messages):
        system = _text(row.get(mapping["system"]))
        messages = [*_message("system", system), *messages]
    if "chosen" in mapping:
        return _with_chosen(messages, _column(row, mapping["chosen"]), mapping["chosen"])
    if "assistant" in mapping and "messages" not in mapping:
        messages += _message("assistant", _required(row, mapping["assistant"]))
    if not messages:
        raise RowProblem("no_question" if mapping else "no_mapping")
    return messages


def training_row(row: Mapping[str, Any], mapping: Mapping[str, str]) -> TrainingRow:
    """The row as the trainer takes it: the last answer is the completion, all before it the prompt.

    Turns after the last answer teach nothing and are left out.

    Raises:
        RowProblem: there is no answer, or nothing before it.
    """
    messages = conversation(row, mapping)
    if is_text(mapping):
        return {"text": messages[0]["content"]}
    if is_raw(mapping):
        return {"prompt": messages[0]["content"], "completion": messages[1]["content"]}
    prompt, answer = cut(messages)
    return {"prompt": prompt, "completion": [answer]}


def is_text(mapping: Mapping[str, str]) -> bool:
    """Whether rows are plain texts without question and answer."""
    return "text" in mapping and "messages" not in mapping and not is_raw(mapping)


def is_raw(mapping: Mapping[str, str]) -> bool:
    """Whether rows are a prompt and its completion as plain texts, without any chat template."""
    return "prompt" in mapping and "completion" in mapping


def cut(messages: list[Message]) -> tuple[list[Message], Message]:
    """A conversation as prompt and last answer; what follows the answer is left out.

    Raises:
        RowProblem: there is no answer, or nothing before it.
    """
    last = max(
        (place for place, message in enumerate(messages) if message["role"] == "assistant"), default=-1
    )
    if last < 0 or not messages[last]["content"].strip():
        raise RowProblem("no_answer")
    prompt = messages[:last]
    if not any(message["role"] in ("user", "tool") for message in prompt):
        raise RowProblem("no_question")
    return prompt, messages[last]


def example(row: Mapping[str, Any], mapping: Mapping[str, str]) -> tuple[list[Message], str]:
    """A prompt to try and the answer that the data has for it; of a plain text, its beginning and the rest.

    Raises:
        RowProblem: as ``training_row``.
    """
    trained = training_row(row, mapping)
    if "text" not in trained:
        prompt, answer = cut(conversation(row, mapping))
        return prompt, answer["content"]
    text = trained["text"]
    opening = text[:_EXAMPLE_OPENING]
    if len(text) > len(opening):
        opening = opening.rsplit(maxsplit=1)[0]
    return [{"role": "user", "content": opening}], text[len(opening) :].lstrip()


def _asked(row: Mapping[str, Any], mapping: Mapping[str, str]) -> list[Message]:
    """The question of a row with single fields; instruction and input are joined by a blank line."""
    roles = [role for role in ("instruction", "user") if role in mapping]
    if not roles:
        return []
    parts = [_text(_column(row, mapping[role])) for role in roles]
    question = "\n\n".join(part for part in parts if part.strip())
    if not question:
        raise RowProblem("empty_column", name=mapping[roles[0]])
    return _message("user", question)


def _with_chosen(messages: list[Message], chosen: Any, name: str) -> list[Message]:
    """The conversation with the chosen answer at its end; ``chosen`` may also hold the conversation itself."""
    answer = _as_list([chosen] if isinstance(chosen, dict) else chosen)
    if answer is None:
        return messages + _message("assistant", _required({name: chosen}, name))
    turns = _messages(answer, name)
    return turns if turns[: len(messages)] == messages else messages + turns


def _messages(value: Any, name: str) -> list[Message]:
    items = _as_list(value)
    if not items:
        raise RowProblem("not_messages", name=name)
    turns = [_turn(number, item) for number, item in enumerate(items, start=1)]
    return [turn for turn in turns if turn["role"] != "system" or turn["content"].strip()]


def _as_list(value: Any) -> list[Any] | None:
    """A list, also one written as JSON text, as tables without nested values carry it; None for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
        if not all(isinstance(item, dict) for item in value):
            return None
    return value if isinstance(value, list) else None


def _turn(number: int, item: Any) -> Message:
    if not isinstance(item, dict):
        raise RowProblem("message_not_object", number=number, found=kind_of_value(item))
    role = item.get("role", item.get("from"))
    if not isinstance(role, str) or not role.strip():
        raise RowProblem("message_no_role", number=number)
    known = _ROLES.get(role.strip().casefold())
    if known is None:
        raise RowProblem("message_unknown_role", number=number, role=role)
    if item.get("tool_calls") or item.get("function_call"):
        raise RowProblem("message_tool_calls", number=number)
    content = _content(number, item.get("content", item.get("value")))
    if known == "user" and not content.strip():
        raise RowProblem("message_no_content", number=number)
    return {"role": known, "content": content}


def _content(number: int, content: Any) -> str:
    if content is None:
        raise RowProblem("message_no_content", number=number)
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise RowProblem("message_wrong_content", number=number, found=kind_of_value(content))
    return "".join(_part(number, part) for part in content)


def _part(number: int, part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise RowProblem("message_wrong_content", number=number, found=kind_of_value(part))
    text = part.get("text")
    if part.get("type", "text") != "text" or not isinstance(text, str):
        raise RowProblem("message_other_part", number=number, kind=part.get("type", "?"))
    return text


def _message(role: Role, content: str) -> list[Message]:
    return [{"role": role, "content": content}] if content.strip() else []


def _column(row: Mapping[str, Any], name: str) -> Any:
    if name not in row:
        raise RowProblem("no_column", name=name)
    return row[name]


def _required(row: Mapping[str, Any], name: str) -> str:
    text = _text(_column(row, name))
    if not text.strip():
        raise RowProblem("empty_column", name=name)
    return text


def _text(value: Any) -> str:
    """Text as it is, nothing as empty, and any other value as JSON, such as the object that a model shall write."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
