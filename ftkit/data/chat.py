"""A row and its column roles in, a conversation or a training row out.

Pure values, shared by the pages and the workers. A row that does not fit raises ``RowProblem`` with the reason in
plain words. It renders no template and counts no tokens.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from ftkit.data.phrases import kind_of_value, phrase

Role = Literal["system", "user", "assistant", "tool"]

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "developer", "sistem"), "system"),
    **dict.fromkeys(("user", "human", "kullanıcı", "insan"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model", "ai", "asistan"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "ipython"), "tool"),
}
# What marks an answer as good or bad.
LABELS: dict[str, bool] = {
    **dict.fromkeys(("true", "1", "1.0", "good", "yes", "desirable", "doğru", "iyi", "evet"), True),
    **dict.fromkeys(("false", "0", "0.0", "bad", "no", "undesirable", "yanlış", "kötü", "hayır"), False),
}
_EXAMPLE_OPENING = 200  # characters of a plain text that are shown as its beginning


class Message(TypedDict):
    """One turn; a turn of the assistant may call tools, a turn of a tool may say which call it answers."""

    role: Role
    content: str
    tool_calls: NotRequired[list[dict[str, Any]]]
    tool_call_id: NotRequired[str]
    name: NotRequired[str]


class TrainingRow(TypedDict, total=False):
    """What the trainer takes: either ``text``, or ``prompt`` and ``completion``, both messages or both plain texts.

    Messages have ``tools`` beside them where there are any.
    """

    text: str
    prompt: list[Message] | str
    completion: list[Message] | str
    tools: list[dict[str, Any]]


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
        _check_pair(row, mapping)
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
        RowProblem: there is no answer, or nothing before it, or the answer is marked as a bad one.
    """
    messages = conversation(row, mapping)
    check_label(row, mapping)
    if is_text(mapping):
        return {"text": messages[0]["content"]}
    if is_raw(mapping):
        return {"prompt": messages[0]["content"], "completion": messages[1]["content"]}
    prompt, answer = cut(messages)
    made: TrainingRow = {"prompt": prompt, "completion": [answer]}
    if found := tools(row, mapping):
        made["tools"] = found
    return made


def preference(row: Mapping[str, Any], mapping: Mapping[str, str]) -> tuple[list[Message], Message, Message]:
    """The row as a prompt, a better answer and a worse one.

    Raises:
        RowProblem: one of them is missing, or the answers are the same.
    """
    if not {"chosen", "rejected"} <= mapping.keys():
        raise RowProblem("no_preference")
    prompt, chosen = cut(conversation(row, mapping))
    worse = {role: column for role, column in mapping.items() if role != "rejected"}
    _, rejected = cut(conversation(row, {**worse, "chosen": mapping["rejected"]}))
    if chosen["content"] == rejected["content"]:
        raise RowProblem("same_preference")
    return prompt, chosen, rejected


def label(row: Mapping[str, Any], mapping: Mapping[str, str]) -> bool:
    """Whether the row says that its answer is a good one; a row that says nothing has a good one.

    Raises:
        RowProblem: it says something else.
    """
    if "label" not in mapping:
        return True
    value = str(_column(row, mapping["label"])).strip().casefold()
    if value not in LABELS:
        raise RowProblem("label_unknown", name=mapping["label"])
    return LABELS[value]


def tools(row: Mapping[str, Any], mapping: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the row says of the tools that the model may call; empty where there are none.

    Raises:
        RowProblem: they are not a list of objects.
    """
    if "tools" not in mapping or not (value := row.get(mapping["tools"])):
        return []
    listed = _as_list(value)
    if listed is None or not all(isinstance(item, dict) for item in listed):
        raise RowProblem("not_tools", name=mapping["tools"])
    return listed


def check_label(row: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
    """Nothing, unless the row says that its answer is a bad one: plain fine-tuning learns from good ones only.

    Raises:
        RowProblem: the answer is marked as bad, or not marked at all.
    """
    if not label(row, mapping):
        raise RowProblem("label_bad", name=mapping["label"])


def turns(side: list[Message] | str, role: Role) -> list[Message]:
    """The turns of a prompt or a completion; a plain text is one turn of this role."""
    return [{"role": role, "content": side}] if isinstance(side, str) else side


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
    if last < 0 or not (messages[last]["content"].strip() or messages[last].get("tool_calls")):
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
        return prompt, answer_text(answer)
    text = trained["text"]
    opening = text[:_EXAMPLE_OPENING]
    if len(text) > len(opening):
        opening = opening.rsplit(maxsplit=1)[0]
    return [{"role": "user", "content": opening}], text[len(opening) :].lstrip()


def answer_text(message: Message) -> str:
    """What a turn says; of one that only calls tools, the calls as JSON."""
    calls = [call["function"] for call in message.get("tool_calls", [])]
    return message["content"] or (json.dumps(calls, ensure_ascii=False) if calls else "")


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


def _check_pair(row: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
    """A better and a worse answer that are the same teach nothing."""
    if "rejected" not in mapping:
        return
    chosen, rejected = row.get(mapping["chosen"]), row.get(mapping["rejected"])
    if not _text(rejected).strip():
        raise RowProblem("empty_column", name=mapping["rejected"])
    if chosen == rejected:
        raise RowProblem("same_answers", first=mapping["chosen"], second=mapping["rejected"])


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
    calls = _calls(number, item) if known == "assistant" else []
    content = _content(number, item.get("content", item.get("value")), may_be_empty=bool(calls))
    if known == "user" and not content.strip():
        raise RowProblem("message_no_content", number=number)
    turn: Message = {"role": known, "content": content}
    if calls:
        turn["tool_calls"] = calls
    if known == "tool":
        for key in ("name", "tool_call_id"):
            if isinstance(item.get(key), str):
                turn[key] = item[key]
    return turn


def _calls(number: int, item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools that a turn calls, in one form: each with a name and arguments as an object."""
    given = item.get("tool_calls") or ([item["function_call"]] if item.get("function_call") else [])
    listed = _as_list(given)
    if given and listed is None:
        raise RowProblem("message_tool_calls", number=number)
    calls = []
    for call in listed or []:
        function = call.get("function", call) if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str) or not name.strip():
            raise RowProblem("message_tool_calls", number=number)
        made: dict[str, Any] = {
            "type": "function",
            "function": {"name": name, "arguments": _arguments(number, function.get("arguments"))},
        }
        calls.append({"id": call["id"], **made} if isinstance(call.get("id"), str) else made)
    return calls


def _arguments(number: int, value: Any) -> dict[str, Any]:
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise RowProblem("message_tool_calls", number=number) from None
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        raise RowProblem("message_tool_calls", number=number)
    return value


def _content(number: int, content: Any, may_be_empty: bool) -> str:
    if content is None:
        if may_be_empty:
            return ""
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
