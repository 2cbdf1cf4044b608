"""The page that somebody sees who has no invitation, or whose invitation is not known or was withdrawn.

Takes the error, gives plain HTML in the reader's language that needs nothing else from the server. It asks for no token: an
invitation is a link.
"""

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ftkit.errors import FtkitError
from ftkit.ui.i18n import language, say, say_error
from ftkit.ui.shell import BRAND, ICON_LINK
from ftkit.ui.theme import SHELL_CSS

_PAGE = Markup(
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title} · ftkit</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">{icon}<style>{css}</style></head>'
    '<body class="ft-login"><main><div class="ft-brand">{brand}</div><h1>{title}</h1>'
    '<p role="alert">{problem}</p></main></body></html>'
)


def refusal_page(request: Request, error: FtkitError, status: int) -> Response:
    """Why nobody comes in here, and what to do."""
    lang = language(request)
    html = _PAGE.format(
        lang=lang,
        title=say("invite.refused", lang),
        problem=say_error(error, lang),
        icon=ICON_LINK,
        brand=BRAND,
        css=Markup(SHELL_CSS),  # noqa: S704 - a constant of ours
    )
    return HTMLResponse(str(html), status, headers={"cache-control": "no-store"})
