"""The resident worker of llama.cpp: GGUF files ready in memory, asked over an authenticated loopback connection.

Takes one request per connection (``gguf``: a file, ``body``: a request of OpenAI's form), sends the answer so far after each token and
then ``end``. llama.cpp answers several at once. A client that goes away stops its own. It keeps the two files last used, and ends after
ten idle minutes. It writes no artefact.
"""

import time
from typing import Any

from ftkit.workers.answers.door import Door
from ftkit.workers.harness import Worker, run
from ftkit.workers.llama.files import Files

IDLE_SECONDS = 600.0
_LOOK_SECONDS = 0.5


def serve(worker: Worker) -> dict[str, Any]:
    """Answer requests until told to stop, or until nobody has asked for ``IDLE_SECONDS``."""
    answered = 0
    with Door((worker.path / "key").read_bytes()) as door:
        files = Files(worker.advance)
        worker.progress("ready", waiting=True, port=door.port)
        idle_since = time.monotonic()
        while not worker.stop_asked() and time.monotonic() - idle_since < IDLE_SECONDS:
            client = door.next(_LOOK_SECONDS)
            if client is not None:
                worker.progress("generating", port=door.port)
                files.answer(client)
                answered += 1
            if files.busy:
                idle_since = time.monotonic()
            else:
                worker.progress("ready", waiting=True, port=door.port, memory_mb=files.memory_mb)
        worker.progress("stopping", port=None)
        door.close()
        files.close()
    return {"answered": answered}


if __name__ == "__main__":
    run(serve)
