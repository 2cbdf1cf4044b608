"""A data set of the Hugging Face Hub: its files of rows, of one pinned commit, checked by size and hash.

Takes a name and a revision, fills an upload's folder. It runs no code of the data set and keeps no cache.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is not in its __all__
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import DatasetInfo, RepoSibling

from ftkit.data.intake import Question, join_hashes
from ftkit.data.reading.report import FILES_LIMIT
from ftkit.errors import BadInput, Fault, Offline, Refused
from ftkit.store.files import hash_file
from ftkit.workers.pulling.hub import counting

_TIMEOUT_SECONDS = 5.0
_MEGABYTE = 1024**2
_SPARE_BYTES = 500 * _MEGABYTE
# In the order of preference; a data set often holds the same rows in several forms.
_ENDINGS = (".parquet", ".jsonl", ".jsonl.gz", ".json", ".csv", ".tsv", ".txt")
# Files about the data set, not of it.
_NO_ROWS = frozenset(
    {"dataset_infos.json", "dataset_info.json", "state.json", "requirements.txt", "license.txt"}
)
_PART = re.compile(r"(?:^|[/_.\-])(train|validation|valid|val|dev|test)(?=[/_.\-\d])", re.IGNORECASE)


class Fetched(NamedTuple):
    """What was fetched: what to read, and what the upload's record says."""

    question: Question
    about: dict[str, Any]


@contextmanager
def fetched(asked: Mapping[str, Any], folder: Path, report: Callable[[int, int], None]) -> Iterator[Fetched]:
    """Fetch a data set into ``folder``.

    Args:
        asked: ``name``, ``revision``, ``endpoint``, ``limit`` in bytes.
        folder: of the upload; it must not exist.
        report: called with bytes done and bytes in all; it may raise to end the download.

    Raises:
        BadInput: no such data set or revision, not open to this account, nothing to read in it, or too large.
        Refused: the disk is too small.
        Offline: the Hub does not answer.
        Fault: a file arrived damaged.
    """
    name, endpoint = asked["name"], asked["endpoint"]
    scratch = folder.with_name(f".{folder.name}.fetch")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    folder.mkdir(parents=True)
    try:
        with _explained(name, asked["revision"], endpoint):
            info = HfApi(endpoint=endpoint).dataset_info(
                name, revision=asked["revision"], timeout=_TIMEOUT_SECONDS, files_metadata=True
            )
            files = _wanted(name, info.siblings or [])
            _check_size(name, files, asked["limit"], folder)
            done = 0
            total = sum(file.size or 0 for file in files)
            for number, file in enumerate(files, start=1):
                path = Path(
                    hf_hub_download(
                        name,
                        file.rfilename,
                        repo_type="dataset",
                        revision=info.sha,
                        local_dir=scratch,
                        endpoint=endpoint,
                        etag_timeout=_TIMEOUT_SECONDS,
                        tqdm_class=counting(report, done, total),
                    )
                )
                _check_file(path, file)
                path.replace(folder / ("content" if number == 1 else f"content-{number}"))
                done += file.size or 0
        yield _described(name, info, files, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _described(name: str, info: DatasetInfo, files: Sequence[RepoSibling], folder: Path) -> Fetched:
    paths = [
        folder / ("content" if number == 1 else f"content-{number}") for number in range(1, len(files) + 1)
    ]
    labels = [Path(file.rfilename).name for file in files]
    if len(labels) == 1:
        labels = [name.partition("/")[2] + "".join(Path(labels[0]).suffixes[-2:])]
    about = {
        "files": labels,
        "size": sum(path.stat().st_size for path in paths),
        "content_hash": join_hashes([hash_file(path) for path in paths]),
        "source": f"hub:{name}@{info.sha}",
        "license": _license(info),
    }
    return Fetched(Question(files=tuple(zip(paths, labels, strict=True)), folder=folder), about)


def _wanted(name: str, siblings: Sequence[RepoSibling]) -> list[RepoSibling]:
    """The files of one form; of those with parts in their names the training part."""
    found = [file for file in siblings if Path(file.rfilename).name.lower() not in _NO_ROWS]
    for ending in _ENDINGS:
        files = sorted(
            (file for file in found if file.rfilename.lower().endswith(ending)),
            key=lambda file: file.rfilename,
        )
        if files:
            training = [file for file in files if _part(file.rfilename) == "train"]
            return training or [file for file in files if not _part(file.rfilename)] or files
    raise BadInput(
        "data.hub_no_files",
        "{name} holds no files of rows ({known}). Data sets that need a script to be read are not run: choose another.",
        name=name,
        known=", ".join(_ENDINGS),
    )


def _part(path: str) -> str:
    found = _PART.search(path)
    return found[1].lower() if found else ""


def _check_size(name: str, files: Sequence[RepoSibling], limit: int, folder: Path) -> None:
    total = sum(file.size or 0 for file in files)
    if total > limit or len(files) > FILES_LIMIT:
        raise BadInput(
            "data.hub_too_large",
            "{name} has {files} files with {size} MB; at most {most} files with {limit} MB can be taken. Download a part "
            "of it and import that.",
            name=name,
            files=len(files),
            size=total // _MEGABYTE,
            most=FILES_LIMIT,
            limit=limit // _MEGABYTE,
        )
    free = shutil.disk_usage(folder).free
    if free < 3 * total + _SPARE_BYTES:  # the files, the rows while they are read, and the rows
        raise Refused(
            "data.disk_full",
            "The data needs {needed} MB and {free} MB are free in the data folder. Make room, or set FTKIT_HOME to a "
            "larger disk.",
            needed=(3 * total + _SPARE_BYTES) // _MEGABYTE,
            free=free // _MEGABYTE,
        )


def _check_file(path: Path, file: RepoSibling) -> None:
    whole = file.size is None or path.stat().st_size == file.size
    if whole and (file.lfs is None or hash_file(path) == f"sha256:{file.lfs.sha256}"):
        return
    raise Fault(
        "data.hub_damaged",
        "{file} arrived damaged. Nothing was kept: import the data set again.",
        file=file.rfilename,
    )


def _license(info: DatasetInfo) -> str:
    named = info.card_data.get("license") if info.card_data else None
    if named is None:
        named = next((tag.partition(":")[2] for tag in info.tags or [] if tag.startswith("license:")), "")
    return ", ".join(named) if isinstance(named, list) else str(named)


@contextmanager
def _explained(name: str, revision: str, endpoint: str) -> Iterator[None]:
    try:
        yield
    except GatedRepoError as error:
        raise BadInput(
            "data.hub_gated",
            "{name} is open only to accounts that accepted its conditions. Accept them at {endpoint}/datasets/{name}, "
            "then set HF_TOKEN to a token of that account.",
            name=name,
            endpoint=endpoint,
        ) from error
    except RevisionNotFoundError as error:
        raise BadInput(
            "data.hub_no_revision",
            "{name} has no revision {revision}. Leave it out to take the newest.",
            name=name,
            revision=revision,
        ) from error
    except (RepositoryNotFoundError, EntryNotFoundError) as error:
        raise BadInput(
            "data.hub_unknown",
            "{endpoint} has no data set {name}, or it is private. Check the spelling; for a private one set HF_TOKEN.",
            name=name,
            endpoint=endpoint,
        ) from error
    except (HTTPError, ConnectionError, TimeoutError) as error:
        status = (
            error.response.status_code
            if isinstance(error, HfHubHTTPError) and error.response is not None
            else 0
        )
        raise Offline(
            "data.hub_no_answer",
            "{endpoint} does not answer ({reason}). Check the connection, or set HF_ENDPOINT to a mirror.",
            endpoint=endpoint,
            reason=f"HTTP {status}"
            if status
            else str(error).strip().partition("\n")[0][:200] or type(error).__name__,
        ) from error
