"""A worker that gets on for a few steps, hangs until the file ``go`` is there, and then ends; it never looks at a stop."""

import time

from ftkit.workers.harness import Worker, run


def hang(worker: Worker) -> dict[str, int]:
    for step in range(1, 4):
        worker.progress("counting", step, 5)
    wait_for_what_never_comes(worker)
    for step in (4, 5):
        worker.progress("counting", step, 5)
        time.sleep(1.0)
    return {"steps": 5}


def wait_for_what_never_comes(worker: Worker) -> None:
    while not (worker.path / "go").exists():
        time.sleep(0.02)


if __name__ == "__main__":
    run(hang)
