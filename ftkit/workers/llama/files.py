"""GGUF files in memory, each with llama.cpp's own scheduler, which answers several clients at once.

Takes waiting clients, tells each the state of its answer from a thread of its own. It accepts no connection.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import xllamacpp

from ftkit.serving.engines.chunks import Stream
from ftkit.workers.answers.door import Client, Waiting, error_reply

_AT_ONCE = 4
_CONTEXT = 8192  # tokens of all that are answered at once; no more of one than the model was trained with
_MOST_FILES = 2
_LOOK_SECONDS = 0.05
_LAST_SECONDS = 5.0
_MEGABYTE = 1024**2


class Files:
    """The models in memory.

    Args:
        advance: called after each token.
    """

    def __init__(self, advance: Callable[[], None]) -> None:
        self._advance = advance
        self._servers: dict[str, Any] = {}  # the one used last at the end
        self._threads: dict[threading.Thread, str] = {}

    @property
    def busy(self) -> bool:
        """Whether somebody is being answered."""
        self._threads = {thread: file for thread, file in self._threads.items() if thread.is_alive()}
        return bool(self._threads)

    @property
    def memory_mb(self) -> int:
        """Memory that comes free when this process ends."""
        return int(psutil.Process().memory_info().rss) // _MEGABYTE

    def answer(self, client: Waiting) -> None:
        """Begin to answer a client; its file is loaded first where it is not in memory."""
        told = Client(client.connection)
        try:
            file, body = client.request["gguf"], client.request["body"]
            server = self._ready(file)
        except Exception as error:  # noqa: BLE001 - one request that fails must not end the worker
            told.tell(error_reply(error), last=True)
            return
        thread = threading.Thread(target=self._answer, args=(server, body, told), daemon=True)
        self._threads[thread] = file
        thread.start()

    def close(self) -> None:
        """Finish the answers that have begun."""
        until = time.monotonic() + _LAST_SECONDS
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _ready(self, file: str) -> Any:
        if file not in self._servers:
            while len(self._servers) >= _MOST_FILES:
                self._let_go(next(iter(self._servers)))
            self._servers[file] = _server(file)
        server = self._servers.pop(file)
        self._servers[file] = server
        return server

    def _let_go(self, file: str) -> None:
        while self.busy and file in self._threads.values():
            time.sleep(_LOOK_SECONDS)
        del self._servers[file]

    def _answer(self, server: Any, body: dict[str, Any], client: Client) -> None:
        stream = Stream()
        failed: list[Exception] = []

        def take(chunk: dict[str, Any]) -> bool:
            """One piece of the answer; tells whether to stop."""
            try:
                client.tell({"answer": stream.add(chunk).model_dump()})
            except Exception as error:  # noqa: BLE001 - it may not pass through llama.cpp
                failed.append(error)
            self._advance()
            return bool(failed) or client.gone

        ask = server.handle_chat_completions if "messages" in body else server.handle_completions
        try:
            ask(body, take)
            if client.gone:
                client.drop()
                return
            if failed:
                raise failed[0]
            reply: dict[str, Any] = {"answer": stream.whole().model_dump()}
        except Exception as error:  # noqa: BLE001 - as above
            reply = error_reply(error)
        client.tell(reply, last=True)
        client.wait(_LAST_SECONDS)


def _server(file: str) -> Any:
    """llama.cpp with one file. It opens a port of its own, which nobody knows the key of."""
    chosen = xllamacpp.CommonParams()
    chosen.model.path = file
    chosen.n_parallel, chosen.n_ctx, chosen.kv_unified = _AT_ONCE, _CONTEXT, True
    chosen.use_jinja, chosen.warmup, chosen.verbosity = True, False, 0
    chosen.api_keys = [secrets.token_hex(32)]
    chosen.ui = chosen.endpoint_slots = chosen.endpoint_props = False
    return xllamacpp.Server(chosen)
