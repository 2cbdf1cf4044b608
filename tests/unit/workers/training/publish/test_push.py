"""Uploading what a run left to a Hub on this machine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from ftkit.training.spec import RunSpec
from ftkit.workers.harness import Worker
from ftkit.workers.training.publish.push import publish
from tests.unit.workers.pulling.hub import FakeHub, serve

# huggingface_hub about its own way to send bytes.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

TOKEN = "hf_secret_token"
METRICS = {"eval_loss": 0.5, "steps": 5, "hub_error": None}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serve(tmp_path) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        # Xet has a protocol of its own between the libraries and the storage of the Hub.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


def run(tmp_path: Path, source: str = "bundled", **options: Any) -> tuple[Worker, RunSpec]:
    folder = tmp_path / "run1"
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(b"weights" * 9)
    (folder / "adapter" / "adapter_config.json").write_text("{}")
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.json").write_text(
        json.dumps({"id": "mine", "name": "Mine", "source": source, "license": "Apache-2.0"})
    )
    inputs = {"model": str(model), "split_id": "split1", "data_hash": "sha256:ab"}
    (folder / "inputs.json").write_text(json.dumps(inputs))
    spec = RunSpec.parse({"push_to_hub": True, "hub_model_id": "mine", "r": 7, **options})
    return Worker(folder), spec


def test_the_result_arrives_with_a_card(hub: FakeHub, tmp_path: Path) -> None:
    worker, spec = run(tmp_path, source="org/base")
    assert publish(worker, spec, METRICS) == {"hub": f"{hub.url}/somebody/mine"}
    assert hub.repositories == {"somebody/mine": True}
    assert set(hub.pushed) == {"README.md", "adapter_config.json", "adapter_model.safetensors"}
    assert hub.pushed["adapter_model.safetensors"] == b"weights" * 9
    card = hub.pushed["README.md"].decode()
    for said in (
        "license: apache-2.0",
        "base_model: org/base",
        "split1",
        "sha256:ab",
        "r: 7",
        "| eval_loss | 0.5 |",
        "ftkit",
    ):
        assert said in card
    assert TOKEN in hub.tokens
    assert not any(TOKEN.encode() in path.read_bytes() for path in worker.path.rglob("*") if path.is_file())
    assert not (worker.path / ".hub").exists()


def test_a_path_of_this_machine_stays_here(hub: FakeHub, tmp_path: Path) -> None:
    publish(*run(tmp_path, source="/home/me/secret-model"), METRICS)
    assert b"/home/me" not in hub.pushed["README.md"]
    assert b"base_model" not in hub.pushed["README.md"]


def test_another_kind_of_result_replaces_the_weights_but_no_other_file(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories["somebody/mine"] = True
    hub.pushed = {"model.safetensors": b"old", "config.json": b"{}", "notes.md": b"kept"}
    publish(*run(tmp_path), METRICS)
    assert {"notes.md", "adapter_model.safetensors"} < set(hub.pushed)
    assert not {"model.safetensors", "config.json"} & set(hub.pushed)


def test_a_public_repository_is_not_uploaded_to_unless_it_may_be(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories["somebody/mine"] = False
    worker, spec = run(tmp_path)
    result = publish(worker, spec, METRICS)
    assert "public" in result["hub"]
    assert result["hub_error"]["key"] == "training.hub_is_public"
    assert hub.pushed == {}
    open_spec = spec.model_copy(update={"hub_private_repo": False})
    assert publish(worker, open_spec, METRICS)["hub"].endswith("/somebody/mine")


@pytest.mark.parametrize(("status", "key"), [(403, "hub_not_allowed"), (400, "hub_failed")])
def test_a_refusal_is_a_sentence(status: int, key: str, hub: FakeHub, tmp_path: Path) -> None:
    hub.refusing = status
    result = publish(*run(tmp_path), METRICS)
    assert result["hub_error"]["key"] == f"training.{key}"
    assert f"HTTP {status}" in result["hub"]
    assert "runs/run1/adapter" in result["hub"]


def test_a_hub_that_does_not_answer_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    result = publish(*run(tmp_path), METRICS)
    assert result["hub_error"]["key"] == "training.hub_failed"
    assert TOKEN not in json.dumps(result)
