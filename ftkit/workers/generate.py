"""The resident generator: models ready in memory, asked over an authenticated loopback connection.

Takes one request per connection (``sides``, each with its name, folders and strength; ``conversations``, one for each side;
``sampling``), sends all answers so far after each token and then ``end``. One request at a time, in the order of arrival; a client
that goes away stops its own. It keeps the models last used, and ends after ten idle minutes, or after the present answer where a
run needs the memory. It writes no artefact.
"""

import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch

from ftkit.errors import FtkitError, Refused, UserError, WorkerFault
from ftkit.jobs.messages import receive, send
from ftkit.workers.answers.models import Loaded, Models, Side, groups
from ftkit.workers.answers.streaming import Limits, Said, answer_rows
from ftkit.workers.generation import context_length, room_for_answer
from ftkit.workers.harness import Worker, run

IDLE_SECONDS = 600.0
_LOOK_SECONDS = 0.5
_REQUEST_SECONDS = 10.0  # a client sends its request as soon as it is connected
_MEGABYTE = 1024**2


class Asked(NamedTuple):
    """One request."""

    sides: list[Side]
    conversations: list[list[dict[str, str]]]
    limits: Limits

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Asked":
        """From a message."""
        sides = [
            Side(
                one["name"], Path(one["model"]), Path(one["tuned"]) if one["tuned"] else None, one["strength"]
            )
            for one in request["sides"]
        ]
        return cls(sides, request["conversations"], Limits(**request["sampling"]))


class Generator:
    """The models in memory, and how they are asked."""

    def __init__(self) -> None:
        self.models = Models()

    def answer(self, asked: Asked, tell: Callable[[list[Said]], bool]) -> list[Said]:
        """Answer with each side; ``tell`` gets all answers after each token and says whether to go on.

        Sides on the same weights answer together, the others one after another.

        Raises:
            Refused: a conversation leaves no room for an answer.
            BadInput: the model's chat template does not take it.
        """
        said = [Said()] * len(asked.sides)
        for group in groups(asked.sides):
            wanted = self._answer_group(asked, group, said, tell)
            if not wanted:
                break
        return said

    def _answer_group(
        self, asked: Asked, group: list[int], said: list[Said], tell: Callable[[list[Said]], bool]
    ) -> bool:
        """Fill the places of a group in ``said``; tells whether more is wanted."""
        sides = [asked.sides[place] for place in group]
        loaded = self.models.ready(sides[0], asked.sides)
        prompts = [_prompt(loaded, asked.conversations[place]) for place in group]
        wanted = True

        def hand_on(answers: list[Said]) -> bool:
            nonlocal wanted
            for place, answer in zip(group, answers, strict=True):
                said[place] = answer
            wanted = tell(list(said))
            return wanted

        with loaded.as_sides(sides) as adapters:
            last = answer_rows(loaded.model, loaded.tokenizer, prompts, asked.limits, hand_on, adapters)
        for place, answer in zip(group, last, strict=True):
            said[place] = answer
        return wanted


def _prompt(loaded: Loaded, messages: list[dict[str, str]]) -> list[int]:
    prompt = loaded.encode.chat(messages, add_generation_prompt=True)
    if room_for_answer(loaded.model, len(prompt)) < 1:
        raise Refused(
            "ratings.prompt_too_long",
            "The conversation has {tokens} tokens and the model reads {context}. Shorten it.",
            tokens=len(prompt),
            context=context_length(loaded.model),
        )
    return prompt


def serve(worker: Worker) -> dict[str, Any]:
    """Answer requests until told to stop, or until nobody has asked for ``IDLE_SECONDS``."""
    generator = Generator()
    waiting: queue.Queue[Connection] = queue.Queue()
    answered = 0
    key = (worker.path / "key").read_bytes()
    with Listener(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, key, waiting), daemon=True).start()
        port = listener.address[1]
        worker.progress("ready", waiting=True, port=port)
        idle_since = time.monotonic()
        while not worker.stop_asked() and time.monotonic() - idle_since < IDLE_SECONDS:
            with contextlib.suppress(queue.Empty), waiting.get(timeout=_LOOK_SECONDS) as connection:
                worker.progress("generating", port=port)
                answered += _answer_client(generator, connection, worker)
                worker.progress("ready", waiting=True, port=port, memory_mb=memory_mb())
                idle_since = time.monotonic()
        worker.progress("stopping", port=None)
    return {"answered": answered}


def _accept(listener: Listener, key: bytes, waiting: "queue.Queue[Connection]") -> None:
    """Greet every client in a thread of its own, so that a silent stranger holds up nobody; ends with the listener."""
    while True:
        try:
            connection = listener.accept()
        except ConnectionError:
            continue  # it left before it was accepted
        except OSError:
            return
        threading.Thread(target=_greet, args=(connection, key, waiting), daemon=True).start()


def _greet(connection: Connection, key: bytes, waiting: "queue.Queue[Connection]") -> None:
    """Queue a client that proves that it knows the key, as ``Listener(authkey=…)`` would."""
    try:
        deliver_challenge(connection, key)
        answer_challenge(connection, key)
    except (AuthenticationError, EOFError, OSError):
        connection.close()
    else:
        waiting.put(connection)


def _answer_client(generator: Generator, connection: Connection, worker: Worker) -> bool:
    """Answer one client; tells whether it got its whole answer."""
    try:
        if not connection.poll(_REQUEST_SECONDS):
            return False
        _answer_request(generator, receive(connection), connection, worker)
    except (EOFError, ConnectionError):
        return False  # the client went away: nobody waits for the answer
    return True


def _answer_request(
    generator: Generator, request: dict[str, Any], connection: Connection, worker: Worker
) -> None:
    def tell(said: list[Said]) -> bool:
        send(connection, _reply(said))
        worker.advance()
        # A client says nothing while it waits: what can be read now is its end. Before a pause the answer is finished.
        return not connection.poll() and (worker.pause_asked() or not worker.stop_asked())

    try:
        send(connection, _reply(generator.answer(Asked.of(request), tell)))
    except FtkitError as error:
        send(connection, {"error": error.as_dict(), "mistake": isinstance(error, UserError)})
    except (EOFError, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001 - one request that fails must not end the generator
        traceback.print_exc()
        fault = WorkerFault("jobs.failed", "{reason}", reason=f"{type(error).__name__}: {error}"[:600])
        send(connection, {"error": fault.as_dict()})
    send(connection, {"end": True})


def memory_mb() -> int:
    """Memory that comes free when this process ends: of the graphics card where there is one."""
    if torch.cuda.is_available():
        return torch.cuda.memory_reserved() // _MEGABYTE
    return int(psutil.Process().memory_info().rss) // _MEGABYTE


def _reply(said: list[Said]) -> dict[str, Any]:
    return {"answers": [answer._asdict() for answer in said]}


if __name__ == "__main__":
    run(serve)
