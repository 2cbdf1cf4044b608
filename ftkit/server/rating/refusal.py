"""The page that somebody sees who has no invitation, or whose invitation is not known or was withdrawn.

Takes the error, gives plain HTML in the reader's language that needs nothing else from the server. It asks for no token: an
invitation is a link.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ftkit.errors import FtkitError
from ftkit.ui.i18n import language
from ftkit.ui.ratings.rater_page import Message, message_page

_MESSAGES: Mapping[str, Message] = {
    "raters.no_invite": "no_link",
    "raters.revoked": "revoked",
    "server.too_many": "too_many",
}


def refusal_page(request: Request, error: FtkitError, status: int) -> Response:
    """Why nobody comes in here, and what to do."""
    html = message_page(_MESSAGES.get(error.key, "wrong_link"), language(request))
    return HTMLResponse(html, status, headers={"cache-control": "no-store"})
