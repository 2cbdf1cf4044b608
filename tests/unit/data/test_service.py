import json
import subprocess
import sys
from pathlib import Path

import pytest

from ftkit.data import bundled
from ftkit.data.incoming import service as module
from ftkit.errors import BadInput, NotFound
from ftkit.records import Upload

ROWS = [{"id": n, "question": f"What is {n}?", "answer": f"It is {n}."} for n in range(50)]
TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


@pytest.fixture
def dataset(service, write):
    return service.import_file(write("sums.jsonl", ROWS))


def leftovers(home: Path) -> list[str]:
    return [path.name for path in home.rglob("*") if ".part" in path.name or "spool" in path.name]


def test_an_upload_is_a_copy_under_a_harmless_name(service, write, home):
    path = write("in.jsonl", ROWS)
    upload = service.add_upload(path, "../../etc/x\u202e\n\x00y.jsonl")
    assert upload.filename == "xy.jsonl"
    path.unlink()
    assert (home / "uploads" / upload.id / "content").stat().st_size == upload.size
    assert upload.content_hash.startswith("sha256:")
    assert (
        service.add_upload(write("b", "x"), "C:\\folder\\" + "n" * 300 + ".csv").filename
        == "n" * 120 + ".csv"
    )
    assert service.add_upload(write("b", "x"), "..").filename == "upload"


def test_an_upload_at_the_limit_is_taken_and_one_byte_more_is_not(service, write, home, monkeypatch):
    monkeypatch.setattr(module, "UPLOAD_LIMIT", 100)
    assert service.add_upload(write("a.txt", b"x" * 100), "a.txt").size == 100
    with pytest.raises(BadInput) as caught:
        service.add_upload(write("a.txt", b"x" * 101), "a.txt")
    assert caught.value.key == "data.upload_too_large"
    assert len(list((home / "uploads").iterdir())) == 1


def test_a_file_that_is_not_there(service, tmp_path):
    with pytest.raises(BadInput) as caught:
        service.import_file(tmp_path / "none.csv")
    assert caught.value.key == "data.no_file"


def test_inspect_shows_what_import_then_makes(service, write):
    path = write(
        "in.jsonl", json.dumps(ROWS[0]) + "\nbroken\n\n" + "\n".join(json.dumps(row) for row in ROWS[1:])
    )
    upload = service.add_upload(path, "sums.jsonl")
    seen = service.inspect(upload.id)
    assert (seen.columns, seen.rows_count) == (("id", "question", "answer"), 50)
    assert seen.sample_rows == ROWS[:20]
    assert seen.mapping == {"user": "question", "assistant": "answer"}
    assert (seen.skipped_count, seen.skipped[0].line) == (1, 2)
    assert seen.notes == ("Blank lines left out: 1.", "Not used for training: id.")
    made = service.import_upload(upload.id)
    assert (made.name, made.rows, made.mapping, made.notes, made.skipped) == (
        "sums",
        50,
        seen.mapping,
        seen.notes,
        seen.skipped,
    )
    assert made.parents == (upload.id,)
    assert made.versions.keys() >= {"ftkit", "pyarrow", "python"}
    named = service.import_upload(upload.id, "Other", {"text": "answer"})
    assert (named.name, named.mapping) == ("Other", {"text": "answer"})
    assert named.content_hash == made.content_hash


def test_columns_keep_the_order_of_the_file(service, dataset):
    assert dataset.columns == ("id", "question", "answer")


def test_what_cannot_be_read_leaves_nothing_behind(service, write, home):
    upload = service.add_upload(write("in", "nonsense\n"), "a.jsonl")
    with pytest.raises(BadInput):
        service.inspect(upload.id)
    with pytest.raises(NotFound):
        service.inspect(upload.id)
    with pytest.raises(BadInput):
        service.import_file(write("b.csv", "a,b\n"))
    assert service.all() == []
    assert list((home / "uploads").iterdir()) == []


def test_a_wrong_mapping_makes_no_dataset(service, write, home):
    upload = service.add_upload(write("in.jsonl", ROWS), "a.jsonl")
    with pytest.raises(BadInput):
        service.import_upload(upload.id, None, {"user": "nothing", "assistant": "answer"})
    assert service.all() == []
    assert not (home / "datasets").exists()


def test_rows_come_back_as_they_were(service, write):
    rows = [{"messages": TURNS, "n": 1.5}, {"messages": TURNS, "extra": None, "flag": True}]
    made = service.import_file(write("chat.jsonl", rows))
    assert service.rows(made.id) == [
        {"messages": TURNS, "n": 1.5, "extra": None, "flag": None},
        {"messages": TURNS, "n": None, "extra": None, "flag": True},
    ]
    assert service.conversation(made.id, 1) == TURNS


def test_rows_by_offset(service, dataset):
    assert service.rows(dataset.id, 10, 3) == ROWS[10:13]
    assert service.rows(dataset.id, 48) == ROWS[48:]
    assert [one.id for one in service.all()] == [dataset.id]
    assert service.get(dataset.id) == dataset


def test_a_conversation_that_does_not_work_names_the_row(service, write):
    made = service.import_file(write("a.jsonl", [*ROWS, {"id": 1, "question": "", "answer": "x"}]))
    with pytest.raises(BadInput) as caught:
        service.conversation(made.id, 50)
    assert "Row 50" in str(caught.value)
    assert "“question” is empty" in str(caught.value)
    assert service.conversation(made.id, 0, {"text": "answer"})[0]["content"] == "It is 0."
    for row in (-1, 51):
        with pytest.raises(BadInput) as caught:
            service.conversation(made.id, row)
        assert caught.value.key == "data.no_such_row"


def test_remap_makes_a_child_with_the_same_rows(service, dataset, home):
    child = service.remap(dataset.id, {"text": "question"}, "Texts")
    assert (child.parents, child.mapping, child.name) == ((dataset.id,), {"text": "question"}, "Texts")
    assert child.content_hash == dataset.content_hash
    assert service.rows(child.id) == ROWS[:20]
    assert service.conversation(child.id, 3) == [{"role": "assistant", "content": "What is 3?"}]
    with pytest.raises(BadInput):
        service.delete(dataset.id)


def test_delete_takes_the_files_and_the_unused_upload_along(service, splits, dataset, home):
    split = splits.split(dataset.id)
    other = service.import_upload(dataset.parents[0])
    with pytest.raises(BadInput):
        service.delete(dataset.id)
    splits.delete(split.id)
    service.delete(dataset.id)
    assert (home / "uploads" / dataset.parents[0]).exists()
    assert service.rows(other.id) == ROWS[:20]
    service.delete(other.id)
    assert [list((home / room).iterdir()) for room in ("uploads", "datasets", "splits")] == [[], [], []]
    with pytest.raises(NotFound):
        service.delete(dataset.id)
    with pytest.raises(NotFound):
        service.delete("../uploads")


def test_samples_are_imported_once(service, splits, home):
    names = [one.name for one in service.samples()]
    assert names == ["ticket-triage", "house-voice-en", "house-voice-tr"]
    for name in names:
        about = bundled.sample(name)
        made = service.import_sample(name)
        assert (made.id, made.rows, made.license, made.skipped_count) == (
            f"sample-{name}",
            about.rows,
            "CC0-1.0",
            0,
        )
        assert service.import_sample(name) == made
        assert splits.split(made.id).left_out == 0
    assert len(service.all()) == 3
    splits.delete(splits.all("sample-house-voice-tr")[0].id)
    service.delete("sample-house-voice-tr")
    assert service.import_sample("house-voice-tr").id == "sample-house-voice-tr"
    assert leftovers(home) == []
    with pytest.raises(NotFound):
        service.import_sample("../../etc/passwd")


def test_a_crash_between_files_and_database_does_not_block_the_sample(service, home):
    (home / "datasets" / ".sample-house-voice-en.x.part").mkdir(parents=True)
    made = service.import_sample("house-voice-en")
    service._artefacts.delete(made)
    assert service.import_sample("house-voice-en").rows == made.rows
    assert len(service.rows("sample-house-voice-en")) == 20


def test_every_kind_of_file_gives_the_same_dataset(service, write, workbook, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"question": row["question"], "answer": row["answer"]} for row in ROWS]
    lines = [f'"{row["question"]}"{{}}"{row["answer"]}"' for row in rows]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    files = [
        write("a.jsonl", rows),
        write("a.json", json.dumps(rows, indent=1)),
        write("a.csv", "\r\n".join(["question,answer", *[line.format(",") for line in lines]])),
        write("a.tsv", "\n".join(["question\tanswer", *[line.format("\t") for line in lines]])),
        write(
            "b.csv", "\n".join(["question;answer", *[line.format(";") for line in lines]]).encode("utf-16")
        ),
        tmp_path / "a.parquet",
        workbook({"S": [["question", "answer"], *[list(row.values()) for row in rows]]}),
    ]
    made = [service.import_file(path) for path in files]
    assert {one.content_hash for one in made} == {made[0].content_hash}
    assert {one.rows for one in made} == {50}
    assert all(service.rows(one.id, 0, 50) == rows for one in made)


def test_a_file_system_without_hard_links_gets_copies(service, write, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    made = service.import_file(write("a.jsonl", ROWS))
    child = service.remap(made.id, {"text": "answer"})
    assert service.rows(child.id) == service.rows(made.id) == ROWS[:20]


def test_uploads_are_known_by_their_record_only(service, home):
    (home / "uploads" / "planted").mkdir(parents=True)
    (home / "uploads" / "planted" / "content").write_text("x")
    with pytest.raises(NotFound):
        service.inspect("planted")
    assert service._artefacts.all(Upload) == []


def test_the_import_is_light():
    code = (
        "import sys, ftkit.data.service; "
        "print([m for m in ('pyarrow', 'pandas', 'numpy', 'charset_normalizer', 'python_calamine') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_and_splitting_need_no_pandas(tmp_path):
    code = f"""
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from ftkit.data.service import DataService
from ftkit.data.splits.service import SplitService
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from ftkit.store.files import Folders
home, numbers = Path({str(tmp_path)!r}), count(1)
store = Artefacts(Database(f"sqlite:///{{home}}/x.sqlite")), Folders(home)
shared = *store, lambda: datetime.now(UTC), lambda: str(next(numbers))
data, splits = DataService(*shared), SplitService(*shared)
splits.examples(splits.split(data.import_sample("house-voice-en").id).id, "test")
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
