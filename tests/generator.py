"""The resident generator's loop in a thread of the test, as its clients see it."""

import threading
import time
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

from ftkit.jobs.messages import receive, send
from ftkit.workers.generate import serve
from ftkit.workers.harness import Worker

KEY = b"secret"


class Serving:
    """The worker's loop in a thread, as a client sees it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "key").write_bytes(KEY)
        self.worker = Worker(folder)
        self.result: dict[str, Any] = {}
        self.thread = threading.Thread(target=lambda: self.result.update(serve(self.worker)))
        self.thread.start()
        deadline = time.monotonic() + 20
        while "port" not in self.worker.folder.state() and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        self.worker.folder.ask_to_stop()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def connect(self, key: bytes = KEY) -> Connection:
        return Client(("127.0.0.1", self.worker.folder.state()["port"]), authkey=key)

    def ask(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        with self.connect() as connection:
            send(connection, request)
            replies = []
            while not (reply := receive(connection)).get("end"):
                replies.append(reply)
            return replies
