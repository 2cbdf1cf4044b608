"""The drift worker: one check of a window of requests against the training rows of the run behind them.

Takes ``inputs.json`` (window, outcomes, reference, alpha, seed), writes ``report.json``. It loads no language model and keeps no text.
"""

from pathlib import Path
from typing import Any

from ftkit.data.storage import iterate_rows
from ftkit.store.files import write_json
from ftkit.workers.drift.comparing import compare
from ftkit.workers.drift.prompts import of_training
from ftkit.workers.drift.quality import Outcomes
from ftkit.workers.harness import Worker, run


def check(worker: Worker) -> dict[str, Any]:
    """Make the report; the result's metrics say what came out."""
    inputs = worker.inputs
    worker.progress("preparing")
    reference = inputs["reference"]
    rows = of_training(iterate_rows(Path(reference["file"])), reference["mapping"])
    worker.raise_if_stopped()

    def step(done: int, of: int) -> None:
        worker.raise_if_stopped()
        worker.progress("comparing_traffic", done, of)

    report = compare(
        [(str(one["id"]), str(one["text"])) for one in inputs["window"]],
        rows,
        inputs["alpha"],
        inputs["seed"],
        outcomes=Outcomes(inputs["window"], inputs["earlier"]),
        step=step,
    )
    write_json(worker.path / "report.json", report)
    return {"outcome": report["outcome"], "findings": len(report["findings"])}


if __name__ == "__main__":
    run(check)
