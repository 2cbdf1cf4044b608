"""The way in: uploads are kept, and read in a process of their own that cannot take the dashboard down.

Takes paths from the command line and the upload, and names of the Hub; gives uploads and what is in them. Small files are
read while the caller waits, large ones and those of the Hub as a job that can be watched and cancelled. It makes no
dataset.
"""

import contextlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ftkit.data import intake, storage
from ftkit.data.incoming import hub
from ftkit.data.intake import Question
from ftkit.data.reading.archives import too_many_files
from ftkit.data.reading.readers import Reading
from ftkit.data.reading.report import FILES_LIMIT, Options
from ftkit.errors import BadInput, FtkitError, NotFound, Offline, Refused, WorkerFault
from ftkit.jobs.call import call_worker
from ftkit.jobs.service import Jobs
from ftkit.records import ENDED_STATES, Job, Upload
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import Folders, building, hash_file, read_json, write_json

UPLOAD_LIMIT = 2 * 1024**3
# What is read while the caller waits; more is a job with progress.
_AT_ONCE = 16 * 1024**2
_SECONDS_AT_ONCE = 60
_LANE = "read"
_KIND = "read"

OnLook = Callable[[Job, dict[str, Any]], None]


class Workers(NamedTuple):
    """How processes are started, and what of the settings they need; without it everything is read in this process."""

    jobs: Jobs
    environment: Mapping[str, str]
    endpoint: str
    offline: bool


class IncomingService:
    """Uploads of one data folder."""

    def __init__(
        self,
        artefacts: Artefacts,
        folders: Folders,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        workers: Workers | None = None,
    ) -> None:
        self._artefacts = artefacts
        self._folders = folders
        self._clock = clock
        self._new_id = new_id
        self._workers = workers

    def add(self, files: Sequence[tuple[Path, str]]) -> Upload:
        """Copy files in that shall become one dataset; their names are only labels.

        Raises:
            BadInput: there is no such file, they are too many or too large.
        """
        if len(files) > FILES_LIMIT:
            raise too_many_files(len(files))
        for path, _ in files:
            if not path.is_file():
                raise BadInput("data.no_file", "There is no file {path}. Check the name.", path=path)
        size = sum(path.stat().st_size for path, _ in files)
        if size > UPLOAD_LIMIT:
            raise BadInput(
                "data.upload_too_large",
                "The file has {size} MB; at most {limit} MB can be taken. Cut it into smaller files.",
                size=-(-size // 1024**2),
                limit=UPLOAD_LIMIT // 1024**2,
            )
        labels = [intake.label(filename) for _, filename in files]
        id_ = self._new_id()
        with building(self._folders.upload(id_)) as folder:
            for (path, _), name in zip(files, _contents(len(files)), strict=True):
                shutil.copyfile(path, folder / name)
            content_hash = intake.join_hashes([hash_file(folder / name) for name in _contents(len(files))])
        return self._enter(id_, labels, size, content_hash)

    def fetch(self, name: str) -> str:
        """Begin to download a data set of the Hub; the id of the upload that it will be.

        Raises:
            BadInput: it is no name of a data set.
            Offline: the settings forbid to ask the Hub.
        """
        wanted = hub.parse(name)
        workers = self._need_workers()
        if workers.offline:
            raise Offline(
                "data.hub_offline",
                "{name} is on the Hub, and HF_HUB_OFFLINE forbids to fetch it. Unset it, or import a file.",
                name=wanted.name,
            )
        id_ = self._new_id()
        asked = {**wanted._asdict(), "endpoint": workers.endpoint, "limit": UPLOAD_LIMIT}
        self._submit(workers, id_, {"hub": asked, "folder": str(self._folders.upload(id_))})
        return id_

    def get(self, upload_id: str) -> Upload:
        """The upload with this id; one of the Hub exists when it is here."""
        try:
            return self._artefacts.get(Upload, upload_id)
        except NotFound:
            if not self._arrived(upload_id):
                raise
            return self._artefacts.get(Upload, upload_id)

    def begin(self, upload_id: str, options: Options | None = None) -> Job | None:
        """The unfinished job that reads or fetches an upload, begun if need be; None where there is nothing to wait for.

        ``options`` count only where the job begins here.

        Raises:
            BadInput: it could not be read; the upload is gone then.
        """
        job = self.job(upload_id)
        if job is not None and job.state not in ENDED_STATES:
            return job
        if job is not None and job.state != "done":
            self._raise(upload_id, job)
        upload, known = self.get(upload_id), self.reading(upload_id)
        as_said = known is not None and options in (None, known.options)
        if as_said or self._workers is None or upload.size < _AT_ONCE:
            return None
        asked = self._question(upload, options).model_dump(mode="json")
        return self._submit(self._workers, upload_id, {"question": asked})

    def job(self, upload_id: str) -> Job | None:
        """The newest job that reads or fetches an upload; None where there is none."""
        if self._workers is None:
            return None
        try:
            job = self._workers.jobs.of(_artefact(upload_id))
        except NotFound:
            return None
        # A job whose folder is gone was dealt with.
        return job if self._workers.jobs.folder(job).path.exists() else None

    def reading(self, upload_id: str) -> Reading | None:
        """What was found in an upload; None while it has not been read."""
        value = read_json(self._folders.upload(upload_id) / intake.READING)
        return None if value is None else Reading.model_validate(value)

    def state(self, upload_id: str) -> dict[str, Any]:
        """The last heartbeat of the job of an upload."""
        job = self.job(upload_id)
        return self._workers.jobs.folder(job).state() if job is not None and self._workers else {}

    def cancel(self, upload_id: str) -> None:
        """End the reading of an upload and forget it."""
        job = self.job(upload_id)
        if job is not None and self._workers is not None and job.state not in ENDED_STATES:
            with contextlib.suppress(Refused):  # it ended meanwhile
                self._workers.jobs.stop(_artefact(upload_id))
                self._workers.jobs.wait(_artefact(upload_id), seconds=15)
        self.forget(upload_id)

    def read(self, upload_id: str, options: Options | None = None, on_look: OnLook | None = None) -> Reading:
        """What is in an upload, read once and kept beside it; with other options it is read again.

        Args:
            upload_id: which upload.
            options: what the person says about the file; None takes what was said before.
            on_look: called with the job and its heartbeat while a large file is read.

        Raises:
            BadInput: it cannot be read; where it never could, the upload is gone then.
            Refused: the file was changed since it came in.
        """
        if self._workers is not None and (job := self.begin(upload_id, options)) is not None:
            self._wait(upload_id, job, on_look)
        upload = self.get(upload_id)
        known = self.reading(upload_id)
        if known is not None and options in (None, known.options):
            return known
        try:
            return self._read(upload, options)
        except BadInput:
            if known is None:
                self.forget(upload_id)
            raise

    def rows_file(self, upload_id: str) -> Path:
        """The rows of an upload that was read."""
        return self._folders.upload(upload_id) / storage.ROWS

    def forget(self, upload_id: str) -> None:
        """Remove an upload and what was read of it.

        Raises:
            BadInput: a dataset was made from it.
        """
        with contextlib.suppress(NotFound):  # it never arrived
            self._artefacts.delete(self._artefacts.get(Upload, upload_id))
        shutil.rmtree(self._folders.upload(upload_id), ignore_errors=True)
        shutil.rmtree(self._folders.work(_artefact(upload_id)), ignore_errors=True)

    def _read(self, upload: Upload, options: Options | None) -> Reading:
        folder = self._folders.upload(upload.id)
        found = [hash_file(folder / name) for name in _contents(max(1, len(upload.files)))]
        if intake.join_hashes(found) != upload.content_hash:
            raise Refused(
                "data.upload_changed",
                "The uploaded file was changed since it came in (its hash is another one). Upload it again.",
            )
        question = self._question(upload, options)
        if self._workers is None:
            return intake.answer(question)
        try:
            answer = call_worker(
                _KIND, question.model_dump(mode="json"), self._workers.environment, _SECONDS_AT_ONCE
            )
        except WorkerFault as error:
            raise _crashed() from error
        return Reading.model_validate(answer)

    def _question(self, upload: Upload, options: Options | None = None) -> Question:
        folder = self._folders.upload(upload.id)
        labels = upload.files or (upload.filename,)
        files = tuple(
            (folder / name, label) for name, label in zip(_contents(len(labels)), labels, strict=True)
        )
        return Question(files=files, folder=folder, options=options or Options())

    def _enter(self, id_: str, labels: Sequence[str], size: int, content_hash: str, **more: Any) -> Upload:
        shown = labels[0] if len(labels) == 1 else f"{Path(labels[0]).stem} +{len(labels) - 1}"
        upload = Upload(
            id=id_,
            name=shown,
            created_at=self._clock(),
            content_hash=content_hash,
            filename=shown,
            size=size,
            files=tuple(labels) if len(labels) > 1 else (),
            **more,
        )
        self._artefacts.add(upload)
        return upload

    def _arrived(self, upload_id: str) -> bool:
        """Enter a download that has ended well; false where there is none."""
        job = self.job(upload_id)
        if job is None or job.state != "done" or self._workers is None:
            return False
        result = self._workers.jobs.folder(job).result(job.nonce) or {}
        fetched = result.get("metrics", {}).get("fetched")
        if not fetched:
            return False
        more = {"source": fetched["source"], "license": fetched["license"]}
        try:
            self._enter(upload_id, fetched["files"], fetched["size"], fetched["content_hash"], **more)
        except BadInput:
            return True  # another viewer was faster
        return True

    def _wait(self, upload_id: str, job: Job, on_look: OnLook | None) -> None:
        workers = self._need_workers()
        if job.state not in ENDED_STATES:
            job = workers.jobs.wait(_artefact(upload_id), on_look=on_look)
        if job.state != "done":
            self._raise(upload_id, job)

    def _raise(self, upload_id: str, job: Job) -> None:
        """Say why a job did not read its upload, and forget the job, and the upload if it never was read."""
        shutil.rmtree(self._folders.work(_artefact(upload_id)), ignore_errors=True)
        if self.reading(upload_id) is None:
            self.forget(upload_id)
        if job.state == "stopped":
            raise BadInput("data.reading_stopped", "The reading was stopped. Import the file again.")
        error = FtkitError.from_dict(job.error) if job.error else None
        if error is None or error.key.startswith("jobs."):
            raise _crashed()
        raise (Offline if error.key == "data.hub_no_answer" else BadInput).from_dict(error.as_dict())

    def _submit(self, workers: Workers, upload_id: str, inputs: Mapping[str, Any]) -> Job:
        write_json(self._folders.work(_artefact(upload_id)) / "inputs.json", inputs)
        return workers.jobs.submit(_KIND, _artefact(upload_id), lane=_LANE)

    def _need_workers(self) -> Workers:
        if self._workers is None:
            raise WorkerFault("data.no_workers", "This needs a worker process, and none can be started here.")
        return self._workers


def _artefact(upload_id: str) -> str:
    return f"read-{upload_id}"


def _contents(count: int) -> list[str]:
    """Names of the files in an upload's folder."""
    return ["content", *(f"content-{number}" for number in range(2, count + 1))]


def _crashed() -> BadInput:
    return BadInput(
        "data.reader_crashed",
        "The file cannot be read: the process that read it was ended, as happens with damaged files and with such that "
        "need too much memory or time. Save it again, as CSV or JSON Lines.",
    )
