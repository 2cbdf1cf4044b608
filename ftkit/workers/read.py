"""The read worker: reads one upload within limits of memory and time, so that a hostile file harms nobody else.

Takes the files of an upload, or the name of a data set of the Hub; leaves ``rows.parquet`` and ``reading.json`` in the
upload's folder. It answers a question for a small file and runs as a job for a large one. It makes no dataset.
"""

import resource
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ftkit.data import intake
from ftkit.data.intake import Question
from ftkit.errors import BadInput
from ftkit.workers.harness import Worker, answer, run

_MEMORY = 2 * 1024**3  # bytes of address space
_SECONDS = 60  # of processor time, and more for more bytes
_BYTES_PER_SECOND = 2 * 1024**2
_MEGABYTE = 1024**2
_READING_SHARE = 0.7  # of the whole time; the rest goes into writing


def job(worker: Worker) -> Mapping[str, Any]:
    """Fetch what is to be fetched, then read it."""
    if "hub" not in worker.inputs:
        reading = _limited(Question.model_validate(worker.inputs["question"]), _Meter(worker))
        return {"rows": reading["rows"]}
    from ftkit.workers.pulling import data_files  # noqa: PLC0415 - the Hub's client is not needed for files

    folder = Path(worker.inputs["folder"])
    try:
        with data_files.fetched(worker.inputs["hub"], folder, _downloading(worker)) as fetch:
            reading = _limited(fetch.question, _Meter(worker))
        return {"rows": reading["rows"], "fetched": fetch.about}
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def question(value: dict[str, Any]) -> dict[str, Any]:
    """Read the files of a question.

    Returns:
        The ``Reading`` as JSON.
    """
    return _limited(Question.model_validate(value), lambda *_: None)


def _limited(asked: Question, progress: intake.Progress) -> dict[str, Any]:
    size = sum(path.stat().st_size for path, _ in asked.files)
    _limit(resource.RLIMIT_AS, _MEMORY)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + _SECONDS + size // _BYTES_PER_SECOND)
    try:
        return intake.answer(asked, progress).model_dump(mode="json")
    except MemoryError as error:
        raise BadInput(
            "data.too_much_memory",
            "Reading the file needs more than {limit} MB of memory. Save it as JSON Lines or CSV, or cut it up.",
            limit=_MEMORY // _MEGABYTE,
        ) from error


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (limit, limit))


def _downloading(worker: Worker) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        worker.raise_if_stopped()
        worker.progress("downloading", done // _MEGABYTE, total // _MEGABYTE)

    return report


class _Meter:
    """Progress with the time left over both passes."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._begun = time.monotonic()
        self._told = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Tell, a few times each second; leave where a stop was asked for."""
        now = time.monotonic()
        if now - self._told < 0.2:
            return
        self._told = now
        self._worker.raise_if_stopped()
        part = done / max(total, 1)
        whole = part * _READING_SHARE if phase == "reading" else _READING_SHARE + part * (1 - _READING_SHARE)
        left = (now - self._begun) * (1 - whole) / whole if whole > 0.01 else None
        unit = _MEGABYTE if phase == "reading" else 1
        self._worker.progress(phase, done // unit, total // unit, seconds_left=left)


if __name__ == "__main__":
    if sys.argv[1:]:
        run(job)
    else:
        answer(question)
