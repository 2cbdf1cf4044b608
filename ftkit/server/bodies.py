"""Limits on what a request may send, counted in bytes that arrive, whatever Content-Length says.

Takes ASGI's ``receive``, gives one that holds the limit. It answers nothing itself.
"""

from fastapi import HTTPException
from starlette.types import Message, Receive

REQUEST_LIMIT = 2_000_000
UPLOAD_LIMIT = 500_000_000  # bytes per file
# One upload request carries one file in practice; the parts around it are small.
UPLOAD_REQUEST_LIMIT = UPLOAD_LIMIT + REQUEST_LIMIT


async def read_within(receive: Receive, limit: int) -> Receive | None:
    """Take the whole body before anybody works on it.

    Returns a ``receive`` that gives it again, or None when it is larger than ``limit``.
    """
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return _replay(message, receive)
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body"):
            return _replay({"type": "http.request", "body": body, "more_body": False}, receive)


def count_within(receive: Receive, limit: int) -> Receive:
    """Pass the body on as it comes and end the request when it grows beyond ``limit``."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, "The file is too large.")
        return message

    return counted


def _replay(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed
