"""A Hugging Face Hub on this machine, as much of it as a download asks for."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REVISION = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """Serves the files of a folder as the model or data set ``org/model``; every request is remembered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.paths: list[str] = []
        self.gated = False
        self.failing = False
        self.damaged = ""
        self.lfs = ".safetensors"

    def info(self) -> dict[str, Any]:
        siblings = []
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            content = file.read_bytes()
            entry: dict[str, Any] = {"rfilename": str(file.relative_to(self.folder)), "size": len(content)}
            if file.suffix == self.lfs:
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            siblings.append(entry)
        return {
            "id": "org/model",
            "sha": REVISION,
            "tags": ["license:apache-2.0"],
            "siblings": siblings,
            "cardData": {"license": "apache-2.0"},
        }

    def content(self, name: str) -> bytes:
        content = (self.folder / name).read_bytes()
        return content[::-1] if name == self.damaged else content


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_HEAD(self) -> None:
        self._send(*self._answer(), body=False)

    def do_GET(self) -> None:
        self._send(*self._answer(), body=True)

    def _answer(self) -> tuple[int, dict[str, str], bytes]:
        path = self.path.partition("?")[0]
        self.hub.paths.append(path)
        if self.hub.failing:
            return 503, {}, b""
        path = path.removeprefix("/datasets") if path.startswith("/datasets/") else path
        if path.startswith(("/api/models/org/model", "/api/datasets/org/model")):
            return 200, {"Content-Type": "application/json"}, json.dumps(self.hub.info()).encode()
        if not path.startswith("/org/model/resolve/"):
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        if self.hub.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        content = self.hub.content(path.partition(f"/resolve/{REVISION}/")[2])
        digest = hashlib.sha256(content).hexdigest()
        return 200, {"X-Repo-Commit": REVISION, "ETag": f'"{digest}"'}, content

    def _send(self, status: int, headers: dict[str, str], content: bytes, body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[FakeHub]:
    hub = FakeHub(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub})) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
