"""The resident generator: models ready in memory, asked over an authenticated loopback connection.

Takes one request per connection, in the order of arrival. A comparison (``sides``, each with its name, folders and strength;
``conversations``, one for each side; ``sampling``) gets all answers so far after each token and then ``end``. A question to a model
that is served (``asked`` and its ``side``) gets the answer so far, together with others that come meanwhile for the same weights.
A client that goes away stops its own. It keeps the models last used, and ends after ten idle minutes, or after the present answers
where a run needs the memory. It writes no artefact.
"""

import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch

from ftkit.errors import Refused
from ftkit.jobs.messages import send
from ftkit.workers.answers.door import Door, Waiting, error_reply
from ftkit.workers.answers.models import Loaded, Models, Side, groups
from ftkit.workers.answers.streaming import Limits, Said, answer_rows
from ftkit.workers.answers.together import Table, is_question
from ftkit.workers.generation import context_length, room_for_answer
from ftkit.workers.harness import Worker, run

IDLE_SECONDS = 600.0
_LOOK_SECONDS = 0.5
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
    answered = 0
    with Door((worker.path / "key").read_bytes()) as door:
        table = Table(generator.models, door, worker)
        worker.progress("ready", waiting=True, port=door.port)
        idle_since = time.monotonic()
        while not worker.stop_asked() and time.monotonic() - idle_since < IDLE_SECONDS:
            first = door.next(_LOOK_SECONDS)
            if first is None:
                continue
            worker.progress("generating", port=door.port)
            if is_question(first):
                answered += table.serve(first)
            else:
                with first.connection:
                    answered += _answer_client(generator, first, worker)
            worker.progress("ready", waiting=True, port=door.port, memory_mb=memory_mb())
            idle_since = time.monotonic()
        worker.progress("stopping", port=None)
        door.close()
        table.close()
    return {"answered": answered}


def _answer_client(generator: Generator, client: Waiting, worker: Worker) -> bool:
    """Answer one client; tells whether it got its whole answer."""
    try:
        _answer_request(generator, client.request, client.connection, worker)
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
    except (EOFError, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001 - one request that fails must not end the generator
        send(connection, error_reply(error))
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
