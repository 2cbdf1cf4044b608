"""The resident worker: started when first asked, kept warm, asked over an authenticated loopback connection.

Takes a request, gives the replies as they come. Closing the iterator ends the work on the other side. Where the next job needs its
memory it goes to sleep, and while that job runs a question is refused. It knows nothing of what is asked.
"""

import contextlib
import secrets
import time
from collections.abc import Iterator
from multiprocessing.connection import Client, Connection
from typing import Any

from ftkit.errors import BadInput, FtkitError, Refused, WorkerFault
from ftkit.jobs.messages import receive, send
from ftkit.jobs.service import Jobs, Wish
from ftkit.records import ENDED_STATES, Job
from ftkit.store.files import Folders, write_bytes
from ftkit.store.jobs import RESIDENT

_START_SECONDS = 90.0


class Resident:
    """One worker of a kind, shared by everybody who asks."""

    def __init__(self, jobs: Jobs, folders: Folders, kind: str) -> None:
        self._jobs = jobs
        self._folder = folders.work(kind)
        self._kind = kind

    def ask(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Send a request and yield replies until the worker says that it is done.

        Raises:
            BadInput: the worker found a mistake of the user in the request.
            WorkerFault: the worker cannot be started, failed, or went away.
            Refused: it made room for a job that needs its memory.
        """
        try:
            with self._connect() as connection:
                send(connection, request)
                while not (reply := receive(connection)).get("end"):
                    if "error" in reply:
                        kind = BadInput if reply.get("mistake") else WorkerFault
                        raise kind.from_dict(reply["error"])
                    yield reply
        except (EOFError, ConnectionError) as error:
            raise WorkerFault(
                "jobs.resident_gone", "The model's process went away while it answered. Ask again."
            ) from error

    def stop(self) -> None:
        """End the worker and free its memory; the next request starts it again."""
        if any(job.artefact == self._kind for job in self._jobs.unfinished()):
            self._jobs.stop(self._kind)

    def _connect(self) -> Connection:
        deadline = time.monotonic() + _START_SECONDS
        key = self._key()
        while time.monotonic() < deadline:
            job = self._jobs.submit(self._kind, self._kind, f"{RESIDENT}{self._kind}", wish=Wish(tries=0))
            port = self._jobs.folder(job).state().get("port")
            if job.state in {"running", "stalled"} and port:
                with contextlib.suppress(ConnectionError):  # it may just have gone to sleep: start it again
                    return Client(("127.0.0.1", port), authkey=key)
            self._check(job)
            time.sleep(0.2)
        raise WorkerFault(
            "jobs.resident_slow",
            "The model's process did not start within {seconds:.0f} s. Look at its log: {log}",
            seconds=_START_SECONDS,
            log=self._folder / "worker.log",
        )

    def _check(self, job: Job) -> None:
        alone = next((one for one in self._jobs.unfinished() if one.alone), None)
        if alone is not None and job.state == "queued":
            raise Refused(
                "jobs.resident_asleep",
                "The model's process made room for {artefact}, which needs the memory. Ask again when that has ended.",
                artefact=alone.artefact,
            )
        if job.state in ENDED_STATES and job.state not in {"done", "stopped", "paused"}:
            raise WorkerFault(
                "jobs.resident_failed",
                "The model's process ended: {reason} Ask again to restart it.",
                reason=FtkitError.from_dict(job.error) if job.error else job.state,
            )

    def _key(self) -> bytes:
        path = self._folder / "key"
        if not path.exists():
            write_bytes(path, secrets.token_hex(32).encode())
            path.chmod(0o600)
        return path.read_bytes()
