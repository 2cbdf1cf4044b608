"""What other servers are given, built over the tiny model by the export worker itself."""

import json
from pathlib import Path

import pytest
import yaml

from ftkit.errors import Refused, WorkerFault
from ftkit.workers.export.__main__ import export
from ftkit.workers.exporting.job import ExportJob
from ftkit.workers.exporting.servers import docker, triton
from ftkit.workers.exporting.servers.endpoint import python_file
from tests.unit.workers.exporting.given import make_job


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


def made(home: Path, target: str, **options: str) -> tuple[Path, dict, list[dict]]:
    worker = make_job(home, target, **options)
    export(worker)
    report = json.loads((worker.path / "report.json").read_bytes())
    return worker.path / "files", report, json.loads((worker.path / "parity.json").read_bytes())["rows"]


def test_an_endpoint_answers_as_the_trained_model(home: Path) -> None:
    files, report, rows = made(home, "endpoint", precision="fp32")
    assert report["loaded"] == ["handler"]
    assert {row["way"]: (row["token_ids_equal"], row["note"]) for row in rows}["endpoint"] == (True, "same")
    assert {"handler.py", "requirements.txt", "README.md", "config.json"} < {
        one.name for one in files.iterdir()
    }
    handler = python_file(files / "handler.py").EndpointHandler(str(files))
    (answer,) = handler({"inputs": [{"role": "user", "content": "my parcel is late"}]})
    assert answer["generated_tokens"] > 0
    assert "ftkit" not in (files / "requirements.txt").read_text()


def test_a_triton_repository_answers_as_the_trained_model(home: Path) -> None:
    files, report, rows = made(home, "triton", precision="fp32")
    assert report["loaded"] == ["triton"]
    assert {row["way"]: (row["token_ids_equal"], row["note"]) for row in rows}["triton"] == (True, "same")
    assert sorted(str(one.relative_to(files)) for one in files.rglob("*.p*") if one.is_file()) == [
        "my-run/1/handler.py",
        "my-run/1/model.py",
        "my-run/config.pbtxt",
    ]


@pytest.mark.parametrize("broken", ['name: "x', "input [ }", 'name: "other"'])
def test_a_broken_triton_configuration_is_found(broken: str) -> None:
    with pytest.raises(WorkerFault) as raised:
        triton.check_config(broken, "x")
    assert raised.value.key == "export.triton_config"


def test_docker_files_fit_together(home: Path) -> None:
    files, report, rows = made(home, "docker")
    assert report["loaded"] == ["docker_files", "transformers"]
    assert {row["way"]: row["note"] for row in rows}["docker"] in {"same", "rounding"}
    service = yaml.safe_load((files / "compose.yaml").read_text())["services"]["model"]
    assert service["ports"] == [
        "${ADDRESS:-127.0.0.1}:${PORT:-8000}:8000"
    ]  # nobody else's, unless it is asked for
    assert "API_KEY=\n" in (files / ".env.example").read_text()
    assert not (files / ".env").exists()
    assert "HEALTHCHECK" in (files / "Dockerfile").read_text()
    assert "/v1/chat/completions" in (files / "README.md").read_text()


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("Dockerfile", "COPY model", "COPY weights", "COPY weights"),
        ("Dockerfile", 'CMD ["/model"', "CMD [/model", "CMD [/model"),
        ("Dockerfile", "EXPOSE 8000\n", "", "Dockerfile"),
        ("compose.yaml", ":8000", ":80", "compose.yaml"),
        (".env.example", "API_KEY=", "# ", "$API_KEY"),
    ],
)
def test_docker_files_that_do_not_are_found(home: Path, file: str, old: str, new: str, said: str) -> None:
    if not (home / "export-docker" / "files").exists():
        made(home, "docker")
    path = home / "export-docker" / "files" / file
    former = path.read_text()
    try:
        path.write_text(former.replace(old, new))
        assert any(said in wrong for wrong in docker.mistakes(path.parent))
    finally:
        path.write_text(former)
    assert docker.mistakes(path.parent) == []


def test_vllm_takes_no_encoder_decoder(tmp_path: Path) -> None:
    worker = make_job(tmp_path, "docker", t5=True)
    with pytest.raises(Refused) as raised:
        export(worker)
    assert raised.value.key == "export.no_vllm"
    assert not (worker.path / "files").exists()


def test_text_generation_inference_takes_one(tmp_path: Path) -> None:
    worker = make_job(tmp_path, "docker", t5=True, server="tgi")
    docker.check_server(ExportJob.of(worker))


def test_an_image_has_a_name_that_docker_takes() -> None:
    assert docker.image_name("Çağrı: Ticket Triage (v2)") == "a-r-ticket-triage-v2"
    assert docker.image_name("…") == "model"
