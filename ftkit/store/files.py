"""Files: where each artefact lies, hashing, and writing so that a crash leaves the old file or the new one.

Takes the data folder, gives paths by id. Ids are checked here, so that no id can name a place outside.
"""

import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ftkit.errors import NotFound

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Folders:
    """The folders under the data folder, one per artefact."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def upload(self, id_: str) -> Path:
        """The file as it came in lies here under the name ``content``."""
        return self._of("uploads", id_)

    def dataset(self, id_: str) -> Path:
        """``rows.parquet``."""
        return self._of("datasets", id_)

    def split(self, id_: str) -> Path:
        """``train.parquet``, ``validation.parquet``, ``test.parquet`` and ``manifest.json``."""
        return self._of("splits", id_)

    def model(self, id_: str) -> Path:
        """A folder that ``from_pretrained`` takes."""
        return self._of("models", id_)

    def run(self, id_: str) -> Path:
        """``spec.yaml``, ``worker.log``, ``metrics.jsonl``, ``state.json``, ``checkpoints/``, ``adapter/`` or ``model/``, ``DONE``."""
        return self._of("runs", id_)

    def tuned(self, run: str) -> Path | None:
        """What a run has made so far: the folder of its adapter, or of its whole model after full fine-tuning."""
        made = {"adapter": "adapter_config.json", "model": "config.json"}
        folder = self.run(run)
        return next((folder / name for name, sign in made.items() if (folder / name / sign).exists()), None)

    def sweep(self, id_: str) -> Path:
        """``found.json``: the trials so far, with the worker's files beside it."""
        return self._of("sweeps", id_)

    def evaluation(self, id_: str) -> Path:
        """``report.json`` and ``samples.parquet``, with the worker's files beside them."""
        return self._of("evaluations", id_)

    def judgement(self, id_: str) -> Path:
        """``verdicts.jsonl`` and ``report.json``, with the worker's files beside them."""
        return self._of("judgements", id_)

    def study(self, id_: str) -> Path:
        """``answers.jsonl`` and ``report.json``, with the worker's files beside them; items and ratings are in the database."""
        return self._of("studies", id_)

    def comparison(self, id_: str) -> Path:
        """``answers.json``."""
        return self._of("comparisons", id_)

    def benchmark(self, id_: str) -> Path:
        """``report.json`` and each side's answers (``<side>.jsonl``), with the worker's files beside them."""
        return self._of("benchmarks", id_)

    def export(self, id_: str) -> Path:
        """``files/`` (what is handed over), ``manifest.json`` and ``parity.json``, with the worker's files beside them."""
        return self._of("exports", id_)

    def cache(self, name: str) -> Path:
        """What can be made again; it may be deleted at any time."""
        return self._of("cache", name)

    def work(self, id_: str) -> Path:
        """Folder of a job that makes no artefact of its own, such as a download or the resident generator."""
        return self._of("work", id_)

    def _of(self, room: str, id_: str) -> Path:
        if not _ID.fullmatch(id_) or ".." in id_:
            raise NotFound("store.bad_id", "{id} is not an id.", id=repr(id_))
        return self.home / room / id_


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` as a whole: write beside it, flush to the disk, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    flush_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` by ``value`` as JSON; non-finite numbers are refused with ``ValueError``."""
    write_bytes(path, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1).encode())


def read_json(path: Path) -> Any | None:
    """The value in ``path``; None where there is no such file."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name only when everything in it is on the disk.

    Where ``folder`` is there already, it stays as it is and the new one is dropped: artefacts never change.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        yield partial
        flush_files(partial)
        if not folder.exists():
            partial.rename(folder)
            flush_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def replace_folder(fresh: Path, final: Path) -> None:
    """Put a finished folder in place of another; whenever it is cut short, one of the two is whole, or ``fresh`` still lies there."""
    flush_files(fresh)
    former = final.with_name(f".{final.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    if final.exists():
        final.rename(former)
    fresh.rename(final)
    flush_folder(final.parent)
    shutil.rmtree(former, ignore_errors=True)


def flush_files(folder: Path) -> None:
    """Make the files in ``folder`` survive a power loss."""
    for file in folder.iterdir():
        flush_file(file)
    flush_folder(folder)


def flush_file(path: Path) -> None:
    """Make a file survive a power loss."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def flush_folder(folder: Path) -> None:
    """Make renames in ``folder`` survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hash_value(value: Any) -> str:
    """sha256 of a JSON value, whatever the order of its keys, as ``sha256:<hex>``."""
    return "sha256:" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def short_hash(value: Any, length: int) -> str:
    """The first hexadecimal digits of ``hash_value``, for names of files and ids."""
    return hash_value(value).removeprefix("sha256:")[:length]


def keep_newest(folder: Path, pattern: str, most: int) -> None:
    """Delete all but ``most`` files, those that were touched longest ago first."""
    by_use = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_use[most:]:
        path.unlink(missing_ok=True)


def hash_file(path: Path) -> str:
    """sha256 of a file, as ``sha256:<hex>``."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
