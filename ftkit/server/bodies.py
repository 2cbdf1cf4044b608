"""Limits on what a request may send, counted in bytes that arrive, whatever Content-Length says.

Takes ASGI's ``receive``, gives one that holds the limit. It answers nothing itself.
"""

from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

REQUEST_LIMIT = 2_000_000
RATER_REQUEST_LIMIT = 700_000  # a comment and four edited answers of the longest kind, each character escaped
UPLOAD_LIMIT = 500_000_000  # bytes per file
# One upload request carries one file in practice; the parts around it are small.
UPLOAD_REQUEST_LIMIT = UPLOAD_LIMIT + REQUEST_LIMIT
# Gradio answers 413 where the sentence has the words "maximum allowed size", else 400.
_TOO_LARGE = "The file is larger than the maximum allowed size."


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
    """Pass the body on as it comes and end the request when it grows beyond ``limit`` or its sender goes away.

    Gradio removes what it has written to its temporary file for this one exception only.
    """
    seen, whole = 0, False

    async def counted() -> Message:
        nonlocal seen, whole
        message = await receive()
        if message["type"] == "http.disconnect" and not whole:
            raise MultiPartException("The upload broke off.")
        seen += len(message.get("body", b""))
        if seen > limit:
            raise MultiPartException(_TOO_LARGE)
        whole = not message.get("more_body", False)
        return message

    return counted


def _replay(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed
