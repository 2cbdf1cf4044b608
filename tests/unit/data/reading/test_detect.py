import gzip
import pickle

import pytest

from ftkit.data.reading.detect import kind_of
from ftkit.errors import BadInput


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", b"x,y\n1,2\n", "delimited"),
        ("A.TSV", b"x\ty\n", "delimited"),
        ("a.json", b"[]", "json"),
        ("a.jsonl", b"{}", "json"),
        ("a.ndjson", b"{}", "json"),
        ("a.txt", b"hello", "text"),
        ("content", b' \n{"a": 1}', "json"),
        ("wrong.csv", b"PAR1....PAR1", "parquet"),
        ("a.jsonl", gzip.compress(b"{}", mtime=0), "gzip"),
    ],
)
def test_kinds(write, name, content, kind):
    assert kind_of(write("file", content), name) == kind


@pytest.mark.parametrize(
    ("name", "content", "key", "said"),
    [
        ("a.jsonl", b"", "data.empty_file", "empty"),
        ("a.csv", b"\x89PNG\r\n\x1a\n", "data.binary_file", "PNG"),
        ("a.jsonl", b"PK\x03\x04 broken", "data.damaged_archive", "damaged"),
        ("a.parquet", pickle.dumps({"a": 1}), "data.binary_file", "pickle"),
        ("a.json", b"\n<!DOCTYPE html><html>", "data.binary_file", "web page"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "data.binary_file", "password"),
        ("a.csv", b"\x00" * 257 + b"ustar", "data.binary_file", "tar"),
        ("a.parquet", b"a,b\n", "data.wrong_content", ".parquet"),
        ("a.xlsx", b"a,b\n", "data.wrong_content", ".xlsx"),
        ("a.jsonl.exe", b"{}", "data.unknown_kind", ".jsonl"),
        ("a.docs", b"text", "data.unknown_kind", ".csv"),
        ("a.xlsx", b"PK\x03\x04 broken", "data.damaged_workbook", "damaged"),
    ],
)
def test_refusals_name_what_it_is(write, name, content, key, said):
    with pytest.raises(BadInput) as caught:
        kind_of(write("file", content), name)
    assert caught.value.key == key
    assert said in str(caught.value)


def test_a_workbook_is_known_by_its_inside(workbook):
    assert kind_of(workbook({"S": [["a"], ["b"]]}), "a.bin") == "workbook"


def test_an_ordinary_zip_is_no_workbook(tmp_path, workbook):
    path = workbook({"S": [["a"]]})
    bare = tmp_path / "a.zip"
    bare.write_bytes(path.read_bytes().replace(b"xl/workbook.xml", b"xl/workbook.xmm"))
    assert kind_of(bare, "a.jsonl") == "zip"


def test_macros_are_refused(workbook):
    path = workbook({"S": [["a"]]}, extra={"xl/vbaProject.bin": "x"})
    with pytest.raises(BadInput, match="macros"):
        kind_of(path, "a.xlsx")


def test_a_workbook_that_unpacks_to_far_more_is_refused_unopened(workbook):
    path = workbook({"S": [["a"]]}, extra={"xl/worksheets/big.xml": "0" * 20_000_000})
    with pytest.raises(BadInput) as caught:
        kind_of(path, "a.xlsx")
    assert caught.value.key == "data.workbook_bomb"
