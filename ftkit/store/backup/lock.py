"""Who uses the database file: many processes together, or one alone that replaces it or may not share it.

Takes the database file, locks ``<file>.lock`` beside it; a process that dies lets go of it. It guards the file as a whole and
no transaction: SQLite does that.
"""

import fcntl
import os
import time
from pathlib import Path

_EVERY = 0.1  # seconds


class FileLock:
    """The lock beside one database file."""

    def __init__(self, file: Path) -> None:
        self._path = file.with_name(f"{file.name}.lock")
        self._descriptor: int | None = None

    def share(self, seconds: float) -> bool:
        """Use the file beside others; False when one process had it alone for all of ``seconds``."""
        return self._take(fcntl.LOCK_SH, seconds)

    def own(self, seconds: float = 0.0) -> bool:
        """Have the file alone; False when another process used it for all of ``seconds``."""
        return self._take(fcntl.LOCK_EX, seconds)

    def release(self) -> None:
        """Let go of it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self, kind: int, seconds: float) -> bool:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                # While it waits it holds nothing, or two that wait for each other would wait for ever.
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
                if time.monotonic() >= deadline:
                    self.release()
                    return False
                time.sleep(_EVERY)
            else:
                return True
