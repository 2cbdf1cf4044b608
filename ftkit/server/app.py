"""Serves the dashboard: address, launch token, environment of the process, looking after the jobs.

Takes a ``Workspace``, serves it until it is told to stop. Gradio is imported only when an application is made, after its
environment was set. What the application consists of stands in ``dashboard``.
"""

import asyncio
import errno
import logging
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from ftkit.errors import Refused
from ftkit.server.quick_import import without_type_stubs
from ftkit.settings import Settings

if TYPE_CHECKING:
    from ftkit.workspace import Workspace

_SHORTEST_TOKEN = 8
_GRACE_SECONDS = 2  # an open page holds a stream that would keep the server from ending

_log = logging.getLogger(__name__)


def create_app(workspace: "Workspace", token: str) -> FastAPI:
    """The whole application behind its gate; whoever brings ``token`` is the owner."""
    with without_type_stubs():
        from ftkit.server.dashboard import assemble  # noqa: PLC0415 - imports gradio, whose environment had to be set first

    async def assembled() -> FastAPI:
        return assemble(workspace, token)

    # Where no event loop runs, Gradio makes one for each of its locks and never closes it: dozens of open files.
    return asyncio.run(assembled())


def serve(workspace: "Workspace", announce: Callable[[str], None], i_know: bool = False) -> None:
    """Serve the dashboard until interrupted.

    Args:
        workspace: what the pages work on; its settings say where to listen.
        announce: told the link, token and all, as soon as it can be opened.
        i_know: start in spite of Gradio variables that bypass the protection.

    Raises:
        Refused: the port is taken, a variable is dangerous, or the fixed token is too short.
    """
    settings = workspace.settings
    _check(settings, i_know)
    with listen(settings) as listener:
        token = settings.token.get_secret_value() if settings.token else secrets.token_urlsafe(24)
        _prepare_process(settings)
        config = uvicorn.Config(
            create_app(workspace, token),
            log_level="warning",
            access_log=False,  # it would write down the token of the first request
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        announce(f"{address(settings, listener)}/?token={token}")
        with ticking(workspace.tick):
            try:
                uvicorn.Server(config).run(sockets=[listener])
            except KeyboardInterrupt:
                return


@contextmanager
def ticking(tick: Callable[[], None], seconds: float = 1.0) -> Iterator[None]:
    """Call ``tick`` again and again in a thread of its own while the block lasts, whether or not it fails."""
    ended = threading.Event()

    def keep_ticking() -> None:
        last = ""
        while not ended.wait(seconds):
            try:
                tick()
                last = ""
            except Exception as error:  # noqa: BLE001 - this thread must outlive a full disk or a busy database
                if repr(error) != last:
                    _log.warning("Looking after the jobs failed and is tried again", exc_info=error)
                last = repr(error)

    thread = threading.Thread(target=keep_ticking, name="supervision", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=10)


def _check(settings: Settings, i_know: bool) -> None:
    if (switches := settings.dangerous_switches()) and not i_know:
        raise Refused(
            "server.dangerous",
            "{names} would open the dashboard behind its own protection. Unset it, or start with --i-know.",
            names=", ".join(switches),
        )
    if settings.token and not settings.local and len(settings.token.get_secret_value()) < _SHORTEST_TOKEN:
        raise Refused(
            "server.short_token",
            "FTKIT_TOKEN is too short for an address that others can reach. Use {n} characters or more.",
            n=_SHORTEST_TOKEN,
        )


def listen(settings: Settings) -> socket.socket:
    """The socket that the settings name.

    Raises:
        Refused: the port is taken, or there is no such address.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(
                "server.port_busy",
                "Port {port} is in use, perhaps by another ftkit. End that program, or choose another port with "
                "--port or FTKIT_PORT.",
                port=settings.port,
            ) from error
        raise Refused(
            "server.bad_address",
            "Cannot listen on {host}, port {port} ({reason}). Choose another address with --host and --port.",
            host=settings.host,
            port=settings.port,
            reason=error.strerror or error,
        ) from error


def address(settings: Settings, listener: socket.socket) -> str:
    """Where a browser finds the dashboard."""
    if settings.space_host:
        return f"https://{settings.space_host}"
    name = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}"


def _prepare_process(settings: Settings) -> None:
    """Gradio hands out files of the working folder and of the temporary folder: both become places of our own."""
    settings.prepare_web_process()
    empty = settings.home / "tmp" / "cwd"
    empty.mkdir(parents=True, exist_ok=True)
    os.chdir(empty)
    tempfile.tempdir = str(settings.home / "tmp")
