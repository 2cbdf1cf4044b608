"""What the reader makes of files that a crash left behind."""

import json
import os
from pathlib import Path

import pytest

from ftkit.jobs.folder import JobFolder, append_lines


def test_a_torn_last_line_waits_for_its_rest(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    lines = b'{"step": 1}\n{"step": 2}\n'
    last = b'{"step": 3}\n'
    for cut in range(len(last)):
        folder.metrics.write_bytes(lines + last[:cut])
        seen, offset = folder.measurements()
        assert [m["step"] for m in seen] == [1, 2]
        folder.metrics.write_bytes(lines + last)
        assert folder.measurements(offset)[0] == [{"step": 3}]


def test_a_line_torn_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    folder.metrics.write_bytes(b'{"step": 1}\n{"ste{"step": 2}\n{"step": 3}\n')
    assert [m["step"] for m in folder.measurements()[0]] == [1, 3]


def test_a_torn_line_is_counted_once_it_cannot_be_finished_any_more(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    assert folder.measured()[1] == 0
    folder.metrics.write_bytes(b'{"step": 1}\n{"ste')
    assert folder.measured()[1] == 0
    folder.metrics.write_bytes(b'{"step": 1}\n{"ste\n[1]\n\xff\xfe\n{"step": 2}\n')
    assert folder.measured()[1] == 3


def test_what_was_torn_costs_only_itself_when_writing_goes_on(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    last = json.dumps({"step": 2, "note": "ğ"}).encode() + b"\n"
    for cut in range(len(last)):
        folder.metrics.write_bytes(b'{"step": 1}\n' + last[:cut])
        append_lines(folder.metrics, [{"step": 3}, {"step": 4}])
        kept = [1, 2, 3, 4] if cut == len(last) - 1 else [1, 3, 4]  # all but its end was there
        assert [m["step"] for m in folder.measurements()[0]] == kept
        assert folder.measured()[1] == (0 < cut < len(last) - 1)


def test_log_tail_begins_with_a_whole_line(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    folder.log.write_text("".join(f"line {n}\n" for n in range(1000)))
    tail = folder.log_tail(100)
    assert tail.startswith("line ")
    assert tail.endswith("line 999\n")
    assert len(tail) <= 100


def test_a_result_of_a_former_start_does_not_count(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    folder.prepare("job", "train", "first")
    folder.finish("first", "done", metrics={})
    assert folder.result("first") is not None
    assert folder.result("second") is None
    folder.prepare("job", "train", "second")
    assert folder.result("second") is None


def test_a_disk_that_takes_a_part_of_a_line_is_asked_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:5]))
    append_lines(tmp_path / "lines", [{"step": 1}, {"step": 2}])
    assert (tmp_path / "lines").read_text() == '{"step": 1}\n{"step": 2}\n'
