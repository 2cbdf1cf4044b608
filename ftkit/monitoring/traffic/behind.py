"""Work that nobody waits for: a short queue, and a thread that works it off in batches.

Takes items at once or not at all, hands them on in their order. It keeps nothing on disk: what still waits at the end is given back.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Behind(Generic[T]):
    """One queue with its thread, which begins with the first item."""

    def __init__(self, name: str, work: Callable[[list[T]], None], most: int, batch: int = 32) -> None:
        """``work`` gets a batch and sees to its own failures."""
        self._name = name
        self._work = work
        self._most = most
        self._batch = batch
        self._waiting: deque[T] = deque()
        self._now: list[T] = []  # what is being worked on
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, item: T) -> bool:
        """Hand in an item; False where the queue is full or closed. Never waits for the work."""
        with self._changed:
            if self._closed or len(self._waiting) >= self._most:
                return False
            self._waiting.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return True

    def flush(self, seconds: float) -> bool:
        """Wait until nothing waits any more; tells whether that came."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._waiting or self._now:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def close(self, seconds: float) -> list[T]:
        """Work off what can be in this time, and take nothing more; gives what was left: the batch that is being worked on, too."""
        self.flush(seconds)
        with self._changed:
            self._closed = True
            left = [*self._now, *self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
        return left

    @property
    def closed(self) -> bool:
        """Whether it takes nothing more: a batch that is still being worked on leaves no trace."""
        return self._closed

    def _go_on(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                batch = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
                self._now = batch
            try:
                self._work(batch)
            finally:
                with self._changed:
                    self._now = []
                    self._changed.notify_all()
