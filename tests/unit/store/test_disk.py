"""A full disk is told from other errors, in the words of each library that writes."""

import errno
import os
from pathlib import Path

import pytest

from ftkit.store.disk import disk_full, has_no_room, is_full


def _caused(inner: Exception) -> Exception:
    try:
        try:
            raise inner
        except Exception as error:
            raise RuntimeError("could not write") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "no"),
        OSError(errno.EDQUOT, "no"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
        ValueError("Disk quota exceeded"),
        _caused(OSError(errno.ENOSPC, "no")),
        disk_full(Path("/tmp")),
    ],
)
def test_these_say_that_a_disk_is_full(error: Exception) -> None:
    assert is_full(error)


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "no"), ValueError("28"), _caused(OSError(errno.EIO, "no"))]
)
def test_these_do_not(error: Exception) -> None:
    assert not is_full(error)


def test_the_error_names_both_amounts(tmp_path: Path) -> None:
    error = disk_full(tmp_path, 7_000_000)
    assert (error.key, error.values["needed"]) == ("jobs.disk_full", 7)
    assert int(str(error.values["free"])) > 0


def test_a_probe_tells_whether_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_no_room(tmp_path)
    assert list(tmp_path.iterdir()) == []
    for code, full in ((errno.ENOSPC, True), (errno.EIO, False)):

        def refuse(_descriptor: int, code: int = code) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", refuse)
        assert has_no_room(tmp_path) is full
    assert list(tmp_path.iterdir()) == []
