"""A worker that counts slowly, with a child process of its own; ends by itself, by a flag or by a signal."""

import os
import subprocess
import sys
import time

from ftkit.workers.harness import Stopped, Worker, run


def count(worker: Worker) -> dict[str, int]:
    steps = int(worker.inputs.get("steps", 20))
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (worker.path / "child").write_text(str(child.pid))
    with (worker.path / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    for step in range(1, steps + 1):
        if worker.stop_asked() and not worker.inputs.get("deaf"):
            child.kill()
            raise Stopped
        worker.measure(step=step, loss=1 / step)
        worker.progress("counting", step, steps)
        time.sleep(float(worker.inputs.get("pause", 0.1)))
    child.kill()
    return {"steps": steps}


if __name__ == "__main__":
    run(count)
