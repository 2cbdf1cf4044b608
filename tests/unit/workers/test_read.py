"""The read worker keeps to its limits, and says so."""

import json
import subprocess
import sys
from pathlib import Path

import psutil

_ASK = """
from ftkit.workers import read
from ftkit.workers.harness import answer
read._MEMORY = {memory}
read._SECONDS = {seconds}
answer(read.question)
"""


def ask(folder: Path, name: str, content: bytes, memory: int = 2 * 1024**3, seconds: int = 60):
    (folder / "content").write_bytes(content)
    question = {"files": [[str(folder / "content"), name]], "folder": str(folder), "options": {}}
    return subprocess.run(
        [sys.executable, "-c", _ASK.format(memory=memory, seconds=seconds)],
        input=json.dumps(question).encode(),
        capture_output=True,
        check=False,
    )


def test_a_file_that_needs_too_much_memory_is_refused(tmp_path):
    items = b",".join([b'{"a": [1, 2, 3]}'] * 600_000)
    rows = b'{"one": [' + items + b'], "two": [{"a": 1}]}'
    before = psutil.Process().memory_info().rss
    done = ask(tmp_path, "a.json", rows, memory=250 * 1024**2)
    assert json.loads(done.stdout)["error"]["key"] == "data.too_much_memory"
    assert psutil.Process().memory_info().rss - before < 300 * 1024**2
    assert [path.name for path in tmp_path.iterdir()] == ["content"]


def test_a_reader_that_takes_too_long_is_ended(tmp_path):
    done = ask(tmp_path, "a.jsonl", b'{"a": "x"}\n' * 500_000, seconds=-2)
    assert done.returncode < 0
    assert done.stdout == b""


def test_within_the_limits_it_answers_what_it_found(tmp_path):
    done = ask(tmp_path, "a.jsonl", b'{"a": "x"}\n{\n')
    answer = json.loads(done.stdout)["answer"]
    assert (answer["rows"], answer["skipped_count"]) == (1, 1)
    assert (tmp_path / "rows.parquet").exists()
