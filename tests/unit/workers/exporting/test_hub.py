"""A push that breaks at its half, is told to wait and meets errors: it fails in a sentence, and a retry completes it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from ftkit.errors import FtkitError
from ftkit.workers.export.__main__ import export
from ftkit.workers.harness import Worker
from ftkit.workers.publishing import hub as pushing
from tests.unit.workers.exporting.given import ROWS, make_job
from tests.unit.workers.publishing.conftest import TOKEN
from tests.unit.workers.pulling.hub import FakeHub

# huggingface_hub about its own way to send bytes.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
REPO = "somebody/mine"


def hashes(worker: Worker) -> dict[str, str]:
    manifest = json.loads((worker.path / "manifest.json").read_bytes())
    return {name: one["sha256"] for name, one in manifest.items()}


def pushed(worker: Worker) -> dict[str, Any]:
    return json.loads((worker.path / "report.json").read_bytes())["pushed"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that was built and verified, and then met a Hub that is not there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
        patch.setattr(pushing, "_WAITS", (0.01,))
        worker = make_job(tmp_path_factory.mktemp("built"), "hub", repo="mine")
        with pytest.raises(FtkitError) as raised:
            export(worker)
        assert raised.value.key == "export.hub_failed"
    return worker.path


@pytest.fixture
def worker(built: Path, tmp_path: Path) -> Worker:
    return Worker(shutil.copytree(built, tmp_path / "export"))


def test_model_and_cards_arrive_with_equal_hashes(hub: FakeHub, worker: Worker) -> None:
    export(worker)
    found = pushed(worker)
    assert found["files"] == hashes(worker)
    assert (found["address"], found["private"]) == (f"{hub.url}/{REPO}", True)
    assert hub.repositories == {REPO: True}
    assert hub.pushed == {
        str(path.relative_to(worker.path / "files")): path.read_bytes()
        for path in (worker.path / "files").rglob("*")
        if path.is_file()
    }
    card = hub.pushed["DATASET_CARD.md"].decode()
    for said in (
        "| Rows | 514 |",
        "| Rows in the train part | 471 |",
        "split1",
        "sha256:ab",
        "user, assistant",
    ):
        assert said in card
    assert "[DATASET_CARD.md]" in hub.pushed["README.md"].decode()
    for row in ROWS:  # the data stays here
        assert not any(
            row["user"].encode() in content for name, content in hub.pushed.items() if name.endswith(".md")
        )


@pytest.mark.parametrize(
    ("trouble", "key"),
    [
        ({"breaks": 9}, "export.hub_failed"),
        ({"answers": [(429, {"Retry-After": "120"})]}, "export.hub_busy"),
        ({"answers": [(500, {})] * 3}, "export.hub_failed"),
        ({"refusing": 403}, "export.hub_not_allowed"),
        ({"refusing": 401}, "export.hub_no_token"),
    ],
)
def test_it_fails_in_a_sentence_and_a_retry_completes(
    hub: FakeHub, worker: Worker, trouble: dict, key: str
) -> None:
    vars(hub).update(trouble)
    with pytest.raises(FtkitError, match=r"(?i)retry") as raised:
        export(worker)
    assert raised.value.key == key
    assert hub.pushed == {}  # what was there before is there still
    built = {path: path.stat().st_mtime_ns for path in (worker.path / "files").iterdir()}
    vars(hub).update({"breaks": 0, "answers": [], "refusing": 0})
    arrived = list(hub.arrivals)
    export(worker)
    assert pushed(worker)["files"] == hashes(worker)
    assert {path: path.stat().st_mtime_ns for path in (worker.path / "files").iterdir()} == built
    assert len(hub.arrivals) == len(set(hub.arrivals)) == len(set(arrived) | set(hub.arrivals))


def test_a_public_repository_takes_no_private_push(hub: FakeHub, worker: Worker) -> None:
    hub.repositories[REPO] = False
    with pytest.raises(FtkitError) as raised:
        export(worker)
    assert raised.value.key == "export.hub_is_public"
    assert hub.pushed == {}


@pytest.mark.faults
def test_the_merged_model_can_be_pushed_as_well(hub: FakeHub, tmp_path: Path) -> None:
    worker = make_job(tmp_path, "hub", repo="mine", push="merged", private=False)
    export(worker)
    assert {"model.safetensors", "config.json", "README.md", "DATASET_CARD.md"} < set(hub.pushed)
    assert hub.repositories == {REPO: False}
    assert pushed(worker)["files"] == hashes(worker)


def test_the_token_is_nowhere(
    hub: FakeHub, worker: Worker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.breaks = 9
    with pytest.raises(FtkitError) as raised:
        export(worker)
    hub.breaks = 0
    export(worker)
    said = capfd.readouterr()
    assert TOKEN in hub.tokens
    assert TOKEN not in said.out + said.err + json.dumps(raised.value.as_dict())
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(TOKEN.encode() in content for content in hub.pushed.values())
