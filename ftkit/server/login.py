"""The page that a browser without a session sees, and the form behind it.

Takes a request and what went wrong so far, gives plain HTML in the reader's language that needs nothing else from the
server. The token itself is checked by ``sessions``.
"""

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ftkit.errors import NotAllowed
from ftkit.server.callers import own_path
from ftkit.ui.i18n import language, say, say_error
from ftkit.ui.shell import BRAND, ICON_LINK
from ftkit.ui.theme import SHELL_CSS

_PAGE = Markup(
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title} · ftkit</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">{icon}<style>{css}</style></head>'
    '<body class="ft-login"><main><div class="ft-brand">{brand}</div><h1>{title}</h1><p>{lead}</p>{problem}'
    '<form method="post" action="/login"><input type="hidden" name="next" value="{next}">'
    '<label for="token">{label}</label><input id="token" name="token" type="password" required autofocus'
    ' autocomplete="current-password"><button type="submit">{button}</button></form><p class="ft-hint">{hint}</p>'
    "</main></body></html>"
)
_PROBLEM = Markup('<p class="ft-problem" role="alert">{}</p>')


def login_page(request: Request, problem: NotAllowed | None = None, back: str | None = None) -> Response:
    """The form; 401 where a page was asked for, 429 after too many wrong tokens, 200 at its own address."""
    lang = language(request)
    own = request.url.path == "/login"
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    target = own_path(back if back is not None else "/" if own or "token" in request.query_params else here)
    html = _PAGE.format(
        lang=lang,
        title=say("shell.login.title", lang),
        lead=say("shell.login.lead", lang),
        label=say("shell.login.label", lang),
        button=say("shell.login.button", lang),
        hint=say("shell.login.hint", lang),
        problem=_PROBLEM.format(say_error(problem, lang)) if problem else "",
        next=target,
        icon=ICON_LINK,
        brand=BRAND,
        css=Markup(SHELL_CSS),  # noqa: S704 - a constant of ours
    )
    return HTMLResponse(str(html), _status(own, problem), headers={"cache-control": "no-store"})


def _status(own: bool, problem: NotAllowed | None) -> int:
    if problem is None:
        return 200 if own else 401
    return 429 if problem.key == "server.too_many" else 401
