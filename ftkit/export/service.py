"""The export room: give a run's model the form that other programs take, and hand it over.

Takes run ids and options, gives exports and their files. The worker builds, loads again and compares; this side writes what the worker
reads (``inputs.json``) and reads what it writes. It serves nothing and pushes nothing.
"""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftkit.downloads import Download, plain_name
from ftkit.errors import NotFound, Refused
from ftkit.export.archive import pieces_of, zipped
from ftkit.export.options import ExportOptions
from ftkit.export.parity import Rounding, served_row
from ftkit.export.targets import Target
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.service import Clock, Jobs, NewId, Wish
from ftkit.records import ACTIVE_STATES, ENDED_STATES, Export, Job, Model, Run, Split
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, hash_value, read_json, write_json
from ftkit.store.models import get_model

KIND = "export"
_SEED = 42
_MEGABYTE = 1024**2
_BYTES = {"fp32": 4, "f32": 4, "bf16": 2, "f16": 2, "q8_0": 1.1}
_SPARE = 200 * _MEGABYTE
_LIBRARIES_MB = 700
# Programs behind these go on with a text; a model of the T5 kind reads all of it first.
_DECODERS_ONLY: frozenset[Target] = frozenset({"gguf"})
Asks = Callable[[list[dict[str, str]]], str]


@dataclass(frozen=True)
class Progress:
    """How far a running worker is."""

    phase: str
    step: int
    steps: int
    seconds_left: float | None
    heartbeat: float


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export; ``name`` is its path within it."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ExportView:
    """An export with what is known about it now; ``report``, ``parity`` and ``files`` are there once it is done."""

    export: Export
    options: ExportOptions
    job: Job
    progress: Progress | None
    report: dict[str, Any] | None
    files: tuple[ExportedFile, ...]
    parity: dict[str, Any] | None


class ExportService:
    """Exports of one data folder."""

    def __init__(  # noqa: PLR0913 - the parts of the workspace
        self,
        artefacts: Artefacts,
        folders: Folders,
        jobs: Jobs,
        clock: Clock,
        new_id: NewId,
        in_use: Callable[[str], bool] = lambda _: False,
        *,
        check_hub: Callable[[], None] = lambda: None,
    ) -> None:
        """Look at none of them yet.

        Args:
            artefacts: records.
            folders: files.
            jobs: the queue.
            clock: the time.
            new_id: makes ids.
            in_use: whether an export is served now.
            check_hub: raises ``Refused`` where nothing can be pushed to the Hub from here.
        """
        self._artefacts = artefacts
        self._folders = folders
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id
        self._in_use = in_use
        self._check_hub = check_hub
        self._start_lock = threading.Lock()

    def create(self, run_id: str, options: ExportOptions) -> Export:
        """Queue an export; where the newest one of the same request is not done, that one goes on.

        Raises:
            NotFound: there is no such run or checkpoint.
            Refused: the run has left nothing yet, its model cannot take this form, or the disk has no room for it.
        """
        run = self._artefacts.get(Run, run_id)
        model = get_model(self._folders, run.model)
        tuned = self._tuned(run, options.checkpoint)
        self._check(run, model, tuned, options)
        with self._start_lock:
            wanted = self._new(run, options)
            export = self._not_done(wanted) or wanted
            new = export is wanted
            self._write_inputs(export, run, model, tuned)
            wish = Wish(needs_mb=_LIBRARIES_MB + model.parameters * 8 // _MEGABYTE)
            self._jobs.submit(KIND, export.id, record=wanted if new else None, wish=wish)
        return export

    def all(self, run_id: str | None = None) -> list[ExportView]:
        """All exports, or those of one run; newest first."""
        found = self._artefacts.all(Export)
        return [self._view(export) for export in found if run_id in (None, export.run)]

    def get(self, id_: str) -> ExportView:
        """One export.

        Raises:
            NotFound: there is none with this id.
        """
        return self._view(self._artefacts.get(Export, id_))

    def wait(self, id_: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> ExportView:
        """Supervise an export until it has ended; ``on_look`` gets the job and the worker's heartbeat."""
        self._jobs.wait(self._artefacts.get(Export, id_).id, on_look=on_look)
        return self.get(id_)

    def stop(self, id_: str) -> ExportView:
        """Stop an export; nothing half-made is kept."""
        self._jobs.stop(self._artefacts.get(Export, id_).id)
        return self.get(id_)

    def retry(self, id_: str) -> Export:
        """Begin an export again that failed, was stopped or was lost; it gives the same files as if it had not been cut.

        Raises:
            Refused: it is done, or what it needs is not there any more.
        """
        view = self.get(id_)
        if view.job.state == "done":
            raise Refused("export.done", "The export is done. Start a new one to make it again.")
        return self.create(view.export.run, view.options)

    def delete(self, id_: str) -> None:
        """Delete an export with its files.

        Raises:
            Refused: it has not ended yet, or it is served.
        """
        view = self.get(id_)
        if view.job.state not in ENDED_STATES:
            raise Refused("export.active", "The export is {state}. Stop it first.", state=view.job.state)
        if self._in_use(id_):
            raise Refused(
                "export.served",
                "The export {name} is served. Put another version in its place first, or stop serving.",
                name=view.export.name,
            )
        self._artefacts.delete(view.export)
        shutil.rmtree(self._folders.export(id_), ignore_errors=True)

    def folder(self, id_: str) -> Path:
        """Where its files lie.

        Raises:
            NotFound: there is no such export.
            Refused: it is not done.
        """
        view = self.get(id_)
        if not view.files:
            raise Refused(
                "export.not_done",
                "The export {name} is {state} and has no files. Wait for its end, or start it again.",
                name=view.export.name,
                state=view.job.state,
            )
        return self._folders.export(id_) / "files"

    def file(self, id_: str, name: str) -> Download:
        """One of its files.

        Raises:
            NotFound: there is no such export, or no such file in it.
        """
        path = self._paths(id_).get(name)
        if path is None:
            raise NotFound("export.no_file", "The export has no file {name}.", name=repr(name))
        return Download(plain_name(path.name), "application/octet-stream", pieces_of(path))

    def archive(self, id_: str) -> Download:
        """All its files as one zip.

        Raises:
            NotFound: there is no such export.
            Refused: it is not done.
        """
        paths = self._paths(id_)
        name = plain_name(f"{self.get(id_).export.name}-{id_}")
        return Download(
            f"{name}.zip", "application/zip", zipped({f"{name}/{n}": p for n, p in paths.items()})
        )

    def hear(self, id_: str, way: str, asks: Asks, rounding: Rounding = "bf16") -> dict[str, Any]:
        """Ask a way that came up later, such as a served address, the parity prompts, and write its row into the table.

        Args:
            id_: of a finished export.
            way: its name in the table.
            asks: gives the greedy answer to a conversation, of at most as many tokens as ``parity.json`` says.
            rounding: of the numbers behind it.

        Returns:
            the row.
        """
        folder = self.folder(id_).parent
        found: dict[str, Any] = read_json(folder / "parity.json") or {"rows": [], "prompts": []}
        prompts = [prompt for prompt in found["prompts"] if prompt["messages"]]
        row = served_row(way, prompts, [asks(prompt["messages"]) for prompt in prompts], rounding)
        rows = [one for one in found["rows"] if one["way"] != way]
        write_json(folder / "parity.json", {**found, "rows": [*rows, row]})
        return row

    def _tuned(self, run: Run, step: int | None) -> Path:
        """The folder that is exported."""
        if step is not None:
            folder = self._folders.run(run.id) / "checkpoints" / f"checkpoint-{step}"
            if not any((folder / sign).exists() for sign in ("adapter_config.json", "config.json")):
                raise NotFound(
                    "export.no_checkpoint",
                    "The run {run} has no checkpoint of step {step}. Choose one of its list, or leave it out for the result.",
                    run=run.name,
                    step=step,
                )
            return folder
        tuned = self._folders.tuned(run.id)
        if tuned is None:
            raise Refused(
                "export.nothing_trained",
                "The run {run} has left nothing yet. Wait for its end, resume it, or start a new run.",
                run=run.name,
            )
        return tuned

    def _check(self, run: Run, model: Model, tuned: Path, options: ExportOptions) -> None:
        whole = not (tuned / "adapter_config.json").exists()
        if whole and "adapter" in (options.target, options.push if options.target == "hub" else ""):
            raise Refused(
                "export.no_adapter",
                "The run {run} changed the whole model and made no adapter. Export it as merged instead.",
                run=run.name,
            )
        if options.target == "hub":
            self._check_hub()
        only = options.target in _DECODERS_ONLY or (options.target == "docker" and options.server == "vllm")
        if only and model.encoder_decoder:
            raise Refused(
                "export.not_for_encoder_decoder",
                "{model} reads a whole question before it answers (encoder-decoder), and programs that take {target} go on with a "
                "text. Export it as merged instead.",
                model=model.name,
                target=options.target,
            )
        needed, free = _bytes_of(model, tuned, options), shutil.disk_usage(self._folders.home).free
        if needed > free:
            raise Refused(
                "export.not_enough_disk",
                "The export needs {needed} MB on the disk while it is made, and {free} MB are free. Make room, or choose a smaller "
                "form.",
                needed=needed // _MEGABYTE,
                free=free // _MEGABYTE,
            )

    def _new(self, run: Run, options: ExportOptions) -> Export:
        asked = options.model_dump(mode="json")
        step = "" if options.checkpoint is None else f" · {options.checkpoint}"
        return Export(
            id=self._new_id(),
            name=f"{run.name}{step} · {options.target}" + (f" · {options.form}" if options.form else ""),
            created_at=self._clock(),
            parents=(run.id,),
            content_hash=hash_value([run.content_hash, run.id, asked]),
            seed=_SEED,
            run=run.id,
            target=options.target,
            options=asked,
        )

    def _not_done(self, wanted: Export) -> Export | None:
        """The newest export of the same request, where it is not done."""
        same = (one for one in self._artefacts.all(Export) if one.content_hash == wanted.content_hash)
        newest = next(same, None)
        return newest if newest is not None and self._job(newest).state != "done" else None

    def _write_inputs(self, export: Export, run: Run, model: Model, tuned: Path) -> None:
        """Where its worker is not reading them; a run may have gone on since they were written."""
        inputs = self._folders.export(export.id) / "inputs.json"
        if inputs.exists() and self._job(export).state not in ENDED_STATES:
            return
        split = next((one for one in self._artefacts.all(Split) if one.id == run.split), None)
        result = read_json(self._folders.run(run.id) / "result.json") or {}
        write_json(
            inputs,
            {
                "options": export.options,
                "run": {"id": run.id, "name": run.name, "spec": run.spec, "recipe": run.recipe},
                "name": plain_name(run.name),
                "model": str(self._folders.model(run.model)),
                "tuned": str(tuned),
                "split": str(self._folders.split(split.id)) if split else None,
                "mapping": split.mapping if split else {},
                "base": model.model_dump(mode="json"),
                "metrics": result.get("metrics") or {},
                "data": {"split": run.split, "hash": split.content_hash if split else ""},
            },
        )

    def _view(self, export: Export) -> ExportView:
        job = self._job(export)
        folder = self._folders.export(export.id)
        done = job.state == "done"
        manifest: dict[str, Any] = (read_json(folder / "manifest.json") or {}) if done else {}
        state = JobFolder(folder).state()
        progress = None
        if state and job.state in ACTIVE_STATES:
            progress = Progress(
                phase=state["phase"],
                step=state.get("step", 0),
                steps=state.get("steps", 0),
                seconds_left=state.get("seconds_left"),
                heartbeat=state["time"],
            )
        return ExportView(
            export=export,
            options=ExportOptions(**export.options),
            job=job,
            progress=progress,
            report=read_json(folder / "report.json") if done else None,
            files=tuple(ExportedFile(name, one["size"], one["sha256"]) for name, one in manifest.items()),
            parity=read_json(folder / "parity.json") if done else None,
        )

    def _paths(self, id_: str) -> dict[str, Path]:
        """Each file that is handed over; what is not in the manifest, or is a link, is none."""
        folder = self.folder(id_)
        paths = {one.name: folder / one.name for one in self.get(id_).files}
        return {name: path for name, path in paths.items() if path.is_file() and not path.is_symlink()}

    def _job(self, export: Export) -> Job:
        """The newest job; where a crash came between the record and its job, it is queued now."""
        try:
            return self._jobs.of(export.id)
        except NotFound:
            return self._jobs.submit(KIND, export.id)


def _bytes_of(model: Model, tuned: Path, options: ExportOptions) -> int:
    """What an export takes on the disk while it is made, in bytes."""
    if options.target == "adapter" or (options.target == "hub" and options.push == "adapter"):
        made: float = sum(file.stat().st_size for file in tuned.glob("*.safetensors"))
    elif options.target == "gguf":
        made = model.parameters * (_BYTES["fp32"] + _BYTES[options.quantization])
    else:
        made = model.parameters * _BYTES[options.precision]
    return int(made) + _SPARE
