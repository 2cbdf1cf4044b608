"""A worker with descendants as data loaders and torchrun have them: forked, in sessions of their own, deaf, and orphaned."""

import os
import signal
import subprocess
import sys
import time

from ftkit.workers.harness import Worker, run

_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
# Its parent ends at once, so that no tree leads to it.
_ORPHAN = (
    f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {_DEAF!r}], start_new_session=True)"
)


def work(worker: Worker) -> dict[str, int]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    forked = os.fork()
    if forked == 0:  # as a data loader: it inherits the lock
        time.sleep(600)
        os._exit(0)
    subprocess.Popen([sys.executable, "-c", _DEAF])
    subprocess.Popen([sys.executable, "-c", _DEAF], start_new_session=True)
    subprocess.run([sys.executable, "-c", _ORPHAN], check=True)
    while True:
        worker.progress("counting", 1, 2)
        time.sleep(0.2)


if __name__ == "__main__":
    run(work)
