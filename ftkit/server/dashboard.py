"""What the application consists of: open routes, Gradio mounted at ``/``, the gate in front.

Takes a ``Workspace`` and the launch token, gives a FastAPI application. Each argument of the mount closes something that
Gradio leaves open in a mounted app.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import gradio as gr
from fastapi import FastAPI, Form
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from ftkit import __version__
from ftkit.errors import NotAllowed
from ftkit.server.bodies import UPLOAD_LIMIT
from ftkit.server.callers import Hosts, own_path
from ftkit.server.downloads import add_downloads
from ftkit.server.gate import SECURITY_HEADERS, Gate, session_cookie, set_cookie
from ftkit.server.gateway.routes import add_gateway
from ftkit.server.gateway.service import Gateway
from ftkit.server.login import login_page
from ftkit.server.pages import Pages
from ftkit.server.rating.cookies import RaterCookies
from ftkit.server.rating.routes import add_rating
from ftkit.server.sessions import Sessions, session_key
from ftkit.settings import Settings
from ftkit.ui.app import build
from ftkit.ui.i18n import COOKIE, LANGUAGES, browser_catalogue
from ftkit.ui.theme import THEME

if TYPE_CHECKING:
    from ftkit.workspace import Workspace

_YEAR = 365 * 24 * 3600
_WAITING = 200  # events of all viewers together; timers count too
_AT_ONCE = 8
_SESSION_KEY = "session.key"
# Everything of the data folder but tmp/, where Gradio puts what comes in.
_PRIVATE = (
    "uploads",
    "datasets",
    "splits",
    "models",
    "runs",
    "evaluations",
    "judgements",
    "benchmarks",
    "sweeps",
    "studies",
    "comparisons",
    "work",
    "logs",
    "backups",
    _SESSION_KEY,
    "ftkit.sqlite",
    "ftkit.sqlite-wal",
    "ftkit.sqlite-shm",
)


def assemble(workspace: "Workspace", token: str) -> FastAPI:
    """The whole application."""
    settings = workspace.settings
    framed = settings.space_host is not None
    fixed = settings.token.get_secret_value() if settings.token else ""
    sessions = Sessions(token, session_key(settings.home / _SESSION_KEY, fixed))
    app = FastAPI(title="ftkit", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(Exception, _failed)
    _add_open_routes(app, sessions, framed)
    _add_health(app, workspace)
    _add_language(app, framed)
    add_downloads(app, workspace)
    add_rating(
        app, workspace.raters, RaterCookies(session_key(settings.home / _SESSION_KEY, "raters"), framed)
    )
    gateway = Gateway.of(workspace)
    add_gateway(app, gateway)
    _mount(app, build(workspace), settings)
    app.add_middleware(Pages)
    hosts = Hosts(settings.allowed_hosts, settings.space_host)
    app.add_middleware(Gate, hosts=hosts, sessions=sessions, framed=framed, login=login_page)
    return app


def _mount(app: FastAPI, demo: gr.Blocks, settings: Settings) -> None:
    demo.queue(api_open=False, max_size=_WAITING, default_concurrency_limit=_AT_ONCE)
    with warnings.catch_warnings():
        # Pages of a mounted app are never rendered by Node, and Gradio says so even where that is switched off.
        warnings.filterwarnings("ignore", message="SSR mode is not supported")
        gr.mount_gradio_app(
            app,
            demo,
            path="/",
            auth_dependency=lambda request: getattr(request.state, "user", None),
            show_error=False,
            run_history=False,
            footer_links=[],
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
            ssr_mode=False,
            app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
            allowed_paths=[],
            blocked_paths=_blocked(settings),
            max_file_size=UPLOAD_LIMIT,
            i18n=browser_catalogue(),
            theme=THEME,
        )
    # Gradio checks paths only in an app that was launched, and mounting does not count as launching: without this line
    # every file of the machine can be read. It is undocumented, so a test holds it.
    demo.has_launched = True


def _blocked(settings: Settings) -> list[str]:
    caches = settings.environment.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    set_aside = settings.home.glob("ftkit.sqlite.*")
    return [str(caches), *(str(settings.home / name) for name in _PRIVATE), *map(str, set_aside)]


def _add_health(app: FastAPI, workspace: "Workspace") -> None:
    @app.get("/health")
    def health() -> dict[str, Any]:
        serving = bool(workspace.serving.answering())
        return {"status": "ok", "version": __version__, "serving": serving}


def _add_open_routes(app: FastAPI, sessions: Sessions, framed: bool) -> None:
    @app.get("/login")
    def show_login(request: Request) -> Response:
        return login_page(request)

    @app.post("/login")
    def log_in(
        request: Request, token: Annotated[str, Form()] = "", back: Annotated[str, Form(alias="next")] = "/"
    ) -> Response:
        try:
            if not sessions.admits(token.strip()):
                raise NotAllowed(
                    "server.wrong_token", "This token is not the right one. Use the newest link."
                )
        except NotAllowed as error:
            return login_page(request, error, back)
        response = RedirectResponse(own_path(back), 303)
        set_cookie(response, session_cookie(request), sessions.issue(), sessions.lifetime, framed)
        return response


def _add_language(app: FastAPI, framed: bool) -> None:
    @app.post("/language")
    def choose(lang: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> Response:
        if lang not in LANGUAGES:
            return JSONResponse({"error": "Unknown language."}, 400)
        response = RedirectResponse(own_path(back), 303)
        set_cookie(response, COOKIE, lang, _YEAR, framed)
        return response


def _failed(_request: Request, _error: Exception) -> Response:
    """Answered outside the gate, so it brings the headers itself; uvicorn logs the error."""
    return PlainTextResponse("Something failed. The log says what.", 500, headers=SECURITY_HEADERS)
