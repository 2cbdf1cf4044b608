"""Questions to models that are served: those that come meanwhile for the same weights join the batch that is being answered.

Takes waiting clients from the door, tells each the state of its own answer. It decides nothing about versions or keys.
"""

import time
from pathlib import Path
from typing import Any

from ftkit.errors import BadInput
from ftkit.workers.answers.batch import Batch
from ftkit.workers.answers.door import Client, Door, Waiting, error_reply
from ftkit.workers.answers.models import Loaded, Models, Side
from ftkit.workers.answers.rows import Question, Row
from ftkit.workers.answers.streaming import Limits
from ftkit.workers.harness import Worker

_KEPT_MODELS = 2  # a version and its canary answer by turns: neither is loaded anew each time
_LAST_SECONDS = 5.0  # for slow clients to take the end of their answers, before the process ends


def is_question(client: Waiting) -> bool:
    """Whether it asks one served model, and not several to be compared."""
    return "asked" in client.request


class Table:
    """Where those sit who are answered together."""

    def __init__(self, models: Models, door: Door, worker: Worker) -> None:
        self._models, self._door, self._worker = models, door, worker
        self._seated: dict[Row, Client] = {}
        self._held: tuple[Row, Client] | None = None  # it has no room yet, and nobody overtakes it
        self._ended: list[Client] = []
        self._recent: dict[Path, Side] = {}

    def serve(self, first: Waiting) -> int:
        """Answer a client and those that come meanwhile; gives how many answers were finished.

        While somebody waits who cannot join, nobody overtakes them: the batch runs empty. Before a stop or a pause the answers
        are finished and nobody joins.
        """
        client, finished = Client(first.connection), 0
        try:
            side = _side(first.request)
            loaded = self._ready(side)
            with Batch(loaded) as batch:
                self._seat(client, first.request, loaded, batch)
                while self._seated or self._held:
                    self._fill(batch, loaded, side)
                    finished += self._turn(batch)
        except Exception as error:  # noqa: BLE001 - one request that fails must not end the generator
            self._fail(client, error)
        return finished

    def close(self) -> None:
        """Give the last answers time to arrive."""
        until = time.monotonic() + _LAST_SECONDS
        for client in self._ended:
            client.wait(max(0.0, until - time.monotonic()))

    def _ready(self, side: Side) -> Loaded:
        self._recent.pop(side.weights, None)
        self._recent[side.weights] = side
        while len(self._recent) > _KEPT_MODELS:
            del self._recent[next(iter(self._recent))]
        return self._models.ready(side, list(self._recent.values()))

    def _fill(self, batch: Batch, loaded: Loaded, side: Side) -> None:
        """Seat those that can join."""
        if self._held is not None and batch.fits(self._held[0]):
            (row, client), self._held = self._held, None
            self._place(row, client, batch)
        while self._held is None and batch.free and not self._worker.stop_asked():
            waiting = self._door.next_if(lambda one: _joins(one, side))
            if waiting is None:
                return
            self._seat(Client(waiting.connection), waiting.request, loaded, batch)

    def _seat(self, client: Client, request: dict[str, Any], loaded: Loaded, batch: Batch) -> None:
        try:
            row = batch.row(_question(request, loaded))
        except Exception as error:  # noqa: BLE001 - a mistake in one request is that client's alone
            self._end(client, error_reply(error))
            return
        if batch.fits(row):
            self._place(row, client, batch)
        else:
            self._held = row, client

    def _place(self, row: Row, client: Client, batch: Batch) -> None:
        batch.add(row)
        self._seated[row] = client

    def _turn(self, batch: Batch) -> int:
        """One token for each; gives how many answers have ended with it."""
        batch.step()
        self._worker.advance()
        finished = 0
        left = {row for row, client in self._seated.items() if client.gone}
        for row, client in self._seated.items():
            if row in left:
                client.drop()
            elif row.over:
                self._end(client, {"answer": row.said()})
                finished += 1
            else:
                client.tell({"answer": row.said()})
        over = {row for row in self._seated if row.over or row in left}
        self._seated = {row: client for row, client in self._seated.items() if row not in over}
        batch.leave(over)
        return finished

    def _fail(self, first: Client, error: Exception) -> None:
        """All that sit there have the same error."""
        held = [] if self._held is None else [self._held[1]]
        reply = error_reply(error)
        for client in dict.fromkeys([*self._seated.values(), *held] or [first]):
            self._end(client, reply)
        self._seated, self._held = {}, None

    def _end(self, client: Client, reply: dict[str, Any]) -> None:
        client.tell(reply, last=True)
        self._ended = [one for one in [*self._ended, client] if not one.ended]


def _side(request: dict[str, Any]) -> Side:
    one = request["side"]
    return Side(
        one["name"], Path(one["model"]), Path(one["tuned"]) if one["tuned"] else None, one["strength"]
    )


def _joins(client: Waiting, other: Side) -> bool:
    """Whether it can be answered in one batch with another side; one that is out of order is looked at alone."""
    try:
        side = _side(client.request)
    except (KeyError, TypeError):
        return False
    if side.weights != other.weights:
        return False
    return side[1:] == other[1:] or (side.mixes and other.mixes)


def _question(request: dict[str, Any], loaded: Loaded) -> Question:
    asked = request["asked"]
    if asked["messages"]:
        prompt = loaded.encode.chat(asked["messages"], add_generation_prompt=True)
    else:
        prompt = loaded.encode.text(asked["prompt"])
    if not prompt:
        raise BadInput("serving.no_prompt", "There is nothing to answer. Send messages, or a prompt.")
    limits = Limits(
        max_new_tokens=asked["max_tokens"],
        temperature=asked["temperature"],
        top_p=asked["top_p"],
        seed=asked["seed"],
    )
    return Question(_side(request), prompt, limits, tuple(asked["stop"]))
