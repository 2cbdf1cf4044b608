"""A client that goes away in the middle of an upload leaves nothing behind, on the disk or in the lists."""

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ftkit.records import Upload

SIZE = 8 * 1024**2
HEAD = (
    b'--half\r\nContent-Disposition: form-data; name="files"; filename="rows.jsonl"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n"
)
TAIL = b"\r\n--half--\r\n"
PATIENCE = 60  # seconds in which everything has to be gone


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(
    "length", [b"Content-Length: %d" % (len(HEAD) + SIZE + len(TAIL)), b"Transfer-Encoding: chunked"]
)
def test_m90_an_upload_that_breaks_off_half_way_leaves_nothing(
    owner, address, workspace, home, length, reset
):
    known, listed = _files(home), workspace.artefacts.all(Upload)
    cookie = "; ".join(f"{name}={value}" for name, value in owner.cookies.items())
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n%s\r\n"
            b"Content-Type: multipart/form-data; boundary=half\r\n\r\n"
            % (place.netloc.encode(), cookie.encode(), length)
        )
        half = HEAD + b'{"question": "Why?", "answer": "Because."}\n' * (SIZE // 2 // 43)
        connection.sendall(b"%x\r\n%s\r\n" % (len(half), half) if b"chunked" in length else half)
        assert _within(
            PATIENCE, lambda: sum(path.stat().st_size for path in _files(home) - known) > SIZE // 4
        )
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert _within(PATIENCE, lambda: _files(home) == known), _files(home) - known
    assert workspace.artefacts.all(Upload) == listed
    assert owner.get("/health").json()["status"] == "ok"


def test_m04_an_upload_that_grows_beyond_the_limit_is_cut_off_and_leaves_nothing(owner, home, monkeypatch):
    monkeypatch.setattr("ftkit.server.gate.UPLOAD_REQUEST_LIMIT", SIZE // 2)
    known = _files(home)
    body = (piece for piece in (HEAD, *[b"x" * 65_536] * (SIZE // 65_536), TAIL))
    kind = {"content-type": "multipart/form-data; boundary=half"}
    answer = owner.post("/gradio_api/upload", content=body, headers=kind)
    assert (answer.status_code, "size" in answer.text) == (413, True)
    assert _within(PATIENCE, lambda: _files(home) == known), _files(home) - known


def _within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _files(home: Path) -> set[Path]:
    return {path for folder in ("tmp", "uploads") for path in (home / folder).rglob("*") if path.is_file()}
