"""Downloads and reports pass the gate and take ids only; a download is never shown by the browser."""

import io
import json
import zipfile

import pytest

from ftkit.data.service import DataService
from ftkit.records import Run
from ftkit.workspace import random_id, utc_now
from tests.finished_run import NOW
from tests.pushed import FILES, make_export
from tests.studied import make_study


@pytest.fixture(scope="session")
def dataset(workspace, tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / "evil\u202e.jsonl"
    rows = [{"question": f"<script>{n}</script>", "answer": "=1+1"} for n in range(30)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return DataService(workspace.artefacts, workspace.folders, utc_now, random_id).import_file(path)


def test_a_dataset_in_each_format(owner, dataset):
    got = {to: owner.get(f"/download/{dataset.id}", params={"to": to}) for to in ("jsonl", "csv", "parquet")}
    for to, answer in got.items():
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''evil.{to}"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert json.loads(got["jsonl"].text.splitlines()[0]) == {
        "question": "<script>0</script>",
        "answer": "=1+1",
    }
    assert got["csv"].content.decode("utf-8-sig").splitlines()[1] == "<script>0</script>,'=1+1"
    assert got["parquet"].content.startswith(b"PAR1")


def test_a_part_of_a_split(owner, workspace, dataset):
    split = workspace.splits.split(dataset.id)
    got = owner.get(f"/download/{split.id}", params={"to": "jsonl", "part": "test"})
    assert len(got.text.splitlines()) == split.sizes["test"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/download/nothing", 404),
        ("/download/..%2f..%2fetc%2fpasswd", 404),
        ("/download/%2e%2e", 404),
        ("/download/ftkit.sqlite?to=jsonl", 404),
        ("/download/{id}?to=exe", 400),
        ("/download/{id}?to=../../x", 400),
    ],
)
def test_ids_only(owner, dataset, path, status):
    got = owner.get(path.format(id=dataset.id))
    assert got.status_code == status
    assert "root:" not in got.text
    assert "SQLite" not in got.text


def test_a_stranger_gets_nothing(stranger, dataset):
    assert stranger.get(f"/download/{dataset.id}").status_code == 401


def test_refusals_are_said_in_the_readers_language(owner, dataset):
    got = owner.get(f"/download/{dataset.id}?to=exe", headers={"accept-language": "tr"})
    assert "diye bir biçim yok" in got.text


def test_the_report_of_a_run_is_a_page_in_the_language_of_the_reader(owner, stranger, workspace):
    run = Run(
        id="reported1", name="<b>Run</b>", created_at=NOW, recipe="a/b", split="gone", model="gone", spec={}
    )
    workspace.artefacts.add(run)
    got = owner.get("/report/reported1", headers={"accept": "text/html", "accept-language": "tr"})
    assert (got.status_code, got.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'lang="tr"' in got.text
    assert "&lt;b&gt;Run&lt;/b&gt;" in got.text
    assert owner.get("/report/nothing").status_code == 404
    assert stranger.get("/report/reported1").status_code == 401


def test_the_model_card_of_a_run_is_offered_for_saving(owner, stranger, workspace):
    run = Run(
        id="carded1", name="Run", created_at=NOW, recipe="a/b", split="gone", model="gone", spec={"r": 8}
    )
    workspace.artefacts.add(run)
    got = owner.get("/card/carded1")
    assert got.status_code == 200, got.text
    assert got.headers["content-disposition"] == 'attachment; filename="README.md"'
    assert got.text.startswith("---\n")
    assert "# Run" in got.text
    assert "r: 8" in got.text
    assert owner.get("/card/nothing").status_code == 404
    assert stranger.get("/card/carded1").status_code == 401


def test_the_ratings_of_a_study_are_the_owners(owner, stranger, workspace):
    study = make_study(workspace)
    for to, media in (("jsonl", "application/x-ndjson"), ("csv", "text/csv")):
        got = owner.get(f"/download/ratings/{study}", params={"to": to})
        assert got.status_code == 200
        assert got.headers["content-type"].startswith(media)
        assert "attachment" in got.headers["content-disposition"]
    assert stranger.get(f"/download/ratings/{study}").status_code == 401
    assert owner.get("/download/ratings/nothing").status_code == 404
    assert owner.get(f"/download/ratings/{study}?to=parquet").status_code == 400


def test_an_export_whole_and_in_parts(owner, stranger, workspace):
    run = Run(id="exported-run", name="A run", created_at=NOW, recipe="r", split="s", model="m", spec={})
    workspace.artefacts.add(run)
    made = make_export(workspace, run.id)
    path = f"/download/export/{made.id}"
    with zipfile.ZipFile(io.BytesIO(owner.get(path).content)) as archive:
        assert sorted(archive.read(name) for name in archive.namelist()) == sorted(FILES.values())
        assert all(not name.startswith("/") and ".." not in name for name in archive.namelist())
    for name, content in FILES.items():
        got = owner.get(path, params={"name": name})
        assert got.content == content
        assert got.headers["content-disposition"].startswith("attachment;")
    for wrong in ("../inputs.json", "/etc/passwd", "parity.json", "weights", "weights/../README.md", "\0"):
        assert owner.get(path, params={"name": wrong}).status_code == 404
    assert owner.get("/download/export/..%2fruns").status_code == 404
    assert owner.get("/download/export/nothing").status_code == 404
    assert stranger.get(path).status_code == 401
