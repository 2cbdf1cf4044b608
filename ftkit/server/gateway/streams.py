"""Answers as server-sent events, in the pieces that OpenAI's clients expect.

Takes the answers so far of one turn, gives the bytes of its stream. An error in the middle becomes an event of its own, because the status
was sent already.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

from ftkit.errors import FtkitError
from ftkit.server.gateway.asking import ClientGone
from ftkit.server.gateway.problems import told
from ftkit.server.gateway.service import Gateway, Gone, Turn
from ftkit.serving.engines.asking import Answer

# A character whose bytes are not all there yet.
_HALF = "\N{REPLACEMENT CHARACTER}"


async def stream(
    gateway: Gateway, turn: Turn, first: Answer, gone: Gone, include_usage: bool
) -> AsyncIterator[bytes]:
    """The events of a turn whose first answer is there.

    Args:
        gateway: answers it.
        turn: it.
        first: the answer that was waited for before the status was sent.
        gone: tells whether the client has gone away.
        include_usage: one more event with the numbers of tokens.
    """
    sent = 0
    answer: Answer | None = first
    try:
        if turn.wish.kind == "chat":
            yield _event(turn, {"role": "assistant", "content": ""})
        while answer is not None:
            text = answer.text if answer.finish else answer.text.rstrip(_HALF)
            if len(text) > sent:
                yield _event(turn, {"content": text[sent:]})
                sent = len(text)
            answer = await gateway.newest(turn, gone)
        yield _event(turn, {}, turn.last.finish)
        if include_usage:
            yield _data(_envelope(turn) | {"choices": [], "usage": usage_of(turn.last)})
        yield b"data: [DONE]\n\n"
    except FtkitError as error:
        yield _data(told(error))
    except ClientGone:
        return
    finally:
        gateway.end(turn)  # also where the server took the stream away


def usage_of(answer: Answer) -> dict[str, int]:
    """Tokens of a request."""
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.tokens,
        "total_tokens": answer.prompt_tokens + answer.tokens,
    }


def _event(turn: Turn, delta: dict[str, str], finish: str = "") -> bytes:
    choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": finish or None}
    choice |= {"delta": delta} if turn.wish.kind == "chat" else {"text": delta.get("content", "")}
    return _data(_envelope(turn) | {"choices": [choice]})


def _envelope(turn: Turn) -> dict[str, Any]:
    return {
        "id": turn.id,
        "object": "chat.completion.chunk" if turn.wish.kind == "chat" else "text_completion",
        "created": int(turn.at.timestamp()),
        "model": turn.version.id if turn.version else "",
    }


def _data(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode("utf-8", "replace")
