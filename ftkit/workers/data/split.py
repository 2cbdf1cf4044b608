"""The split worker: cuts a large dataset into parts outside the web process, as a job that tells how far it is.

Takes what ``SplitService`` wrote and leaves ``splits/<id>`` with its record in the database, or nothing. It decides
nothing about parts.
"""

import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from ftkit.data.splits import parts
from ftkit.data.splits.making import PHASES, Plan, make
from ftkit.records import Dataset, Split
from ftkit.settings import Settings
from ftkit.store.artefacts import enter
from ftkit.store.files import building, write_json
from ftkit.workers.harness import Worker, run

_BEAT_EVERY = 0.3  # seconds
_SETTLED = 0.02
# When each phase begins, as a share of the whole time; measured on 100,000 rows of forty words.
_BEGINS = dict(zip(PHASES, pairwise((0.0, 0.05, 0.38, 0.43, 0.46, 1.0)), strict=True))


def job(worker: Worker) -> Mapping[str, Any]:
    """Make the split of the inputs; a stop leaves nothing behind."""
    inputs = worker.inputs
    draft, dataset = Split.model_validate(inputs["split"]), Dataset.model_validate(inputs["dataset"])
    with building(Path(inputs["target"])) as folder:
        made = make(folder, Plan.model_validate(inputs["plan"]), _Meter(worker, dataset.rows))
        worker.raise_if_stopped()
        record = made.record(draft)
        write_json(folder / "manifest.json", parts.manifest(record, dataset, made.lists()))
    enter(record, Settings.from_environment().store_url)
    return {"sizes": record.sizes, "leaks": record.leaks}


class _Meter:
    """Progress in rows, with the time left over all phases."""

    def __init__(self, worker: Worker, rows: int) -> None:
        self._worker = worker
        self._rows = rows
        self._begun = time.monotonic()
        self._told = 0.0
        self._phase = ""

    def __call__(self, phase: str, done: int, every: int) -> None:
        """Tell, a few times each second; leave where a stop was asked for."""
        now = time.monotonic()
        if phase == self._phase and now - self._told < _BEAT_EVERY:
            return
        self._phase, self._told = phase, now
        self._worker.raise_if_stopped()
        begins, ends = _BEGINS[phase]
        share = done / max(every, 1)
        whole = begins + (ends - begins) * share
        left = (now - self._begun) * (1 - whole) / whole if whole > _SETTLED else None
        self._worker.progress(phase, int(self._rows * share), self._rows if every else 0, seconds_left=left)


if __name__ == "__main__":
    run(job)
