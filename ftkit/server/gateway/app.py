"""The gateway alone, as ``ftkit serve`` starts it: its routes and its health, without pages.

Takes a gateway, gives an application and serves it until it is told to stop. It knows no owner: every path but the health and the description
asks for an API key.
"""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from starlette.responses import JSONResponse

from ftkit import __version__
from ftkit.server.gateway.routes import add_gateway
from ftkit.server.gateway.schema import Health
from ftkit.server.gateway.service import Gateway

_GRACE_SECONDS = 10  # answers under way may end
_HEADERS = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'"}


def alone(gateway: Gateway) -> FastAPI:
    """The application."""
    app = FastAPI(title="ftkit gateway", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> JSONResponse:
        serving = bool(gateway.services.serving.answering())
        return JSONResponse(Health(version=__version__, serving=serving).model_dump(), headers=_HEADERS)

    add_gateway(app, gateway)
    return app


def serve_alone(gateway: Gateway, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Serve until interrupted; requests under way may end.

    Args:
        gateway: what is served.
        listener: where.
        announce: called before the first request is taken.
    """
    config = uvicorn.Config(
        alone(gateway),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    announce()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        return
