"""Uploads read by real worker processes."""

import json
import os
import time

import pytest

from ftkit.data.incoming import service as module
from ftkit.errors import BadInput, NotFound, Offline
from ftkit.records import Upload
from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.unit.data import malformed
from tests.unit.workers.pulling import hub as fake

ROWS = [{"question": f"What is {n}?", "answer": f"It is {n}."} for n in range(300)]


@pytest.fixture
def open_workspace(tmp_path):
    opened = []

    def make(**environment: str) -> Workspace:
        settings = Settings.from_environment(
            {**os.environ, "FTKIT_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0", **environment}
        )
        opened.append(Workspace(settings))
        return opened[-1]

    yield make
    for workspace in opened:
        for job in workspace.jobs.unfinished():
            workspace.jobs.stop(job.artefact)
            workspace.jobs.wait(job.artefact, 15)
        workspace.close()


@pytest.fixture
def workspace(open_workspace):
    return open_workspace()


@pytest.fixture
def incoming(workspace):
    return workspace.data.incoming


def add(incoming, write, content=ROWS, name="a.jsonl") -> str:
    return incoming.add([(write(name, content), name)]).id


def test_a_small_file_is_read_by_a_process_of_its_own(workspace, incoming, write):
    upload = add(incoming, write)
    assert incoming.begin(upload) is None
    assert incoming.read(upload).rows == 300
    assert workspace.jobs.unfinished() == []
    assert workspace.data.import_upload(upload).rows == 300


def test_a_process_that_is_ended_is_a_damaged_file_and_nothing_is_left(
    workspace, incoming, write, monkeypatch
):
    monkeypatch.setattr(module, "_SECONDS_AT_ONCE", 0.05)
    upload = add(incoming, write)
    with pytest.raises(BadInput) as caught:
        incoming.read(upload)
    assert caught.value.key == "data.reader_crashed"
    with pytest.raises(NotFound):
        incoming.get(upload)
    assert not list((workspace.settings.home / "uploads").iterdir())


def test_a_large_file_is_a_job_with_progress(workspace, incoming, write, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 1000)
    upload = add(incoming, write)
    job = incoming.begin(upload)
    assert job is not None
    assert (job.kind, job.lane) == ("read", "read")
    assert incoming.begin(upload).id == job.id
    seen = []
    assert incoming.read(upload, on_look=lambda job, state: seen.append(state)).rows == 300
    assert seen
    assert incoming.begin(upload) is None
    assert workspace.data.inspect(upload).rows_count == 300


def test_a_job_that_fails_says_why_once(workspace, incoming, write, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 10)
    upload = add(incoming, write, b"\x89PNG" + b"\0" * 100, "a.csv")
    workspace.jobs.wait(incoming.begin(upload).artefact)
    with pytest.raises(BadInput) as caught:
        incoming.begin(upload)
    assert caught.value.key == "data.binary_file"
    with pytest.raises(NotFound):
        incoming.begin(upload)
    assert not list((workspace.settings.home / "uploads").iterdir())


def test_cancelling_ends_the_process_and_forgets_the_file(workspace, incoming, write):
    upload = add(incoming, write, malformed.lines(*[malformed.GOOD] * 600_000))
    job = incoming.begin(upload)
    deadline = time.monotonic() + 30
    while incoming.state(upload).get("phase") != "reading" and time.monotonic() < deadline:
        workspace.jobs.tick()
        time.sleep(0.05)
    incoming.cancel(upload)
    assert workspace.jobs.of(job.artefact).state == "stopped"
    assert workspace.artefacts.all(Upload) == []
    home = workspace.settings.home
    assert [list((home / room).iterdir()) for room in ("uploads", "work")] == [[], []]


def test_with_other_options_a_file_is_read_again_and_a_bad_option_keeps_it(incoming, write, monkeypatch):
    content = json.dumps({"train": ROWS[:5], "test": ROWS[:2]})
    upload = add(incoming, write, content, "a.json")
    assert incoming.read(upload).rows == 5
    assert incoming.read(upload, module.Options(list_name="test")).rows == 2
    assert incoming.read(upload).rows == 2
    for at_once in (module._AT_ONCE, 10):
        monkeypatch.setattr(module, "_AT_ONCE", at_once)
        with pytest.raises(BadInput, match="no list"):
            incoming.read(upload, module.Options(list_name="none"))
        assert incoming.read(upload).rows == 2
    assert incoming.read(upload, module.Options(list_name="train")).rows == 5


def test_several_files_with_the_same_columns_are_one(workspace, incoming, write):
    files = [(write(name, ROWS[:10]), name) for name in ("a.jsonl", "b.jsonl", "c.jsonl")]
    made = workspace.data.import_upload(incoming.add(files).id)
    assert (made.rows, made.name) == (30, "a +2")
    assert "From “c.jsonl”: 10 rows, 0 lines skipped." in made.notes
    files[1] = (write("d.jsonl", [{"other": "x"}]), "d.jsonl")
    with pytest.raises(BadInput) as caught:
        incoming.read(incoming.add(files).id)
    assert caught.value.key == "data.different_columns"
    files[1] = (write("e.jsonl", b"broken"), "e.jsonl")
    upload = incoming.add(files)
    reading = incoming.read(upload.id)
    assert [(item.file, item.line) for item in reading.skipped] == [("e.jsonl", 1)]
    files[1] = (write("f.csv", b""), "f.csv")
    with pytest.raises(BadInput, match=r"f\.csv: The file is empty"):
        incoming.read(incoming.add(files).id)


@pytest.fixture
def hub(tmp_path):
    folder = tmp_path / "repository"
    (folder / "data").mkdir(parents=True)
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        (folder / "data" / f"{name}.jsonl").write_bytes(malformed.lines(*ROWS[:50]))
    (folder / "README.md").write_text("# Data")
    (folder / "dataset.py").write_text("raise SystemExit")
    with fake.serve(folder) as served:
        yield served


def test_a_data_set_of_the_hub_is_fetched_at_one_commit(open_workspace, hub):
    workspace = open_workspace(HF_ENDPOINT=hub.url)
    upload = workspace.data.incoming.fetch("hub:org/model@v1")
    made = workspace.data.import_upload(upload)
    assert (made.rows, made.license) == (100, "apache-2.0")
    record = workspace.data.incoming.get(upload)
    assert record.source == f"hub:org/model@{fake.REVISION}"
    assert record.files == ("train-00000-of-00002.jsonl", "train-00001-of-00002.jsonl")
    assert not any("test-" in path or path.endswith(".py") for path in hub.paths)
    assert "/api/datasets/org/model/revision/v1" in hub.paths
    assert not list((workspace.settings.home / "uploads").glob(".*"))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"gated": True}, "data.hub_gated"),
        ({"failing": True}, "data.hub_no_answer"),
        ({"damaged": "data/train-00001-of-00002.jsonl", "lfs": ".jsonl"}, "data.hub_damaged"),
    ],
)
def test_what_the_hub_does_not_give_leaves_nothing(open_workspace, hub, change, key):
    for name, value in change.items():
        setattr(hub, name, value)
    workspace = open_workspace(HF_ENDPOINT=hub.url)
    upload = workspace.data.incoming.fetch("org/model")
    with pytest.raises((BadInput, Offline)) as caught:
        workspace.data.import_upload(upload)
    assert caught.value.key == key
    assert list((workspace.settings.home / "uploads").iterdir()) == []


def test_an_unknown_data_set_and_one_without_rows(open_workspace, hub):
    workspace = open_workspace(HF_ENDPOINT=hub.url)
    with pytest.raises(BadInput) as caught:
        workspace.data.import_upload(workspace.data.incoming.fetch("org/other"))
    assert caught.value.key == "data.hub_unknown"
    for path in (hub.folder / "data").iterdir():
        path.unlink()
    with pytest.raises(BadInput) as caught:
        workspace.data.import_upload(workspace.data.incoming.fetch("org/model"))
    assert caught.value.key == "data.hub_no_files"


def test_offline_nothing_is_asked(open_workspace, hub):
    workspace = open_workspace(HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    with pytest.raises(Offline) as caught:
        workspace.data.incoming.fetch("org/model")
    assert caught.value.key == "data.hub_offline"
    assert hub.paths == []
