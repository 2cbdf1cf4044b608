"""Named places where a test lets a process die, wait or fail, to see that what it leaves behind is sound.

Takes ``FTKIT_FAILPOINT``: ``<name>:kill``, ``<name>:sleep:<seconds>`` or ``<name>:raise:<errno name>``, with ``@<n>`` behind the
name for the n-th time only (``checkpoint.file@3:kill``); several are separated by commas. Without it, and that is always so outside
tests, a place costs one look at an empty table.
"""

import errno
import os
import signal
import threading
import time
from collections import Counter

from ftkit.settings import failpoints


class _Table:
    def __init__(self, text: str) -> None:
        self._lock = threading.Lock()
        self._reached: Counter[str] = Counter()
        self._actions: dict[str, tuple[int, str, str]] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            place, action, *value = entry.split(":")
            name, _, number = place.partition("@")
            self._actions[name] = (int(number or 0), action, value[0] if value else "")

    def reach(self, name: str) -> None:
        if name not in self._actions:
            return
        number, action, value = self._actions[name]
        with self._lock:
            self._reached[name] += 1
            if number not in (0, self._reached[name]):
                return
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif action == "sleep":
            time.sleep(float(value))
        elif action == "raise":
            code = getattr(errno, value)
            raise OSError(code, os.strerror(code))
        else:
            raise ValueError(f"FTKIT_FAILPOINT: {action} is no action")


_TABLE = _Table(failpoints())


def reach(name: str) -> None:
    """Do what the environment asks for at this place; as a rule nothing.

    Raises:
        OSError: the one that the environment names.
    """
    _TABLE.reach(name)
