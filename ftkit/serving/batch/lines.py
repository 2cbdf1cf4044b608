"""Files of prompts and files of answers, one JSON object a line.

Takes lines, gives what is to be asked and what was answered already. It asks nobody.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from ftkit.errors import BadInput, Refused
from ftkit.serving.engines.asking import Answer, Asked

_BEGINNING = b'{"id": '  # of each line of answers
_FIELDS = frozenset({"id", "prompt", "messages"})


class Wanted(NamedTuple):
    """One line that is to be asked: its number from 1, its id, the question, and who answers it."""

    line: int
    id: str
    asked: Asked
    by: str = ""

    @property
    def mark(self) -> str:
        """Tells this question with these settings to this model from any other."""
        content = [self.by, self.id, self.asked.model_dump(mode="json")]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


class Failed(NamedTuple):
    """A line that has no answer, and why."""

    line: int
    id: str
    reason: str


def read_prompts(
    lines: Iterable[str], system: str, settings: Mapping[str, Any], by: str = ""
) -> tuple[list[Wanted], list[Failed]]:
    """What is to be asked, and the lines that ask nothing.

    Args:
        lines: each an object with ``prompt`` or ``messages``, and perhaps ``id``; without, the number of the line is its id.
        system: message before each prompt; none where it is empty.
        settings: of all questions, as ``Asked`` has them.
        by: who answers them, the engine with the model.
    """
    found: dict[str, Wanted] = {}
    failed: list[Failed] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        id_ = str(number)
        try:
            row = _row(line)
            id_ = str(row.get("id", number))
            if id_ in found:
                raise ValueError(f"the id {id_!r} stands in line {found[id_].line} already")
            found[id_] = Wanted(number, id_, Asked(messages=_messages(row, system), **settings), by)
        except ValidationError:
            failed.append(Failed(number, id_, "messages is no list of objects"))
        except ValueError as error:
            failed.append(Failed(number, id_, str(error)))
    return list(found.values()), failed


def _row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON ({error.msg})") from error
    if not isinstance(row, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - all that is wrong with a line is one kind of error
    if unknown := row.keys() - _FIELDS:
        raise ValueError(f"unknown field {sorted(unknown)[0]!r}: write prompt or messages, and perhaps id")
    return row


def _messages(row: Mapping[str, Any], system: str) -> tuple[dict[str, str], ...]:
    before = ({"role": "system", "content": system},) if system else ()
    prompt, messages = row.get("prompt"), row.get("messages")
    if isinstance(prompt, str) and prompt.strip() and messages is None:
        return (*before, {"role": "user", "content": prompt})
    if prompt is not None or not isinstance(messages, list) or not messages:
        raise ValueError("it has neither a prompt, which is a text, nor messages, which is a list")
    for turn in messages:
        texts = isinstance(turn, dict) and isinstance(turn.get("content"), str)
        if not texts or turn.get("role") not in {"system", "user", "assistant"}:
            raise ValueError("a message has no role (system, user or assistant) or no content")
    own = [{"role": turn["role"], "content": turn["content"]} for turn in messages]
    return tuple(own) if own[0]["role"] == "system" else (*before, *own)


class Answers:
    """The file of answers; each is on the disk before the next is asked for.

    A line that a crash has cut off is taken away, and asked again.
    """

    def __init__(self, path: Path) -> None:
        """Open it, or make it.

        Raises:
            BadInput: it cannot be written, or holds something else.
            Refused: another process writes to it.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a+b")
        except OSError as error:
            raise BadInput(
                "cli.cannot_write",
                "{path} cannot be written ({reason}). Choose another file.",
                path=path,
                reason=error.strerror,
            ) from error
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._stream.close()
            raise Refused(
                "serving.answers_in_use",
                "Another command writes to {path} now. Wait for its end, or choose another file for --out.",
                path=path,
            ) from error
        self._stream.seek(0)
        content = self._stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            self.marks = {json.loads(line)["mark"] for line in whole.splitlines()}
        except (ValueError, TypeError, KeyError) as error:
            self._stream.close()
            raise _something_else(path) from error
        if not whole and content and not content.startswith(_BEGINNING):
            self._stream.close()
            raise _something_else(path)
        self._stream.truncate(len(whole))

    def add(self, wanted: Wanted, answer: Answer) -> None:
        """Write one answer."""
        row = {"id": wanted.id, "answer": answer.text, "line": wanted.line, "mark": wanted.mark}
        told = {**row, **answer.model_dump(exclude={"text"}, mode="json")}
        self._stream.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close it."""
        self._stream.close()


def _something_else(path: Path) -> BadInput:
    return BadInput(
        "serving.no_answers_file",
        "{path} holds something else than answers of this command. Choose another file for --out.",
        path=path,
    )
