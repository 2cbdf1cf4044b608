"""The cookie of a rater: the token of their invitation with a signature of the data folder's key.

Takes requests and tokens. A made-up cookie fails at its signature, so tokens can be tried at ``/invite/`` only, where wrong ones are
counted. Whether a token is known, or was withdrawn, is the ratings room's matter.
"""

import hmac
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from ftkit.server.gate import cookie_name, set_cookie

_NAME = "ftkit_rater"
_LIFETIME = 90 * 24 * 3600


class RaterCookies:
    """Makes and reads the cookies."""

    def __init__(self, key: bytes, framed: bool) -> None:
        """``framed``: the dashboard is shown inside another site's page."""
        self._key = key
        self._framed = framed

    def put(self, request: Request, response: Response, token: str) -> None:
        """Let the browser keep a token."""
        value = f"{token}.{self._sign(token)}"
        set_cookie(response, cookie_name(_NAME, request), value, _LIFETIME, self._framed)

    def token(self, request: Request) -> str:
        """The token of a request; empty where it brings none of ours."""
        token, _, signature = request.cookies.get(cookie_name(_NAME, request), "").rpartition(".")
        right = hmac.compare_digest(signature.encode(), self._sign(token).encode())
        return token if right else ""

    def _sign(self, token: str) -> str:
        return hmac.new(self._key, token.encode(), sha256).hexdigest()
