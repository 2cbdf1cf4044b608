"""A train worker whose validation loss is best at a learning rate of 1e-3; with a rank of 3 it fails, with 5 it goes on until it is stopped."""

import math
import time

import yaml

from ftkit.errors import BadInput
from ftkit.workers.harness import Stopped, Worker, run


def train(worker: Worker) -> dict[str, float]:
    spec = yaml.safe_load((worker.path / "spec.yaml").read_text())
    if spec["r"] == 3:
        raise BadInput("training.not_finite", "The loss is no number at step {step}.", step=1)
    loss = 1 + abs(math.log10(spec["learning_rate"]) + 3)
    for step in (1, 2):
        worker.measure(step=step, eval_loss=loss + 1 / step)
    while spec["r"] == 5:
        if worker.stop_asked():
            raise Stopped
        time.sleep(0.02)
    return {"eval_loss": loss, "train_loss": loss}


if __name__ == "__main__":
    run(train)
