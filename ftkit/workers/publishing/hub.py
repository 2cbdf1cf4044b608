"""Uploads a folder to the Hugging Face Hub and compares what lies there with it, file by file.

Takes a folder and a name, gives the address with the sha256 of each file. Large files are sent first, one after another, and
what the Hub has already is not sent again; one commit then changes the repository from the old state to the new one. The
token is huggingface_hub's own business: it is read from the environment by that library and never by this module.
"""

import fnmatch
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is not in its __all__
    HfHubHTTPError,
    HTTPError,
)
from huggingface_hub.hf_api import RepoFile

from ftkit.store.files import hash_file
from ftkit.workers.publishing.line import Interrupted, line

# Of an earlier upload, what would make a mixture with this one.
_REPLACED = ("*.safetensors", "*.safetensors.index.json", "adapter_config.json", "config.json")
_WAITS = (1.0, 4.0)
# Who asks for more is told to come back: nobody sees why a job sleeps for an hour.
_LONGEST_WAIT = 30
_LOOK_SECONDS = 0.2
_TOKEN = re.compile(r"hf_\w{8,}")
_GONE_WRONG = (HfHubHTTPError, HTTPError, Interrupted, OSError, RuntimeError, ValueError, KeyError)

# Called with bytes sent and bytes to send; raises to end the upload.
Report = Callable[[int, int], None]


class Unsent(Exception):  # noqa: N818 - whoever uploads says it in a sentence of the error family
    """The folder is not on the Hub as a whole.

    Args:
        reason: in a few words.
        status: of the answer, where there was one that says no for good.
        wait: seconds that the Hub wants to be left alone, where they are too many to wait here.
        cause: where it is none of these: ``public`` for a repository that is open to everybody and must not be, ``differs``
            for a file that does not lie there as it lies here.
    """

    def __init__(self, reason: str, status: int = 0, wait: int = 0, cause: str = "") -> None:
        super().__init__(reason)
        self.reason, self.status, self.wait, self.cause = reason, status, wait, cause


class Parcel(NamedTuple):
    """What is uploaded."""

    folder: Path
    repo: str
    private: bool
    message: str


class Pushed(NamedTuple):
    """What lies on the Hub now.

    Attributes:
        files: name → sha256, as it lies here and there.
        changed: names that this upload put there; the others lay there already.
        bytes_sent: of large files; fewer than they have where an earlier try had brought some of them.
    """

    address: str
    repo: str
    commit: str
    files: dict[str, str]
    changed: tuple[str, ...]
    bytes_sent: int


def push(parcel: Parcel, report: Report = lambda _sent, _all: None) -> Pushed:
    """Upload it, and see that it lies there.

    Raises:
        Unsent: it is not there as a whole; what arrived of it is not sent again the next time.
    """
    task = _Push(parcel, report)
    with line(task.count):
        for wait in (*_WAITS, None):
            try:
                return task.run()
            except _GONE_WRONG as error:
                found = _root(error)
                if wait is not None and isinstance(found, Interrupted) and found.wait <= _LONGEST_WAIT:
                    _sleep(max(wait, found.wait), task.tell)
                elif isinstance(found, _GONE_WRONG):
                    raise _unsent(found) from error
                else:
                    raise found from None  # it came out of ``report``
    raise AssertionError("the last try returns or raises")


def _sleep(seconds: float, tell: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        tell()
        time.sleep(_LOOK_SECONDS)


class _Push:
    """One upload; ``run`` may be called again after an interruption."""

    def __init__(self, parcel: Parcel, report: Report) -> None:
        self._parcel, self._report = parcel, report
        paths = (path for path in sorted(parcel.folder.rglob("*")) if path.is_file())
        self._files = {str(path.relative_to(parcel.folder)): path for path in paths}
        self._hashes = {name: hash_file(path).removeprefix("sha256:") for name, path in self._files.items()}
        self._api = HfApi()
        self._changed: list[str] = []
        self._sent = self._done = self._total = 0

    def run(self) -> Pushed:
        """Send what is not there, commit it, compare."""
        made = self._api.create_repo(self._parcel.repo, private=self._parcel.private, exist_ok=True)
        info = self._api.model_info(made.repo_id)
        if self._parcel.private and not info.private:
            raise Unsent(made.repo_id, cause="public")
        commit = str(info.sha)
        there = self._there(made.repo_id, info.sha)
        missing = [name for name in self._files if not self._same(name, there.get(name))]
        stale = [name for name in there if name not in self._files and _is_replaced(name)]
        if missing or stale:
            commit = self._commit(made.repo_id, missing, stale)
            there = self._there(made.repo_id, commit)
        for name in self._files:
            if not self._same(name, there.get(name)):
                raise Unsent(f"{name} has another content there", cause="differs")
        return Pushed(str(made), made.repo_id, commit, self._hashes, tuple(self._changed), self._sent)

    def count(self, more: int) -> None:
        """So many bytes of a large file went out."""
        self._sent += more
        self._done += more
        self.tell()

    def tell(self) -> None:
        """Say how far it is."""
        self._report(min(self._done, self._total), self._total)

    def _there(self, repo: str, revision: str | None) -> dict[str, RepoFile]:
        tree = self._api.list_repo_tree(repo, recursive=True, revision=revision) if revision else ()
        return {one.path: one for one in tree if isinstance(one, RepoFile)}

    def _same(self, name: str, there: RepoFile | None) -> bool:
        if there is None:
            return False
        if there.lfs is not None:
            return there.lfs.sha256 == self._hashes[name]
        path = self._files[name]
        return there.size == path.stat().st_size and there.blob_id == _blob_id(path)

    def _commit(self, repo: str, names: Sequence[str], stale: Sequence[str]) -> str:
        adding = {name: CommitOperationAdd(name, self._files[name]) for name in names}
        self._total = sum(self._files[name].stat().st_size for name in names)
        arrived = 0
        for name, one in adding.items():
            self._done = arrived
            self.tell()
            self._api.preupload_lfs_files(repo, [one], free_memory=False)
            arrived += self._files[name].stat().st_size
        self._done = arrived
        self.tell()
        made = self._api.create_commit(
            repo,
            [*adding.values(), *map(CommitOperationDelete, stale)],
            commit_message=self._parcel.message,
        )
        self._changed += names
        return str(made.oid)


def _is_replaced(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _REPLACED)


def _blob_id(path: Path) -> str:
    """The id that git gives to a file."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _root(error: BaseException) -> BaseException:
    """What happened first: huggingface_hub wraps what happens in its threads."""
    while isinstance(error, RuntimeError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _unsent(error: BaseException) -> Unsent:
    if isinstance(error, Interrupted):
        return Unsent(error.reason, wait=error.wait)
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        status = error.response.status_code
        return Unsent(f"HTTP {status}", status=status)
    reason = _TOKEN.sub("hf_***", str(error)).strip().partition("\n")[0][:200]
    return Unsent(reason or type(error).__name__)
