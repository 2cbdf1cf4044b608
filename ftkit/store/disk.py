"""A full disk: told from other errors, whichever library met it, and said in words.

Takes an error or a folder, gives a yes or no or the error that the page shows. It makes no room.
"""

import errno
import os
import shutil
from pathlib import Path

from ftkit.errors import DiskFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Libraries written in Rust and C++ say it in words only.
_WORDS = tuple(os.strerror(code).lower() for code in _FULL)
_MEGABYTE = 1024**2
# Enough to find out that there is no room; a quota counts in blocks of up to this size.
_PROBE = 1024**2
# What is asked for where nobody knows how much the next file needs.
_SOME = 100 * _MEGABYTE


def is_full(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that a disk is full or a quota is used up."""
    seen: BaseException | None = error
    while seen is not None:
        said = str(seen).lower()
        if isinstance(seen, DiskFull) or (isinstance(seen, OSError) and seen.errno in _FULL):
            return True
        if any(words in said for words in _WORDS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def has_no_room(folder: Path) -> bool:
    """Whether not even a small file can be written: for libraries that only say that writing failed."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        with probe.open("wb") as stream:
            stream.write(os.urandom(_PROBE))
            os.fsync(stream.fileno())
    except OSError as error:
        return is_full(error)
    finally:
        probe.unlink(missing_ok=True)
    return False


def disk_full(folder: Path, needed: int = _SOME) -> DiskFull:
    """What a job that cannot go on for lack of room ends with.

    Args:
        folder: where it writes.
        needed: bytes that it was about to write.
    """
    return DiskFull(
        "jobs.disk_full",
        "The disk is full: {needed} MB are needed and {free} MB are free. Make room, then resume: it goes on from its last "
        "checkpoint.",
        needed=max(1, round(needed / _MEGABYTE)),
        free=shutil.disk_usage(folder).free // _MEGABYTE,
    )
