"""The connection to the Hub during an upload: it never hangs, never waits longer than it says, and counts what it sends.

huggingface_hub's own client has no time limit, and sleeps as long as a server asks for. Inside ``line`` each failure that may
pass comes out at once as ``Interrupted``, so that whoever uploads decides how long to wait. It repeats nothing itself.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_LIMITS = httpx2.Timeout(60.0, connect=10.0)

# Called with the number of bytes that went out.
Count = Callable[[int], None]


class Interrupted(Exception):  # noqa: N818 - a state of the line, turned into an error of the family by whoever uploads
    """The Hub did not take a request that it may take later.

    Args:
        reason: HTTP status, or what broke.
        wait: seconds that it asks to wait for; 0 where it does not say.
    """

    def __init__(self, reason: str, wait: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


class _Counted(httpx2.SyncByteStream):
    def __init__(self, stream: Any, count: Count) -> None:
        self._stream, self._count = stream, count

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            yield piece
            self._count(len(piece))


class _Line(httpx2.Client):
    def __init__(self, count: Count) -> None:
        hooks = default_client_factory().event_hooks
        super().__init__(event_hooks=hooks, follow_redirects=True, timeout=_LIMITS)
        self._count = count

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send it, once."""
        if request.method == "PUT":
            request.stream = _Counted(request.stream, self._count)
        try:
            response = super().send(request, **options)
        except (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
            raise Interrupted(str(error).strip()[:200] or type(error).__name__) from error
        if response.status_code in _PASSING:
            waiting = response.headers.get("retry-after", "")
            response.close()
            raise Interrupted(f"HTTP {response.status_code}", int(waiting) if waiting.isdecimal() else 0)
        return response


@contextlib.contextmanager
def line(count: Count) -> Iterator[None]:
    """Let huggingface_hub use such a connection."""
    set_client_factory(lambda: _Line(count))
    try:
        yield
    finally:
        set_client_factory(default_client_factory)
