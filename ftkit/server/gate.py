"""The gate in front of everything: Host, Origin, session, size, and the security headers of every answer.

A pure ASGI layer, because the pages stream. Behind it ``request.state.user`` is always set, except on the few open paths.
It serves no page of its own but the login page's refusal.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ftkit.errors import NotAllowed
from ftkit.server.bodies import (
    RATER_REQUEST_LIMIT,
    REQUEST_LIMIT,
    UPLOAD_REQUEST_LIMIT,
    count_within,
    read_within,
)
from ftkit.server.callers import Hosts, own_path, split_port
from ftkit.server.sessions import Sessions

# The language is a cookie and tells nothing: raters choose it too.
OPEN_PATHS = frozenset({"/health", "/login", "/language"})
# Raters have no session of the owner: these paths know them by a cookie of their own and answer nothing else.
RATER_PAGE = "/rate"
RATER_PREFIXES = ("/rate/api/", "/invite/")
# Programs bring an API key, which the gateway's routes look at; they also hold the limit on its requests.
GATEWAY_PREFIX = "/v1/"
METRICS_PATH = "/metrics"
UPLOAD_PATH = "/gradio_api/upload"
USER = "owner"

# Gradio configures itself by inline scripts and compiles its templates, so script-src cannot be narrower: the policy ends
# exfiltration and framing, escaping ends script injection.
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'self' https://huggingface.co; base-uri 'self'; form-action 'self'; object-src 'none'; "
    "frame-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

LoginPage = Callable[[Request, NotAllowed | None], Response]


class Gate:
    """ASGI middleware; add it last, so that it runs first."""

    def __init__(
        self, app: ASGIApp, hosts: Hosts, sessions: Sessions, framed: bool, login: LoginPage
    ) -> None:
        """``framed``: the dashboard is shown inside another site's page; ``login`` makes the refusal for browsers."""
        self._app = app
        self._hosts = hosts
        self._sessions = sessions
        self._framed = framed
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # nothing here speaks WebSocket
            return
        send = _with_security_headers(send)
        request = Request(scope)
        refusal = self._refuse_stranger(request) or self._refuse_visitor(request)
        if refusal is None:
            limited = await _limit(request, receive)
            if limited is not None:
                await self._app(scope, limited, send)
                return
            refusal = PlainTextResponse("The request is too large.", 413)
        await refusal(scope, receive, send)

    def _refuse_stranger(self, request: Request) -> Response | None:
        """Requests that no page of ours and no client of the owner makes."""
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.knows(hosts[0]):
            return PlainTextResponse(
                "Unknown host name. Open the dashboard at http://127.0.0.1, or add the name to FTKIT_ALLOWED_HOSTS.",
                400,
            )
        if self._hosts.refuses(request.method, request.headers):
            return PlainTextResponse("Requests from other web pages are refused.", 403)
        return None

    def _refuse_visitor(self, request: Request) -> Response | None:
        """Whoever has no session; a right token in the address becomes one."""
        wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        token = request.query_params.get("token")
        known = self._sessions.valid(request.cookies.get(session_cookie(request), ""))
        if known:
            request.state.user = USER
        problem = None
        if token is not None and wants_page:
            try:
                if known or self._sessions.admits(token):
                    return self.welcome(request, None if known else self._sessions.issue())
                problem = NotAllowed(
                    "server.wrong_token", "This token is not the right one. Use the newest link."
                )
            except NotAllowed as error:
                problem = error
        path = request.url.path
        if known or path in OPEN_PATHS or is_raters(path) or is_gateways(path):
            return None
        if wants_page:
            return self._login(request, problem)
        return JSONResponse({"error": "Not signed in."}, 401)

    def welcome(self, request: Request, session: str | None) -> Response:
        """To the same page without the token in its address."""
        query = [(k, v) for k, v in parse_qsl(request.url.query, keep_blank_values=True) if k != "token"]
        path = own_path(request.url.path)
        response = RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)
        if session:
            set_cookie(response, session_cookie(request), session, self._sessions.lifetime, self._framed)
        return response


def is_raters(path: str) -> bool:
    """Whether a path is one of those that raters use."""
    return path == RATER_PAGE or path.startswith(RATER_PREFIXES)


def is_gateways(path: str) -> bool:
    """Whether a path is one of those that programs use with an API key."""
    return path == METRICS_PATH or path.startswith(GATEWAY_PREFIX)


def session_cookie(request: Request) -> str:
    """Name of the session cookie."""
    return cookie_name("ftkit_session", request)


def cookie_name(name: str, request: Request) -> str:
    """The name of a cookie; browsers do not keep the cookies of two ports apart, so the name does."""
    port = split_port(request.headers.get("host", ""))[1]
    return f"{name}_{port}" if port else name


def set_cookie(response: Response, name: str, value: str, seconds: int, framed: bool) -> None:
    """Set a cookie that scripts cannot read; inside another site's page only a partitioned one works."""
    site = "SameSite=None; Secure; Partitioned" if framed else "SameSite=Lax"
    response.headers.append("set-cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; {site}")


async def _limit(request: Request, receive: Receive) -> Receive | None:
    """``receive`` with the limit for this path; None when the body is too large."""
    upload = request.url.path.rstrip("/") == UPLOAD_PATH
    limit = UPLOAD_REQUEST_LIMIT if upload else REQUEST_LIMIT
    if is_gateways(request.url.path):
        return receive
    if is_raters(request.url.path):
        limit = RATER_REQUEST_LIMIT
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > limit:
        return None
    if upload:
        return count_within(receive, limit)
    if declared == "0" and "transfer-encoding" not in request.headers:
        return receive
    return await read_within(receive, limit)


def _with_security_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name in [name for name in headers.keys() if name.startswith("access-control-")]:  # noqa: SIM118
                del headers[name]
            headers.update(SECURITY_HEADERS)
        await send(message)

    return sending
