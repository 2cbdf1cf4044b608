"""A train worker that only counts: measurements, progress and a result as the real one leaves them."""

import time

from ftkit.workers.harness import Stopped, Worker, run


def train(worker: Worker) -> dict[str, float]:
    for step in range(1, 31):
        if worker.stop_asked():
            raise Stopped
        worker.measure(step=step, epoch=step / 30, loss=3 / step, learning_rate=1e-4, grad_norm=1.0)
        if step % 10 == 0:
            worker.measure(step=step, eval_loss=4 / step)
        worker.progress("training", step, 30, seconds_left=(30 - step) * 0.1)
        time.sleep(0.1)
    return {"train_loss": 0.1, "eval_loss": 0.13, "tokens_per_second": 150.0}


if __name__ == "__main__":
    run(train)
