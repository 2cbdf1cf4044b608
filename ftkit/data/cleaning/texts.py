"""The texts inside a row: plain columns, messages, parts of messages, and what stands in nested values.

Takes rows, gives texts with their places, and rows with other texts in the same places. Roles, kinds and ids inside
messages are no texts. It never changes a row that it was given.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from ftkit.data import chat
from ftkit.data.chat import RowProblem

Place = tuple[str | int, ...]

OTHER_ROLES = frozenset({"tools", "label"})  # roles whose columns hold no running text
_SPEAKERS = ("role", "from")
_SPOKEN = ("content", "value", "reasoning_content", "thinking")
_MEDIA = (
    "image",
    "image_url",
    "audio",
    "input_audio",
    "video",
    "file",
)  # parts of a message that are no text
_CALLS = ("tool_calls", "function_call", "function", "arguments")


def leaves(row: Mapping[str, Any], columns: Iterable[str]) -> Iterator[tuple[Place, str]]:
    """Every text of these columns with its place: the column, then keys and numbers down to the text."""
    for column in columns:
        value = row.get(column)
        parsed = _parsed(value)
        yield from _walk((column,), value if parsed is None else parsed)


def changed(
    row: Mapping[str, Any], columns: Iterable[str], change: Callable[[str], str]
) -> dict[str, Any] | None:
    """The row with each of its texts changed; None where that changes nothing."""
    return _rebuilt(row, columns, lambda _place, text: change(text))


def replaced(row: Mapping[str, Any], place: Place, text: str) -> dict[str, Any] | None:
    """The row with another text in one place; None where there is no text or it is the same one."""
    return _rebuilt(row, [str(place[0])], lambda here, old: text if here == place else old)


def part(row: Mapping[str, Any], mapping: Mapping[str, str], which: Literal["question", "answer"]) -> str:
    """What is asked or answered, as training takes the row; empty where the row has no such part."""
    try:
        trained = chat.training_row(row, mapping)
    except RowProblem:
        return ""
    if "text" in trained:
        return trained["text"] if which == "answer" else ""
    side = trained["completion"] if which == "answer" else trained["prompt"]
    turns = chat.turns(side, "assistant" if which == "answer" else "user")
    return "\n".join(turn["content"] for turn in turns if turn["role"] != "system")


def _rebuilt(
    row: Mapping[str, Any], columns: Iterable[str], change: Callable[[Place, str], str]
) -> dict[str, Any] | None:
    new: dict[str, Any] = {}
    for column in columns:
        old = row.get(column)
        parsed = _parsed(old)
        value = _mapped((column,), old if parsed is None else parsed, change)
        if value != (old if parsed is None else parsed):
            new[column] = value if parsed is None else json.dumps(value, ensure_ascii=False)
    return {**row, **new} if new else None


def _parsed(value: Any) -> Any:
    """Messages that a text column holds as JSON, as tables without nested values carry them."""
    if not (isinstance(value, str) and value.lstrip().startswith("[{")):
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    messages = all(isinstance(item, dict) and any(key in item for key in _SPEAKERS) for item in found)
    return found if messages else None


def _walk(place: Place, value: Any) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list | dict):
        for key, item in _inside(value):
            yield from _walk((*place, key), item)


def _mapped(place: Place, value: Any, change: Callable[[Place, str], str]) -> Any:
    if isinstance(value, str):
        return change(place, value)
    if isinstance(value, list):
        return [_mapped((*place, key), item, change) for key, item in enumerate(value)]
    if isinstance(value, dict):
        return value | {key: _mapped((*place, key), item, change) for key, item in _inside(value)}
    return value


def _inside(value: list[Any] | dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The items of a value that may hold texts."""
    if isinstance(value, list):
        yield from enumerate(value)
    elif any(key in value for key in _SPEAKERS):
        yield from ((key, value[key]) for key in (*_SPOKEN, *_CALLS) if key in value)
    elif "type" in value and ("text" in value or "function" in value):
        yield from ((key, value[key]) for key in ("text", "function") if key in value)
    elif value.get("type") in _MEDIA:
        return
    elif "arguments" in value and "name" in value:
        yield "arguments", value["arguments"]
    else:
        yield from value.items()
