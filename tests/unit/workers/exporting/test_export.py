import importlib
import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.errors import WorkerFault
from ftkit.workers.exporting import merged
from ftkit.workers.exporting.weights import merged_weights
from ftkit.workers.harness import Worker
from tests.exported import make_job, make_kind

worker_module = importlib.import_module("ftkit.workers.export.__main__")
pytestmark = pytest.mark.training


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PEFT, of transformers about tied weights
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("models")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {kind: make_kind(kind, home / kind / "tiny") for kind in ("llama", "gpt2", "t5")}


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory, models: dict[str, Path]) -> Worker:
    """An adapter's export that is done."""
    worker = make_job(tmp_path_factory.mktemp("done") / "export", models["llama"], target="adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        worker_module.export(worker)
    return worker


@pytest.fixture
def done(adapter: Worker, tmp_path: Path) -> Worker:
    """The same, for a test to change."""
    return Worker(shutil.copytree(adapter.path, tmp_path / "export"))


def read(worker: Worker, name: str) -> Any:
    return json.loads((worker.path / name).read_text())


def notes(worker: Worker) -> dict[str, str]:
    return {row["way"]: row["note"] for row in read(worker, "parity.json")["rows"]}


@pytest.mark.parametrize(
    ("kind", "options", "ways"),
    [
        ("gpt2", {"target": "merged", "precision": "fp32"}, ["trainer", "compare", "merged"]),
        (
            "llama",
            {"target": "gguf", "quantization": "f16"},
            ["trainer", "compare", "merged", "gguf", "llama.cpp"],
        ),
    ],
)
def test_each_target_is_loaded_again_and_answers_as_the_trained_model(
    tmp_path: Path, models: dict[str, Path], kind: str, options: dict[str, str], ways: list[str]
) -> None:
    if options["target"] == "gguf":
        pytest.importorskip("xllamacpp")
    worker = make_job(tmp_path / "export", models[kind], **options)
    worker_module.export(worker)
    is_whole(worker, ways)


def test_an_adapter_is_put_on_its_base_again(adapter: Worker) -> None:
    is_whole(adapter, ["trainer", "compare", "adapter"])


def is_whole(worker: Worker, ways: list[str]) -> None:
    found = notes(worker)
    assert list(found) == ways
    assert set(found.values()) <= {"same", "rounding"}
    manifest = read(worker, "manifest.json")
    files = {path.name for path in (worker.path / "files").iterdir()}
    assert files == set(manifest)
    assert "README.md" in files
    assert not (worker.path / "scratch").exists()
    assert read(worker, "report.json")["files"] == len(files)


@pytest.mark.faults
def test_the_same_export_gives_the_same_bytes(tmp_path: Path, models: dict[str, Path]) -> None:
    made = []
    for name in ("one", "two"):
        worker = make_job(tmp_path / name / "export", models["llama"], target="merged")
        worker_module.export(worker)
        made.append(read(worker, "manifest.json"))
    assert made[0] == made[1]
    assert "model.safetensors" in made[0]


def test_a_wrong_merge_is_found_and_nothing_is_kept(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def base_only(job: Any, folder: Path) -> Path:
        return merged_weights(job._replace(tuned=job.model), folder)

    monkeypatch.setattr(merged, "merged_weights", base_only)
    worker = make_job(tmp_path / "export", models["llama"], target="merged")
    with pytest.raises(WorkerFault) as found:
        worker_module.export(worker)
    assert found.value.key == "export.other_answers"
    assert not (worker.path / "files").exists()
    assert not (worker.path / "files.part").exists()


def test_another_chat_template_is_found(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_another_template(job: Any, folder: Path) -> Path:
        merged_weights(job, folder)
        (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
        return folder

    monkeypatch.setattr(merged, "merged_weights", with_another_template)
    worker = make_job(tmp_path / "export", models["llama"], target="merged")
    with pytest.raises(WorkerFault) as found:
        worker_module.export(worker)
    assert found.value.key == "export.other_tokens"


def test_a_cut_keeps_nothing_half_made_and_the_next_start_gives_the_same_files(
    tmp_path: Path, models: dict[str, Path], adapter: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At one stage; real kills at each of them are in ``tests/unit/export/test_killed.py``."""

    def cut(name: str) -> None:
        if name == "export.verified":
            raise KeyboardInterrupt  # as little is tidied up after it as after a kill

    worker = make_job(tmp_path / "two" / "export", models["llama"], target="adapter")
    with monkeypatch.context() as patch:
        patch.setattr(worker_module, "reach", cut)
        with pytest.raises(KeyboardInterrupt):
            worker_module.export(worker)
    assert not (worker.path / "files").exists()
    worker_module.export(worker)
    assert read(worker, "manifest.json") == read(adapter, "manifest.json")
    assert not (worker.path / "files.part").exists()


def test_what_was_whole_before_a_cut_is_not_made_again(done: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(worker_module, "_make", fail)
    assert worker_module.export(done)["files"] == len(read(done, "manifest.json"))


def test_files_that_were_changed_behind_its_back_are_made_again(done: Worker) -> None:
    (done.path / "files" / "README.md").write_text("changed")
    worker_module.export(done)
    assert worker_module.manifest_of(done.path / "files") == read(done, "manifest.json")


def test_a_link_is_no_file_of_an_export(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="link"):
        worker_module.manifest_of(tmp_path)
