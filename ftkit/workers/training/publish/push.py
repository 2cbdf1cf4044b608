"""Uploads what a finished run left to the Hugging Face Hub.

Takes the run's folder with ``adapter/`` or ``model/``, gives the address, or why there is none: a failed upload never fails
the run. The token is huggingface_hub's own business; it is not read here.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftkit.errors import Fault, FtkitError, Refused
from ftkit.training.spec import RunSpec
from ftkit.workers.harness import Worker
from ftkit.workers.publishing.card import model_card
from ftkit.workers.publishing.hub import Parcel, Unsent, push


def publish(worker: Worker, spec: RunSpec, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Upload the result.

    Returns:
        ``hub``: the address, or the sentence that says why there is none, then also as ``hub_error``.
    """
    worker.progress("uploading")
    result = worker.path / ("adapter" if spec.use_peft else "model")
    try:
        with _explained(spec.hub_model_id, f"runs/{worker.path.name}/{result.name}"):
            return {"hub": _upload(worker, spec, metrics, result)}
    except FtkitError as error:
        return {"hub": str(error), "hub_error": error.as_dict()}


def _upload(worker: Worker, spec: RunSpec, metrics: Mapping[str, Any], result: Path) -> str:
    inputs = worker.inputs
    model = json.loads((Path(inputs["model"]) / "model.json").read_bytes())
    data = {"split": inputs["split_id"], "hash": inputs["data_hash"]}
    card = model_card(spec, model, data, metrics, spec.hub_model_id)
    with _staged(result, worker.path / ".hub") as folder:
        (folder / "README.md").write_text(str(card), encoding="utf-8")
        parcel = Parcel(
            folder, spec.hub_model_id, spec.hub_private_repo, f"Run {worker.path.name}, made with ftkit"
        )
        return push(parcel, lambda _sent, _all: worker.advance()).address


@contextmanager
def _staged(result: Path, folder: Path) -> Iterator[Path]:
    """The files of the result in a folder of their own, without copying them."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        shutil.copytree(result, folder, copy_function=os.link)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _explained(repo: str, left: str) -> Iterator[None]:
    try:
        yield
    except Unsent as error:
        raise _sentence(error, repo, left) from error
    except (OSError, ValueError, KeyError) as error:
        raise _sentence(Unsent(str(error)[:200] or type(error).__name__), repo, left) from error


def _sentence(error: Unsent, repo: str, left: str) -> FtkitError:
    if error.cause == "public":
        return Refused(
            "training.hub_is_public",
            "{repo} is there already and public, and hub_private_repo is on, so nothing was uploaded. Make it private, choose "
            "another name, or turn hub_private_repo off.",
            repo=error.reason,
        )
    if error.status in (401, 403):
        return Refused(
            "training.hub_not_allowed",
            "The Hub does not let this token write to {repo} (HTTP {status}). The run is done, and its result is in {left} "
            "of the data folder. Set HF_TOKEN to a token that may write, and upload it with: hf upload {repo} FOLDER",
            repo=repo,
            status=error.status,
            left=left,
        )
    return Fault(
        "training.hub_failed",
        "The upload to {repo} failed ({reason}). The run is done, and its result is in {left} of the data folder. Upload it "
        "with: hf upload {repo} FOLDER",
        repo=repo,
        reason=error.reason,
        left=left,
    )
