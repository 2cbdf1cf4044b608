import json

import pytest

from ftkit.data.downloading.service import DownloadService
from ftkit.errors import BadInput, NotFound, Refused, StoreFault

TURNS = [
    [{"role": "user", "content": f"hi {n}"}, {"role": "assistant", "content": "=1+1\u2028"}]
    for n in range(40)
]
ROWS = [{"messages": TURNS[n], "n": n, "tag": "-x" if n % 2 else None} for n in range(40)]


@pytest.fixture
def downloads(shared):
    return DownloadService(*shared[:2])


@pytest.fixture
def dataset(service, write):
    return service.import_file(write("chat ü/1.jsonl".replace("/", " "), ROWS))


def content(made) -> bytes:
    return b"".join(made.pieces)


@pytest.mark.parametrize("to", ["jsonl", "parquet"])
def test_what_goes_out_comes_back_as_the_same_rows(service, downloads, dataset, tmp_path, to):
    made = downloads.download(dataset.id, to)
    assert made.filename == f"chat-ü-1.{to}"
    (tmp_path / made.filename).write_bytes(content(made))
    again = service.import_file(tmp_path / made.filename)
    assert again.content_hash == dataset.content_hash
    assert service.rows(again.id, 0, 40) == service.rows(dataset.id, 0, 40) == ROWS


def test_csv_is_safe_and_comes_back_with_the_apostrophe(service, downloads, dataset, tmp_path):
    (tmp_path / "a.csv").write_bytes(content(downloads.download(dataset.id, "csv")))
    again = service.import_file(tmp_path / "a.csv")
    rows = service.rows(again.id, 0, 2)
    assert [row["tag"] for row in rows] == ["", "'-x"]
    assert json.loads(rows[0]["messages"]) == TURNS[0]
    assert service.conversation(again.id, 0) == TURNS[0]


def test_parts_of_a_split(downloads, splits, dataset):
    split = splits.split(dataset.id, (0.5, 0.25, 0.25))
    lengths = {
        part: len(content(downloads.download(split.id, "jsonl", part)).splitlines())
        for part in ("train", "validation", "test")
    }
    assert lengths == split.sizes
    assert content(downloads.download(split.id, "jsonl")) == content(
        downloads.download(split.id, "jsonl", "train")
    )
    assert downloads.download(split.id, "csv", "test").filename.endswith("-test.csv")
    with pytest.raises(BadInput, match="part"):
        downloads.download(split.id, "csv", "../../etc/passwd")


def test_refusals(downloads, dataset, home, tmp_path):
    with pytest.raises(BadInput) as caught:
        downloads.download(dataset.id, "xlsx")
    assert caught.value.key == "data.unknown_format"
    for id_ in ("nothing", "../uploads", ""):
        with pytest.raises(NotFound):
            downloads.download(id_, "csv")
    with pytest.raises(StoreFault):
        downloads.write(dataset.id, "csv", tmp_path / "none" / "a.csv")
    assert downloads.write(dataset.id, "csv", tmp_path / "a.csv") == (tmp_path / "a.csv").stat().st_size
    with pytest.raises(BadInput) as caught:
        downloads.write(dataset.id, "csv", tmp_path / "a.csv")
    assert caught.value.key == "data.file_exists"
    stored = home / "datasets" / dataset.id / "rows.parquet"
    content_ = stored.read_bytes()
    stored.unlink()
    stored.write_bytes(content_ + b"x")
    with pytest.raises(Refused, match="hash"):
        downloads.download(dataset.id, "jsonl")
