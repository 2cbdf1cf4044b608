"""A resident worker that answers each request word by word, and sleeps after two idle seconds."""

import select
import time
from multiprocessing.connection import Listener

from ftkit.jobs.messages import receive, send
from ftkit.workers.harness import Worker, run


def listen(worker: Worker) -> dict[str, int]:
    served = 0
    with Listener(("127.0.0.1", 0), authkey=(worker.path / "key").read_bytes()) as listener:
        worker.progress("ready", waiting=True, port=listener.address[1], memory_mb=500)
        while select.select([listener._listener._socket], [], [], 2.0)[0] and not worker.stop_asked():
            with listener.accept() as connection:
                request = receive(connection)
                if request.get("die"):
                    raise SystemExit
                if request.get("sleepy") and not (worker.path / "slept").exists():
                    (worker.path / "slept").touch()
                    send(connection, {"again": True})
                    continue
                try:
                    for word in request["text"].split():
                        send(connection, {"word": word})
                        time.sleep(0.02)
                    send(connection, {"end": True})
                    served += 1
                except (BrokenPipeError, ConnectionResetError):
                    (worker.path / "client-left").touch()
    return {"served": served}


if __name__ == "__main__":
    run(listen)
