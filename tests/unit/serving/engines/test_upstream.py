"""Another server as an engine, played by a transport."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ftkit.errors import BadInput, FtkitError, Refused, WorkerFault
from ftkit.serving.engines.asking import Answer, Asked, Source
from ftkit.serving.engines.upstream import UpstreamEngine

SOURCE = Source("vllm", url="http://gpu:8000/v1", name="triage")
ASKED = Asked(messages=({"role": "user", "content": "late"},), max_tokens=8, stop=("!",), seed=3)
CHUNKS: list[dict[str, Any]] = [
    {"choices": [{"delta": {"role": "assistant", "content": None}}]},
    {"choices": [{"delta": {"content": "Geç"}, "logprobs": {"content": [{"logprob": 0.0}]}}]},
    {"choices": [{"delta": {"content": " kaldı"}, "logprobs": {"content": [{"logprob": -0.6931}]}}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}},
]


def stream(chunks: list[dict[str, Any]], end: str = "data: [DONE]\n\n") -> bytes:
    lines = [": ping\n\n", *(f"data: {json.dumps(one)}\n\n" for one in chunks), end]
    return "".join(lines).encode()


def engine(handler: Callable[[httpx.Request], httpx.Response], key: str = "") -> UpstreamEngine:
    return UpstreamEngine(key, httpx.MockTransport(handler))


def answers(handler: Callable[[httpx.Request], httpx.Response]) -> list[Answer]:
    return list(engine(handler).answer(SOURCE, ASKED))


def test_a_streamed_answer_is_put_together() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=stream(CHUNKS))

    with_key = engine(handler, "abc")
    *growing, whole = with_key.answer(SOURCE, ASKED)
    assert [one.text for one in growing] == ["", "Geç", "Geç kaldı", "Geç kaldı", "Geç kaldı"]
    assert whole == Answer(text="Geç kaldı", prompt_tokens=7, tokens=3, finish="stop", confidence=0.75)
    sent = json.loads(seen[0].content)
    assert seen[0].url == "http://gpu:8000/v1/chat/completions"
    assert seen[0].headers["authorization"] == "Bearer abc"
    assert {sent["model"], sent["max_tokens"], sent["seed"], *sent["stop"]} == {"triage", 8, 3, "!"}
    with_key.close()


def test_a_bare_prompt_goes_to_completions() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert (request.url.path, json.loads(request.content)["prompt"]) == ("/v1/completions", "Once")
        return httpx.Response(
            200, content=stream([{"choices": [{"text": " upon", "finish_reason": "length"}]}])
        )

    *_, whole = engine(handler).answer(SOURCE, Asked(prompt="Once"))
    assert (whole.text, whole.tokens, whole.finish, whole.confidence) == (" upon", 1, "length", None)


def fail(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        (lambda _: httpx.Response(400, json={"error": {"message": "too long"}}), BadInput, "too long"),
        (lambda _: httpx.Response(404, json={"detail": "?"}), BadInput, "HTTP 404"),
        (lambda _: httpx.Response(429, json={"error": {"message": "busy"}}), Refused, "Try again"),
        (lambda _: httpx.Response(500, text="oops"), WorkerFault, "oops"),
        (
            lambda _: httpx.Response(200, content=stream([{"error": {"message": "cuda"}}])),
            WorkerFault,
            "cuda",
        ),
        (lambda _: httpx.Response(200, content=stream(CHUNKS[:3])), WorkerFault, "broke off"),
        (lambda _: httpx.Response(200, content=b"data: {nonsense\n\n"), Refused, "does not answer"),
        (fail, Refused, "Start it"),
    ],
)
def test_what_goes_wrong_there_is_said(
    handler: Callable[[httpx.Request], httpx.Response], kind: type[FtkitError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        answers(handler)


def test_without_an_address_it_is_refused() -> None:
    with pytest.raises(Refused, match="no address"):
        engine(fail).answer(Source("run"), ASKED)
