"""Lines of a log that hold a text.

Takes the lines as bytes, gives the newest that match, with their numbers. It knows no file and makes no HTML.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

AT_MOST = 200
_LONGEST = 2000


class LogMatches(NamedTuple):
    """What a search found.

    Args:
        total: how many lines match.
        lines: the newest of them with their numbers, in the order of the log.
    """

    total: int
    lines: tuple[tuple[int, str], ...]


def find_lines(log: Iterable[bytes], text: str) -> LogMatches:
    """Lines that hold ``text`` as it stands, in capitals or not; ``AT_MOST`` of them, each cut where it is very long."""
    wanted = text.casefold()
    newest: deque[tuple[int, str]] = deque(maxlen=AT_MOST)
    count = 0
    for number, raw in enumerate(log, start=1):
        line = raw.decode(errors="replace").rstrip("\r\n")
        if wanted in line.casefold():
            count += 1
            newest.append((number, line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"))
    return LogMatches(count, tuple(newest))
