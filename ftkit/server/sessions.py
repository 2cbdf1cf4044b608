"""The launch token and the session cookies that it is exchanged for.

Takes what a visitor presents, says whether it is right. A cookie holds its end and a signature, never the token. The key of
the signatures lies in the data folder, so that an open page goes on after a restart. It reads no request.
"""

import hmac
import os
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from ftkit.errors import NotAllowed

_KEY_BYTES = 32
_DAYS = 30
_LIFETIME = _DAYS * 24 * 3600
_WINDOW = 60.0
_WRONG_PER_WINDOW = 10
_MOST_VISITORS = 1000


def session_key(file: Path, fixed_token: str = "") -> bytes:
    """The key of the data folder, made where there is none; a changed ``fixed_token`` ends all sessions."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = file.read_bytes()
    else:
        secret = secrets.token_bytes(_KEY_BYTES)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secret)
    if len(secret) != _KEY_BYTES:  # a crash while it was made: sessions of this start only
        secret = secrets.token_bytes(_KEY_BYTES)
    return hmac.digest(secret, fixed_token.encode(), "sha256")


class Tries:
    """Counts wrong tokens, each visitor's for themselves where one is named."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, visitor: str = "") -> None:
        """Whether one more token may be tried.

        Raises:
            NotAllowed: too many wrong ones were tried within a minute.
        """
        wrong = self._wrong.get(visitor)
        if wrong is not None and len(wrong) == _WRONG_PER_WINDOW and self._clock() - wrong[0] < _WINDOW:
            raise NotAllowed("server.too_many", "Too many wrong tokens. Wait a minute, then try again.")

    def note_wrong(self, visitor: str = "") -> None:
        """Count one; the visitors that tried longest ago are forgotten."""
        self._wrong.setdefault(visitor, deque(maxlen=_WRONG_PER_WINDOW)).append(self._clock())
        self._wrong.move_to_end(visitor)
        while len(self._wrong) > _MOST_VISITORS:
            self._wrong.popitem(last=False)


class Sessions:
    """Everybody who came in with the token is the owner."""

    lifetime = _LIFETIME

    def __init__(self, token: str, key: bytes, clock: Callable[[], float] = time.time) -> None:
        """``key`` signs the cookies: who has another one has other sessions."""
        self._token = sha256(token.encode()).digest()
        self._key = key
        self._clock = clock
        self._tries = Tries(clock)

    def admits(self, token: str) -> bool:
        """Whether this is the launch token.

        Raises:
            NotAllowed: too many wrong ones were tried within a minute; then even the right one has to wait.
        """
        self._tries.check()
        right = hmac.compare_digest(sha256(token.encode()).digest(), self._token)
        if not right:
            self._tries.note_wrong()
        return right

    def issue(self) -> str:
        """A new cookie value."""
        claim = f"{int(self._clock()) + _LIFETIME}.{secrets.token_hex(8)}"
        return f"{claim}.{self._sign(claim)}"

    def valid(self, value: str) -> bool:
        """Whether a cookie value is one of ours and has not ended."""
        claim, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(claim).encode()):
            return False
        return int(claim.partition(".")[0]) > self._clock()

    def _sign(self, claim: str) -> str:
        return hmac.new(self._key, claim.encode(), sha256).hexdigest()
