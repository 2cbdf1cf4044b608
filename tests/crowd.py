"""Raters that rate over HTTP at once, send everything twice or three times, and know what was acknowledged.

They speak HTTP through the standard library: a client that costs less than the server does not hold it up.
"""

import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple

from tests.studied import whole

_PATIENCE = 120.0  # seconds without an answer


class Acknowledged(NamedTuple):
    """What the server said is stored."""

    task: str
    submission: str
    revision: int
    answer: str  # the text that was chosen


class Crowd:
    """Counts what all raters did; ``errors`` are answers that nobody should get."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.acknowledged: list[Acknowledged] = []
        self.sent = 0
        self.broken = 0  # requests without an answer
        self.errors: list[str] = []
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def rate_all(self, tokens: Sequence[str]) -> None:
        """Every rater rates until nothing is left for them."""
        with ThreadPoolExecutor(len(tokens)) as pool:
            for done in [pool.submit(self._rate, token, n) for n, token in enumerate(tokens)]:
                done.result()

    def _rate(self, token: str, number: int) -> None:
        chance = random.Random(number)
        with (
            closing(_Line(self, token)) as first,
            closing(_Line(self, token)) as second,
            ThreadPoolExecutor(2) as pool,
        ):
            told = first.ask("GET", "/rate/api/task")
            while told["state"] != "finished":
                if told["state"] == "waiting":
                    time.sleep(0.2)
                    told = first.ask("GET", "/rate/api/task")
                    continue
                told = self._send(told, chance, pool, (first, second))

    def _send(
        self, told: dict[str, Any], chance: random.Random, pool: ThreadPoolExecutor, lines: "Sequence[_Line]"
    ) -> dict[str, Any]:
        """One rating, at once over two connections, and now and then once more afterwards."""
        task, better = told["task"], chance.randrange(2)
        body = {"submission": str(uuid.uuid4()), "values": whole(told, better), "seconds": 1.5}
        path = f"/rate/api/task/{task['id']}/rating"
        answers = list(pool.map(lambda line: line.ask("POST", path, body), lines))
        if chance.random() < 0.3:
            answers.append(lines[0].ask("POST", path, body))
        with self._lock:
            for answer in answers:
                self.acknowledged.append(
                    Acknowledged(
                        task["id"], answer["submission"], answer["revision"], task["answers"][better]
                    )
                )
        return answers[-1]["next"]

    def note(self, sent: int = 0, broken: int = 0, error: str = "", wait: float | None = None) -> None:
        with self._lock:
            self.sent += sent
            self.broken += broken
            if error:
                self.errors.append(error)
            if wait is not None:
                self.waits.append(wait)


class _Line:
    """One connection of a rater, made again whenever it breaks."""

    def __init__(self, crowd: Crowd, token: str) -> None:
        self._crowd = crowd
        self._token = token
        self._connection: http.client.HTTPConnection | None = None
        self._cookie = ""

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask until there is an answer, as a page does."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            begun = time.monotonic()
            try:
                status, text = self._once(method, path, body)
            except (OSError, http.client.HTTPException):
                self._crowd.note(broken=1)
                self.close()
                time.sleep(0.1)
                continue
            self._crowd.note(sent=1, wait=time.monotonic() - begun)
            if status == 200:
                return json.loads(text)
            self._crowd.note(error=f"{method} {path} {status} {text[:300]!r}")
            if status < 500:
                break
        raise AssertionError(f"no answer to {method} {path}: {self._crowd.errors[-3:]}")

    def _once(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._crowd.port, timeout=60)
        if not self._cookie:
            self._connection.request("GET", f"/invite/{self._token}")
            answer = self._connection.getresponse()
            answer.read()
            self._cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        headers = {"cookie": self._cookie, "content-type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def killing(
    kill: Callable[[], None], moments: Sequence[float], progress: Callable[[], float]
) -> threading.Thread:
    """A thread that kills the server each time that so much of the work is done."""

    def watch() -> None:
        for moment in moments:
            while progress() < moment:
                time.sleep(0.02)
            kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread
