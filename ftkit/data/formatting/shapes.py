"""A row in another shape: a conversation, prompt and completion, one text, or a preference pair.

Takes a row with its roles, gives the new row. Texts are written by a renderer that the caller brings; no template runs
here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from ftkit.data import chat
from ftkit.data.chat import Message, RowProblem, conversation, cut, is_raw, is_text

Shape = Literal["chat", "completion", "text", "preference"]
SHAPES: tuple[Shape, ...] = ("chat", "completion", "text", "preference")
Render = Callable[[Mapping[str, Any]], str]

COLUMNS: Mapping[Shape, tuple[str, ...]] = {
    "chat": ("messages",),
    "completion": ("prompt", "completion"),
    "text": ("text", "prompt", "completion"),
    "preference": ("prompt", "chosen", "rejected"),
}
MAPPINGS: Mapping[Shape, Mapping[str, str]] = {
    "chat": {"messages": "messages"},
    "completion": {"prompt": "prompt", "completion": "completion"},
    "text": {"prompt": "prompt", "completion": "completion"},
    "preference": {"messages": "prompt", "chosen": "chosen", "rejected": "rejected"},
}
JSON_COLUMNS: Mapping[Shape, tuple[str, ...]] = {
    "chat": ("messages",),
    "completion": (),
    "text": (),
    "preference": ("prompt",),
}
# Roles whose columns go along as they are.
CARRIED: Mapping[Shape, tuple[str, ...]] = {
    "chat": ("tools", "label"),
    "completion": ("label",),
    "text": ("label",),
    "preference": (),
}
# Stands for the answer while its place in a text is sought; private characters, which no sane text holds.
_MARK = "\ue0f0answer\ue0f1"


def shaped(
    row: Mapping[str, Any], mapping: Mapping[str, str], shape: Shape, render: Render
) -> dict[str, Any]:
    """The row in its new shape.

    Args:
        row: values by column.
        mapping: role → column.
        shape: what is asked for.
        render: writes the variables of a template as text; used for completion and text.

    Raises:
        RowProblem: the row has not what the shape needs.
    """
    if shape == "preference":
        return _preference(row, mapping)
    if shape == "text" and is_text(mapping):
        return {"text": conversation(row, mapping)[0]["content"]}
    if is_raw(mapping) and shape != "chat":
        raw = chat.training_row(row, mapping)
        return _texts(str(raw["prompt"]), str(raw["completion"]), shape)
    prompt, answer = cut(conversation(row, mapping))
    if shape == "chat":
        return {"messages": [*prompt, answer]}
    if answer.get("tool_calls"):
        raise RowProblem("template_tool_calls")
    return _texts(*_written(row, mapping, prompt, answer, render), shape)


def variables(
    row: Mapping[str, Any], mapping: Mapping[str, str], prompt: Sequence[Message], answer: str
) -> dict[str, Any]:
    """What a template is given."""
    turns = [message for message in prompt if message["role"] != "system"]
    instruction, extra = turns[-1]["content"], ""
    if {"instruction", "user"} <= mapping.keys() and "messages" not in mapping:
        task, own = (row.get(mapping[role]) for role in ("instruction", "user"))
        if isinstance(task, str) and isinstance(own, str) and task.strip() and own.strip():
            instruction, extra = task, own
    return {
        "system": "\n\n".join(message["content"] for message in prompt if message["role"] == "system"),
        "history": [dict(message) for message in turns[:-1]],
        "instruction": instruction,
        "input": extra,
        "answer": answer,
        "messages": [*(dict(message) for message in prompt), {"role": "assistant", "content": answer}],
        "row": dict(row),
    }


def _written(
    row: Mapping[str, Any],
    mapping: Mapping[str, str],
    prompt: Sequence[Message],
    answer: Message,
    render: Render,
) -> tuple[str, str]:
    """The text of the row, cut where the answer begins."""
    whole = render(variables(row, mapping, prompt, answer["content"]))
    before, mark, _ = render(variables(row, mapping, prompt, _MARK)).partition(_MARK)
    if not mark or not whole.startswith(before) or not whole[len(before) :].strip():
        raise RowProblem("template_no_answer")
    if not before.strip():
        raise RowProblem("template_no_prompt")
    return before, whole[len(before) :]


def _texts(prompt: str, completion: str, shape: Shape) -> dict[str, Any]:
    pair = {"prompt": prompt, "completion": completion}
    return {"text": prompt + completion, **pair} if shape == "text" else pair


def _preference(row: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    prompt, chosen, rejected = chat.preference(row, mapping)
    return {"prompt": prompt, "chosen": chosen["content"], "rejected": rejected["content"]}
