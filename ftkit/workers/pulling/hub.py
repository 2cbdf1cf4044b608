"""A model from the Hugging Face Hub: safetensors, config and tokenizer of one revision, checked by size and hash.

Takes a Hub id, fills a folder. It fetches no pickled weights and no Python code, and keeps no cache.
"""

import fnmatch
import hashlib
import shutil
from collections.abc import Callable, Iterator
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
)
from huggingface_hub.hf_api import ModelInfo, RepoSibling
from huggingface_hub.utils.tqdm import tqdm

from ftkit.errors import BadInput, Fault, Offline, Refused

_TIMEOUT_SECONDS = 5.0
_MEGABYTE = 1024**2
# Beside the download itself there must be room to work.
_SPARE_BYTES = 500 * _MEGABYTE
_WANTED = (
    "model*.safetensors",
    "model.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "spiece.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "LICENSE*",
)

# Called with bytes done and bytes in all; raises to end the download.
Report = Callable[[int, int], None]


class Origin(NamedTuple):
    """What was fetched."""

    revision: str
    license: str


def download(hub_id: str, endpoint: str, folder: Path, report: Report) -> Origin:
    """Fetch the newest revision of a model into ``folder``.

    Raises:
        BadInput: no such model, not open to this account, or without safetensors.
        Refused: the disk is too small.
        Offline: the Hub does not answer.
        Fault: a file arrived damaged.
    """
    with _explained(hub_id, endpoint):
        info = HfApi(endpoint=endpoint).model_info(hub_id, timeout=_TIMEOUT_SECONDS, files_metadata=True)
        files = _wanted(hub_id, info.siblings or [])
        total = sum(file.size or 0 for file in files)
        _check_disk(folder, total)
        done = 0
        for file in files:
            _fetch(hub_id, info, file, endpoint, folder, counting(report, done, total))
            done += file.size or 0
    for file in files:
        _check_file(folder / file.rfilename, file)
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return Origin(revision=str(info.sha), license=_license(info))


def _fetch(
    hub_id: str, info: ModelInfo, file: RepoSibling, endpoint: str, folder: Path, bar: type[tqdm]
) -> None:
    hf_hub_download(
        hub_id,
        file.rfilename,
        revision=info.sha,
        local_dir=folder,
        endpoint=endpoint,
        etag_timeout=_TIMEOUT_SECONDS,
        tqdm_class=bar,
    )


def _wanted(hub_id: str, siblings: list[RepoSibling]) -> list[RepoSibling]:
    found = [s for s in siblings if any(fnmatch.fnmatchcase(s.rfilename, pattern) for pattern in _WANTED)]
    flat = [s for s in found if "/" not in s.rfilename]
    names = {s.rfilename for s in flat}
    if "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        raise BadInput(
            "models.hub_no_safetensors",
            "{model} has no model.safetensors with a config.json on the Hub. Weights in other formats may run code "
            "when they are opened and are not loaded: choose another model.",
            model=hub_id,
        )
    return flat


def _check_disk(folder: Path, total: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < total + _SPARE_BYTES:
        raise Refused(
            "models.disk_full",
            "The model needs {needed} MB and {free} MB are free in the data folder. Make room, or set FTKIT_HOME to a "
            "larger disk.",
            needed=(total + _SPARE_BYTES) // _MEGABYTE,
            free=free // _MEGABYTE,
        )


def _check_file(path: Path, file: RepoSibling) -> None:
    expected = file.lfs.sha256 if file.lfs else None
    with path.open("rb") as stream:
        whole = path.stat().st_size == (file.size if file.size is not None else path.stat().st_size)
        if whole and expected is None:
            return
        if whole and hashlib.file_digest(stream, "sha256").hexdigest() == expected:
            return
    raise Fault(
        "models.damaged",
        "{file} arrived damaged. Nothing was kept: pull the model again.",
        file=file.rfilename,
    )


def _license(info: ModelInfo) -> str:
    card = info.card_data
    named = card.get("license_name") or card.get("license") if card else None
    if named is None:
        named = next((tag.partition(":")[2] for tag in info.tags or [] if tag.startswith("license:")), "")
    return str(named)


def counting(report: Report, before: int, total: int) -> type[tqdm]:
    """A progress bar that draws nothing and reports bytes."""

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]
            self._bytes = int(kwargs.get("initial") or 0)
            report(before + self._bytes, total)

        def update(self, n: float | None = 1) -> None:
            self._bytes += int(n or 0)
            report(before + self._bytes, total)

    return Bar


@contextmanager
def _explained(hub_id: str, endpoint: str) -> Iterator[None]:
    try:
        yield
    except GatedRepoError as error:
        raise BadInput(
            "models.gated",
            "{model} is open only to accounts that accepted its conditions. Accept them at {endpoint}/{model}, then "
            "set HF_TOKEN to a token of that account and pull again.",
            model=hub_id,
            endpoint=endpoint,
        ) from error
    except (RepositoryNotFoundError, EntryNotFoundError) as error:
        raise BadInput(
            "models.not_found",
            "{endpoint} has no model {model}, or it is private. Check the spelling; for a private model set HF_TOKEN.",
            model=hub_id,
            endpoint=endpoint,
        ) from error
    except (HTTPError, ConnectionError, TimeoutError) as error:
        raise Offline(
            "models.no_network",
            "{endpoint} does not answer ({reason}). Check the connection, or set HF_ENDPOINT to a mirror.",
            endpoint=endpoint,
            reason=_short(error),
        ) from error


def _short(error: BaseException) -> str:
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
