"""How often and how much a key may ask: a window of a minute for requests, a day of UTC for tokens.

Takes the time with each call, gives how many seconds to wait. Counts live in this process: each process that serves counts its own
requests of the minute, and what the day had before it first saw the key is told by whoever calls. It stores nothing.
"""

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

_WINDOW = timedelta(minutes=1)


@dataclass
class _Count:
    asked: deque[datetime] = field(default_factory=deque)
    day: date | None = None
    tokens: int = 0


class Counts:
    """What every key has used; may be asked by many threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, _Count] = {}

    def wait_for_request(self, key: str, most: int, now: datetime) -> int:
        """0 and the request is counted, or the seconds until one more is allowed."""
        with self._lock:
            asked = self._counts.setdefault(key, _Count()).asked
            while asked and now - asked[0] >= _WINDOW:
                asked.popleft()
            if len(asked) >= most:
                return max(1, math.ceil((asked[0] + _WINDOW - now).total_seconds()))
            asked.append(now)
            return 0

    def wait_for_tokens(
        self, key: str, tokens: int, most: int, now: datetime, before: Callable[[], int]
    ) -> int:
        """0 and the tokens are taken, or the seconds until the next day.

        Args:
            key: whose.
            tokens: how many may become needed.
            most: how many a day has.
            now: the time.
            before: tells what the day had already, when the key is first seen on a day.
        """
        with self._lock:
            count = self._counts.setdefault(key, _Count())
            if count.day != now.date():
                count.day, count.tokens = now.date(), before()
            if count.tokens + tokens > most:
                tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
                return max(1, math.ceil((tomorrow - now).total_seconds()))
            count.tokens += tokens
            return 0

    def settle(self, key: str, taken: int, used: int, now: datetime) -> None:
        """Replace what was taken for a request by what it used."""
        with self._lock:
            count = self._counts.get(key)
            if count is not None and count.day == now.date():
                count.tokens = max(0, count.tokens - taken + used)

    def tokens_today(self, key: str, now: datetime) -> int | None:
        """Tokens of the day; None where the key was not seen yet."""
        with self._lock:
            count = self._counts.get(key)
            return count.tokens if count is not None and count.day == now.date() else None
