"""A real dashboard behind its real gate on a free port, for the attacks."""

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from ftkit.server.app import create_app
from ftkit.settings import Settings
from ftkit.workspace import Workspace

TOKEN = "the-token-of-these-tests"


@contextmanager
def serving(app) -> Iterator[str]:
    """Serve an application in a thread; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,  # uvicorn's own closes all handlers there are, and absl's then closes the stream that pytest captures
            log_level="error",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            assert server.started
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@contextmanager
def gradio_in(home: Path) -> Iterator[None]:
    """What ``serve`` does to its process, undone afterwards."""
    before = os.environ.get("GRADIO_TEMP_DIR"), Path.cwd(), tempfile.tempdir
    empty = home / "tmp" / "cwd"
    empty.mkdir(parents=True, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = str(home / "tmp")
    os.chdir(empty)
    tempfile.tempdir = str(home / "tmp")
    try:
        yield
    finally:
        os.chdir(before[1])
        tempfile.tempdir = before[2]
        os.environ.pop("GRADIO_TEMP_DIR")
        if before[0] is not None:
            os.environ["GRADIO_TEMP_DIR"] = before[0]


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home").resolve()


@pytest.fixture(scope="session")
def workspace(home) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(home)})) as workspace:
        yield workspace


@pytest.fixture(scope="session")
def app(workspace, home):
    with gradio_in(home):
        yield create_app(workspace, TOKEN)


@pytest.fixture(scope="session")
def address(app) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def stranger(address) -> Iterator[httpx.Client]:
    """A client without a session."""
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


@pytest.fixture
def owner(address) -> Iterator[httpx.Client]:
    """A client that came in with the token."""
    with httpx.Client(base_url=address, timeout=20) as client:
        sign_in(client)
        yield client


def sign_in(client: httpx.Client) -> None:
    answer = client.get("/", params={"token": TOKEN}, headers={"accept": "text/html"})
    assert answer.status_code == 303
