"""OpenAI's form of a request and of a streamed answer: what llama.cpp, vLLM and most other servers speak.

Takes ``Asked``, gives the body of a request; takes the chunks of a stream, gives ``Answer``. It sends nothing.
"""

import math
from collections.abc import Mapping
from typing import Any

from ftkit.errors import BadInput, FtkitError, Refused, WorkerFault
from ftkit.serving.engines.asking import Answer, Asked

_LATER = frozenset({429, 503})
_MISTAKES = range(400, 500)
_LONGEST_REASON = 300


def body_of(asked: Asked, name: str) -> dict[str, Any]:
    """The request for ``/chat/completions``, or for ``/completions`` where there is a bare prompt.

    Args:
        asked: what is asked.
        name: of the model on that server.
    """
    words: dict[str, Any] = {"messages": list(asked.messages)} if asked.messages else {"prompt": asked.prompt}
    return {
        **words,
        "model": name,
        "max_tokens": asked.max_tokens,
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "seed": asked.seed,
        "stop": list(asked.stop),
        "stream": True,
        "stream_options": {"include_usage": True},
    }


class Stream:
    """An answer that is put together of chunks."""

    def __init__(self) -> None:
        self._answer = Answer()
        self._finish = ""
        self._sum = 0.0
        self._weighed = 0
        self._usage: Mapping[str, Any] = {}

    def add(self, chunk: Mapping[str, Any]) -> Answer:
        """The answer so far.

        Raises:
            BadInput: the server does not take the request.
            Refused: it takes none now.
            WorkerFault: it failed.
        """
        if chunk.get("error"):
            raise error_of(chunk["error"])
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices", [])[:1]:
            piece = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
            self._weigh((choice.get("logprobs") or {}).get("content") or ())
            self._finish = choice.get("finish_reason") or self._finish
            self._answer = Answer(
                text=self._answer.text + piece,
                tokens=self._answer.tokens + bool(piece),
                prompt_tokens=int(self._usage.get("prompt_tokens", 0)),
                confidence=self._confidence,
            )
        return self._answer

    def whole(self) -> Answer:
        """The answer with its end.

        Raises:
            WorkerFault: the stream broke off.
        """
        if not self._finish:
            raise WorkerFault("serving.broke_off", "The answer broke off before its end. Ask again.")
        return self._answer.model_copy(
            update={
                "finish": "length" if self._finish == "length" else "stop",
                "prompt_tokens": int(self._usage.get("prompt_tokens", 0)),
                "tokens": int(self._usage.get("completion_tokens", self._answer.tokens)),
            }
        )

    @property
    def _confidence(self) -> float | None:
        return round(self._sum / self._weighed, 4) if self._weighed else None

    def _weigh(self, tokens: Any) -> None:
        for token in tokens:
            self._sum += math.exp(min(0.0, float(token["logprob"])))
            self._weighed += 1


def error_of(error: Any, status: int = 500) -> FtkitError:
    """What a server's error means here.

    Args:
        error: its ``error`` object, or text.
        status: of its answer, where the object has no number of its own.
    """
    told = error if isinstance(error, Mapping) else {"message": error}
    code = told.get("code") if isinstance(told.get("code"), int) else status
    reason = " ".join(str(told.get("message") or "").split())[:_LONGEST_REASON] or f"HTTP {code}"
    if code in _LATER:
        return Refused(
            "serving.engine_busy", "The engine takes no request now ({reason}). Try again.", reason=reason
        )
    if code in _MISTAKES:
        return BadInput(
            "serving.engine_refused", "The engine does not take the request: {reason}", reason=reason
        )
    return WorkerFault("serving.engine_failed", "The engine failed: {reason}", reason=reason)
