import gzip
import io
import zipfile

import pytest

from ftkit.data.reading import archives
from ftkit.errors import BadInput

LINE = b'{"a": "x"}\n'


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_gzip_of_each_kind(read):
    assert read("a.jsonl.gz", gzip.compress(LINE * 3))[0] == [{"a": "x"}] * 3
    assert read("a.csv.gz", gzip.compress(b"a;b\n1;2\n"))[0] == [{"a": "1", "b": "2"}]
    assert read("a.gz", gzip.compress(b'[{"a": "x"}]'))[0] == [{"a": "x"}]


def test_a_zip_of_several_files_counts_each(read, tmp_path):
    rows, reading = read("a.zip", zipped({"x/one.jsonl": LINE * 2, "two.csv": b"a\nx\n", "note.md": b"hi"}))
    assert rows == [{"a": "x"}] * 3
    assert reading.notes == (
        "Left out of the archive, because they cannot be read: note.md.",
        "From “one.jsonl”: 2 rows, 0 lines skipped.",
        "The file has one column.",
        "From “two.csv”: 1 rows, 0 lines skipped.",
    )
    assert not list(tmp_path.glob(".unpacked.*"))


def test_a_name_that_points_outside_is_only_a_name(read, tmp_path):
    rows, _ = read("a.zip", zipped({"../../../evil.jsonl": LINE, "/abs.jsonl": LINE, "..\\win.jsonl": LINE}))
    assert len(rows) == 3
    assert not list(tmp_path.parent.rglob("evil.jsonl"))


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("a.gz", gzip.compress(LINE, mtime=0)[:-6], "data.damaged_archive"),
        ("a.gz", gzip.compress(gzip.compress(LINE, mtime=0), mtime=0), "data.nothing_inside"),
        ("a.zip", zipped({"a.md": b"x"}), "data.nothing_inside"),
        ("a.zip", zipped({"a.zip": zipped({"a.jsonl": LINE})}), "data.nothing_inside"),
        ("a.zip", zipped({f"{n}.jsonl": LINE for n in range(101)}), "data.too_many_files"),
        ("a.zip", zipped({"a.jsonl": LINE, "b.jsonl": b""}), "data.in_file"),
        ("a.zip", zipped({"a.jsonl": LINE, "b.jsonl": b'{"b": "y"}'}), "data.different_columns"),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0), "data.empty_file"),
    ],
)
def test_refusals(read, tmp_path, name, content, key):
    with pytest.raises(BadInput) as caught:
        read(name, content)
    assert caught.value.key == key
    assert not list(tmp_path.glob(".unpacked.*"))


def test_what_grows_beyond_the_limit_is_stopped_while_it_grows(read, monkeypatch):
    monkeypatch.setattr(archives, "_UNPACKED_LIMIT", 3 * 1024**2)
    monkeypatch.setattr(archives, "_PIECE", 1024)
    for name, content in (
        ("a.jsonl.gz", gzip.compress(LINE * 400_000, mtime=0)),
        ("a.zip", zipped({"a.jsonl": LINE * 400_000})),
    ):
        with pytest.raises(BadInput) as caught:
            read(name, content)
        assert caught.value.key == "data.archive_bomb"


def test_an_archive_with_a_password(read):
    content = bytearray(zipped({"a.jsonl": LINE}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadInput, match="password"):
        read("a.zip", bytes(content))
