"""A judge to be asked in tests: a real HTTP server of this machine that speaks as an OpenAI-compatible endpoint does.

It prefers the answer that holds ``good``; ``ail`` says by the text of the question how it misbehaves instead.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Ail = Callable[[str, int], str | None]


def said(**fields: Any) -> dict[str, Any]:
    """A chat completion that says a text."""
    message = {"role": "assistant", "content": fields.pop("text", None), **fields}
    return {
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
    }


def verdict(winner: str, reason: str = "It fits the reference.") -> dict[str, Any]:
    return said(text=json.dumps({"reason": reason, "winner": winner}))


class JudgeServer:
    """What was asked, and how it answers.

    Args:
        ail: gets the user message and how often this one came before; names what goes wrong, or None.
        choose: gets both answers; names the winner.
        hang: seconds of a time-out.
        marks: the word for an answer in the question's language.
    """

    def __init__(
        self,
        ail: Ail | None = None,
        choose: Callable[[str, str], str] | None = None,
        hang: float = 30.0,
        marks: str = "ANSWER",
    ) -> None:
        self._block = re.compile(rf"--- {marks} [AB] (\w+) ---\n(.*?)\n--- /{marks} [AB] \1 ---", re.DOTALL)
        self.ail: Ail | None = ail
        self.choose = choose or (
            lambda a, b: "tie" if ("good" in a) == ("good" in b) else "A" if "good" in a else "B"
        )
        self.asked: list[tuple[float, dict[str, Any], dict[str, str]]] = []
        self.url = ""
        self.hang = hang
        self.over = threading.Event()

    @property
    def questions(self) -> list[str]:
        return [body["messages"][-1]["content"] for _, body, _ in self.asked]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        question = body["messages"][-1]["content"]
        before = self.questions.count(question)
        self.asked.append((time.monotonic(), body, dict(handler.headers)))
        wrong = self.ail(question, before) if self.ail else None
        if wrong is None:
            answers = [text for _, text in self._block.findall(question)]
            _send(handler, 200, verdict(self.choose(*answers)))
        else:
            getattr(self, f"_{wrong}")(handler)

    def _timeout(self, handler: BaseHTTPRequestHandler) -> None:
        self.over.wait(self.hang)

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not self.over.wait(0.1):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    def _huge(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not self.over.is_set():
            handler.wfile.write(b"x" * 65536)

    def _error(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 500, {"error": "out of order"})

    def _prose(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, said(text="I like the first one better."))

    def _no_json(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, "<html>")

    def _busy(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 429, {"error": "slow down"}, {"Retry-After": "1"})

    def _busy_for_hours(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 429, {"error": "slow down"}, {"Retry-After": "7200"})

    def _refusal(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, said(refusal="I will not judge this."))

    def _moved(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 302, {}, {"Location": self.url.replace("/v1", "/elsewhere")})

    def _bad_key(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 401, {"error": f"no such key: {handler.headers.get('Authorization')}"})

    def _unknown(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 404, {"error": "no such model"})

    def _new_names(self, handler: BaseHTTPRequestHandler) -> None:
        body = self.asked[-1][1]
        if "max_tokens" in body:
            _send(handler, 400, {"error": "Use 'max_completion_tokens' instead."})
        elif "temperature" in body:
            _send(handler, 400, {"error": "temperature is not supported"})
        else:
            _send(handler, 200, verdict("tie"))

    def _echo(self, handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, verdict("tie", f"You sent {handler.headers.get('Authorization')}"))


def _send(
    handler: BaseHTTPRequestHandler, status: int, value: Any, headers: dict[str, str] | None = None
) -> None:
    content = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    handler.send_response(status)
    for name, text in {"Content-Length": str(len(content)), **(headers or {})}.items():
        handler.send_header(name, text)
    handler.end_headers()
    handler.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side hung up, as it should."""


@contextmanager
def judge_server(**options: Any) -> Iterator[JudgeServer]:
    """A judge that answers while the block lasts."""
    judge = JudgeServer(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            judge.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    judge.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield judge
    finally:
        judge.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
