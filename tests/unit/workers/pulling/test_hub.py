from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.errors import BadInput, Fault, Offline, Refused
from ftkit.workers.harness import Stopped
from ftkit.workers.pulling import hub
from tests.unit.workers.pulling.hub import REVISION, FakeHub, serve

FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights" * 1000,
    "tokenizer.json": b"{}",
    "pytorch_model.bin": b"pickle",
    "modeling_evil.py": b"import os",
    "onnx/model.safetensors": b"other",
    "README.md": b"card",
}


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeHub]:
    folder = tmp_path / "hub"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with serve(folder) as server:
        yield server


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def _download(fake: FakeHub, target: Path, name: str = "org/model") -> hub.Origin:
    return hub.download(name, fake.url, target, lambda _done, _total: None)


def test_only_safetensors_config_and_tokenizer_come(fake: FakeHub, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    origin = hub.download("org/model", fake.url, target, lambda done, total: seen.append((done, total)))
    assert origin == hub.Origin(REVISION, "apache-2.0")
    assert sorted(path.name for path in target.rglob("*")) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert (target / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    asked = {path.rpartition("/")[2] for path in fake.paths if "/resolve/" in path}
    assert asked == {"config.json", "model.safetensors", "tokenizer.json"}
    assert all(f"/resolve/{REVISION}/" in path for path in fake.paths if "/resolve/" in path)
    total = 7000 + 2 + 2
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


def test_pickles_alone_are_refused_before_anything_is_fetched(fake: FakeHub, target: Path) -> None:
    (fake.folder / "model.safetensors").unlink()
    with pytest.raises(BadInput) as caught:
        _download(fake, target)
    assert caught.value.key == "models.hub_no_safetensors"
    assert not any("/resolve/" in path for path in fake.paths)


def test_a_gated_model_says_where_to_accept(fake: FakeHub, target: Path) -> None:
    fake.gated = True
    with pytest.raises(BadInput, match="HF_TOKEN") as caught:
        _download(fake, target)
    assert caught.value.key == "models.gated"
    assert f"{fake.url}/org/model" in str(caught.value)


def test_an_unknown_model_is_named(fake: FakeHub, target: Path) -> None:
    with pytest.raises(BadInput, match="org/other") as caught:
        _download(fake, target, "org/other")
    assert caught.value.key == "models.not_found"


def test_a_hub_that_does_not_answer_is_offline(fake: FakeHub, target: Path) -> None:
    with pytest.raises(Offline) as caught:
        hub.download("org/model", "http://127.0.0.1:9", target, lambda _done, _total: None)
    assert caught.value.key == "models.no_network"
    fake.failing = True
    with pytest.raises(Offline, match="HTTP 503"):
        _download(fake, target)


def test_a_damaged_file_is_not_taken(fake: FakeHub, target: Path) -> None:
    fake.damaged = "model.safetensors"
    with pytest.raises(Fault) as caught:
        _download(fake, target)
    assert caught.value.key == "models.damaged"


def test_a_small_disk_is_seen_before_the_download(
    fake: FakeHub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_SPARE_BYTES", 10**18)
    with pytest.raises(Refused, match="FTKIT_HOME"):
        _download(fake, target)
    assert not any("/resolve/" in path for path in fake.paths)


def test_a_stop_ends_the_download(fake: FakeHub, target: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        hub.download("org/model", fake.url, target, stop)
