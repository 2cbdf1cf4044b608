"""The resident generator: base and tuned model ready in memory, asked over an authenticated loopback connection.

Takes one request per connection (``model``, ``tuned``, ``messages``, ``sampling``), sends both answers so far after each
token and then ``end``. One request at a time, in the order of arrival; a client that goes away stops its own. It keeps one
model with the adapters last used, and ends after ten idle minutes, or after the present answer where a run needs the memory. It
writes no artefact.
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
from transformers import PreTrainedTokenizerBase

from ftkit.errors import FtkitError, Refused, UserError, WorkerFault
from ftkit.jobs.messages import receive, send
from ftkit.workers.answers.streaming import Limits, Pair, answer_in_turn, answer_pair
from ftkit.workers.generation import context_length, room_for_answer
from ftkit.workers.harness import Worker, run
from ftkit.workers.loading import ADAPTER, load_sides, load_tokenizer, load_with_adapter, mixes, quiet_peft
from ftkit.workers.training.rows import FastTokenizer

IDLE_SECONDS = 600.0
_LOOK_SECONDS = 0.5
_REQUEST_SECONDS = 10.0  # a client sends its request as soon as it is connected
_MOST_ADAPTERS = 4
_MEGABYTE = 1024**2


class Asked(NamedTuple):
    """One request."""

    model: Path
    tuned: Path
    messages: list[dict[str, str]]
    limits: Limits

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Asked":
        """From a message."""
        return cls(
            Path(request["model"]),
            Path(request["tuned"]),
            request["messages"],
            Limits(**request["sampling"]),
        )


class Loaded(NamedTuple):
    """One base model with its adapters on top."""

    folder: Path
    model: Any
    tokenizer: PreTrainedTokenizerBase
    encode: FastTokenizer


class Generator:
    """One model with its adapters; loads another when asked for it."""

    def __init__(self) -> None:
        self._loaded: Loaded | None = None
        # Of what does not mix: folder and time of the tuned model, the base, the tuned model.
        self._pair: tuple[tuple[Path, int], Loaded, Any] | None = None
        # Adapter folder and time of its weights → name in the model, the one used last at the end.
        self._adapters: dict[tuple[Path, int], str] = {}
        self._made = 0

    def answer(self, asked: Asked, tell: Callable[[Pair], bool]) -> Pair:
        """Answer with base and tuned model; ``tell`` gets both answers after each token and says whether to go on.

        Raises:
            Refused: the conversation leaves no room for an answer.
            BadInput: the model's chat template does not take it.
        """
        mixed = mixes(asked.tuned)
        loaded, tuned = self._ready(asked.model, asked.tuned) if mixed else self._apart(asked)
        prompt = loaded.encode.chat(asked.messages, add_generation_prompt=True)
        room = room_for_answer(loaded.model, len(prompt))
        if room < 1:
            raise Refused(
                "ratings.prompt_too_long",
                "The conversation has {tokens} tokens and the model reads {context}. Shorten it.",
                tokens=len(prompt),
                context=context_length(loaded.model),
            )
        limits = asked.limits._replace(max_new_tokens=min(asked.limits.max_new_tokens, room))
        if mixed:
            return answer_pair(loaded.model, loaded.tokenizer, prompt, tuned, limits, tell)
        return answer_in_turn(loaded.model, tuned, loaded.tokenizer, prompt, limits, tell)

    def adapters(self) -> list[str]:
        """Names of the adapters in memory, the one used last at the end."""
        return list(self._adapters.values())

    def _apart(self, asked: Asked) -> tuple[Loaded, Any]:
        """A base model, and the tuned one that does not mix with it: the same with its adapter, or another whole model."""
        weights = next(asked.tuned.glob("*model*.safetensors"))
        key = (asked.tuned, weights.stat().st_mtime_ns)
        if self._pair is None or self._pair[0] != key or self._pair[1].folder != asked.model:
            self._pair = self._loaded = None  # free the old ones before the new ones come
            self._adapters = {}
            base, tuned = load_sides(asked.model, asked.tuned)
            loaded = Loaded(asked.model, base, load_tokenizer(asked.model), FastTokenizer(asked.model))
            self._pair = (key, loaded, tuned)
        return self._pair[1], self._pair[2]

    def _ready(self, model: Path, adapter: Path) -> tuple[Loaded, str]:
        """The model, and the name of the adapter in it."""
        key = (adapter, (adapter / "adapter_model.safetensors").stat().st_mtime_ns)
        loaded = self._loaded
        if loaded is None or loaded.folder != model:
            self._loaded = self._pair = loaded = None  # free the old one before the new one comes
            self._adapters = {}
            loaded = Loaded(
                model, load_with_adapter(model, adapter), load_tokenizer(model), FastTokenizer(model)
            )
            self._loaded = loaded
            self._adapters[key] = ADAPTER
        elif key not in self._adapters:
            self._add(loaded.model, key)
        name = self._adapters.pop(key)
        self._adapters[key] = name
        return loaded, name

    def _add(self, model: Any, key: tuple[Path, int]) -> None:
        self._made += 1
        name = f"adapter-{self._made}"
        with quiet_peft():
            model.load_adapter(str(key[0]), adapter_name=name, is_trainable=False)
        model.set_adapter(name)  # PEFT deletes no active adapter without complaint
        model.eval()
        self._adapters[key] = name
        if len(self._adapters) > _MOST_ADAPTERS:
            oldest = next(iter(self._adapters))
            model.delete_adapter(self._adapters.pop(oldest))


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
    def tell(pair: Pair) -> bool:
        send(connection, _reply(pair))
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


def _reply(pair: Pair) -> dict[str, Any]:
    return {
        "base": pair.base.text,
        "tuned": pair.tuned.text,
        "base_tokens": pair.base.tokens,
        "tuned_tokens": pair.tuned.tokens,
        "base_cut": pair.base.cut,
        "tuned_cut": pair.tuned.cut,
    }


if __name__ == "__main__":
    run(serve)
