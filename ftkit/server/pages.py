"""Dresses Gradio's pages on their way out: shell, language, title; and compresses them.

Takes the HTML that Gradio answers with, gives it to ``ftkit.ui.shell`` together with the reader's language. Anything that
is not one of Gradio's pages, streams above all, passes untouched.
"""

import zlib
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ftkit.ui import shell
from ftkit.ui.i18n import language

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_LEVEL = 6


class Pages:
    """ASGI middleware, behind the gate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the whole page where one is asked for, then send it dressed."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self._app(scope, receive, send)
            return
        await self._app(_uncompressed(scope), receive, _Dresser(Request(scope), send))


class _Dresser:
    """Collects one answer; used as its ``send``."""

    def __init__(self, request: Request, send: Send) -> None:
        self._request = request
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        request = self._request
        query = request.url.query
        html = shell.dress(self._body.decode(), request.url.path, query, language(request))
        body = html.encode()
        headers = MutableHeaders(scope=start)
        headers["cache-control"] = "private, no-cache"
        headers["vary"] = "Accept-Encoding, Accept-Language, Cookie"
        if "gzip" in request.headers.get("accept-encoding", ""):
            packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP)
            body = packer.compress(body) + packer.flush()
            headers["content-encoding"] = "gzip"
        headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    headers = Headers(scope=start)
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers


def _uncompressed(scope: Scope) -> MutableMapping[str, Any]:
    """Ask Gradio for plain text, which can be changed."""
    return {
        **scope,
        "headers": [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"],
    }
