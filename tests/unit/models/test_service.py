import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound
from ftkit.jobs.folder import JobFolder
from ftkit.jobs.launch import Launcher
from ftkit.jobs.service import Jobs
from ftkit.models.catalogue import BUNDLE, BUNDLED_ID
from ftkit.models.service import ModelService
from ftkit.records import Model
from ftkit.settings import Settings
from ftkit.store.engine import Database
from ftkit.store.files import Folders, read_json
from ftkit.store.jobs import JobTable


class StartsNothing(Launcher):
    """The worker itself is tested beside its module."""

    def start(self, kind: str, folder: JobFolder, lock: int) -> None:
        return None


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ModelService]:
    settings = Settings.from_environment({"FTKIT_HOME": str(tmp_path), "HF_ENDPOINT": "http://hub.test"})
    database, folders, ids = Database(f"sqlite:///{tmp_path / 'ftkit.sqlite'}"), Folders(tmp_path), count()
    jobs = Jobs(
        JobTable(database), folders, StartsNothing({}), lambda: datetime.now(UTC), lambda: f"id{next(ids)}"
    )
    yield ModelService(folders, jobs, settings)
    database.close()


def _put(home: Path, id_: str, name: str) -> Path:
    folder = home / "models" / id_
    folder.mkdir(parents=True)
    record = Model(id=id_, name=name, created_at=datetime(2026, 1, 1, tzinfo=UTC), source="bundled")
    (folder / "model.json").write_text(record.model_dump_json())
    return folder


def test_models_are_those_with_a_record_the_bundled_one_first(service: ModelService, tmp_path: Path) -> None:
    assert service.all() == []
    _put(tmp_path, "zeta", "Zeta")
    _put(tmp_path, "alpha", "alpha")
    _put(tmp_path, BUNDLED_ID, "SmolLM2")
    _put(tmp_path, ".partial-half", "Half")
    (tmp_path / "models" / "empty").mkdir()
    assert [model.id for model in service.all()] == [BUNDLED_ID, "alpha", "zeta"]
    assert service.get("zeta").name == "Zeta"


def test_a_missing_model_says_how_to_get_it(service: ModelService) -> None:
    with pytest.raises(NotFound, match="ftkit models pull nothing"):
        service.get("nothing")
    with pytest.raises(NotFound):
        service.render("nothing", [])


def test_pulling_writes_what_the_worker_needs(service: ModelService, tmp_path: Path) -> None:
    job = service.pull(BUNDLED_ID)
    assert (job.kind, job.artefact, job.lane) == ("pull", f"pull-{BUNDLED_ID}", "download")
    inputs = read_json(tmp_path / "work" / f"pull-{BUNDLED_ID}" / "inputs.json")
    assert inputs == {
        "id": BUNDLED_ID,
        "title": "SmolLM2 135M Instruct",
        "target": str(tmp_path / "models" / BUNDLED_ID),
        "hub_id": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "endpoint": "http://hub.test",
        "offline": False,
        "bundle": BUNDLE._asdict(),
    }
    assert service.job(BUNDLED_ID).id == job.id
    service.pull("Some/Model")
    inputs = read_json(tmp_path / "work" / f"pull-{service.pull_id('Some/Model')}" / "inputs.json")
    assert (inputs["hub_id"], inputs["bundle"]) == ("Some/Model", None)


def test_a_path_is_no_name_for_the_page(service: ModelService, tmp_path: Path) -> None:
    for name in (str(tmp_path), "./models", "../x"):
        with pytest.raises(BadInput):
            service.pull(name)


def test_a_folder_is_taken_from_the_command_line(service: ModelService, tmp_path: Path) -> None:
    (tmp_path / "My Model").mkdir()
    id_, job = service.pull_folder(tmp_path / "My Model")
    assert id_.startswith("my-model-")
    assert job.artefact == f"pull-{id_}"
    inputs = read_json(tmp_path / "work" / f"pull-{id_}" / "inputs.json")
    assert inputs["folder"] == str(tmp_path / "My Model")
    with pytest.raises(BadInput):
        service.pull_folder(tmp_path / "none")
    _put(tmp_path, id_, "Of another folder")
    with pytest.raises(BadInput) as caught:
        service.pull_folder(tmp_path / "My Model")
    assert caught.value.key == "models.name_taken"


def test_rendering_uses_the_models_own_template(service: ModelService, tmp_path: Path) -> None:
    folder = _put(tmp_path, "alpha", "Alpha")
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>"}))
    (folder / "chat_template.jinja").write_text(
        "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }};{% endfor %}"
        "{% if add_generation_prompt %}>{% endif %}"
    )
    assert service.render("alpha", [{"role": "user", "content": "Hi"}], True) == "<s>user: Hi;>"


def test_a_model_of_the_list_is_known_before_it_is_here(service: ModelService) -> None:
    known = service.known("llama-3.1-8b-instruct", datetime.now(UTC))
    assert known.parameters == 8_030_261_248
    assert known.architecture["layers"] == 32
    with pytest.raises(NotFound):
        service.known("somebody/something", datetime.now(UTC))
