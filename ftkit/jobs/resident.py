"""The resident worker: started when first asked, kept warm, asked over an authenticated loopback connection.

Takes a request, gives the replies as they come. Closing the iterator ends the work on the other side. Where the next job needs its
memory it goes to sleep, and while that job runs a question is refused; one that came while it went to sleep is asked again. It may
be asked by many threads at once. It knows nothing of what is asked.
"""

import secrets
import threading
import time
from collections.abc import Generator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from typing import Any

from ftkit.errors import BadInput, FtkitError, Refused, WorkerFault
from ftkit.jobs.folder import JobFolder
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
        self._making_key = threading.Lock()

    def ask(self, request: dict[str, Any], pulse: float | None = None) -> Generator[dict[str, Any]]:
        """Send a request and yield replies until the worker says that it is done.

        Args:
            request: what the worker takes.
            pulse: seconds; where nothing has come for so long an empty reply is given, so that who asks can give up. None waits.

        Raises:
            BadInput: the worker found a mistake of the user in the request.
            WorkerFault: the worker cannot be started, failed, or went away.
            Refused: it made room for a job that needs its memory.
        """
        try:
            again = True
            while again:
                again = yield from self._ask_once(request, pulse)
        except (EOFError, ConnectionError) as error:
            raise WorkerFault(
                "jobs.resident_gone", "The model's process went away while it answered. Ask again."
            ) from error

    def _ask_once(
        self, request: dict[str, Any], pulse: float | None
    ) -> Generator[dict[str, Any], None, bool]:
        """Tells whether it was about to sleep, and has not looked at the request."""
        with self._connect() as connection:
            send(connection, request)
            while True:
                while not connection.poll(pulse):
                    yield {}
                reply = receive(connection)
                if reply.get("end"):
                    return False
                if reply.get("again"):
                    return True
                if "error" in reply:
                    kind = BadInput if reply.get("mistake") else WorkerFault
                    raise kind.from_dict(reply["error"])
                yield reply

    def stop(self) -> None:
        """End the worker and free its memory; the next request starts it again."""
        if any(job.artefact == self._kind for job in self._jobs.unfinished()):
            self._jobs.stop(self._kind)

    def _connect(self) -> Connection:
        deadline = time.monotonic() + _START_SECONDS
        self._key()  # the worker reads it when it starts
        warm = JobFolder(self._folder).state().get("port")
        if warm and (found := _greeted(warm, self._key())) is not None:
            return found  # the database is not asked: many ask at once
        while time.monotonic() < deadline:
            job = self._jobs.submit(self._kind, self._kind, f"{RESIDENT}{self._kind}", wish=Wish(tries=0))
            port = self._jobs.folder(job).state().get("port")
            if job.state in {"running", "stalled"} and port:
                found = _greeted(port, self._key())
                if found is not None:
                    return found
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
        with self._making_key:
            if not path.exists():
                write_bytes(path, secrets.token_hex(32).encode())
                path.chmod(0o600)
            return path.read_bytes()


def _greeted(port: int, key: bytes) -> Connection | None:
    """A connection to the worker; None where it is not there any more, or just goes to sleep: it is to be started again."""
    try:
        return Client(("127.0.0.1", port), authkey=key)
    except (AuthenticationError, EOFError, OSError):  # somebody else may have the port by now
        return None
