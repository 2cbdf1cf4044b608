"""A Hugging Face Hub on this machine, as much of it as downloads and uploads ask for."""

import base64
import hashlib
import json
import socket
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
        # What uploads meet and leave: status of a refusal, repositories → private, files of the last commit, tokens seen.
        self.refusing = 0
        self.repositories: dict[str, bool] = {}
        self.pushed: dict[str, bytes] = {}
        self.tokens: set[str] = set()
        # Large files that arrived: sha256 → content, and each arrival in its order.
        self.stored: dict[str, bytes] = {}
        self.arrivals: list[str] = []
        # How often an upload breaks at its half, and what is answered instead of doing something: status, headers.
        self.breaks = 0
        self.answers: list[tuple[int, dict[str, str]]] = []
        # Content that lies there in place of what was sent.
        self.spoiled: dict[str, bytes] = {}

    def take(self, path: str, content: bytes) -> tuple[int, Any]:
        """The answer to a POST or PUT of an upload."""
        if self.refusing:
            return self.refusing, {"error": "no"}
        asked = json.loads(content) if content[:1] == b"{" and "/commit/" not in path else {}
        if path == "/api/repos/create":
            name = f"{asked['organization'] or 'somebody'}/{asked['name']}"
            if name in self.repositories:
                return 409, {"url": f"{self.url}/{name}"}
            self.repositories[name] = asked.get("visibility") == "private" or bool(asked.get("private"))
            return 200, {"url": f"{self.url}/{name}"}
        if "/preupload/" in path:
            files = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith(self.lfs) else "regular",
                    "shouldIgnore": False,
                }
                for one in asked["files"]
            ]
            return 200, {"files": files}
        if path.endswith("/info/lfs/objects/batch"):
            objects = [
                one
                if one["oid"] in self.stored
                else {**one, "actions": {"upload": {"href": f"{self.url}/lfs/{one['oid']}"}}}
                for one in asked["objects"]
            ]
            return 200, {"objects": objects, "transfer": "basic"}
        if path.startswith("/lfs/"):
            self.stored[path.removeprefix("/lfs/")] = content
            self.arrivals.append(path.removeprefix("/lfs/"))
            return 200, {}
        if path.endswith("/validate-yaml"):
            return 200, {"errors": [], "warnings": []}
        return 200, self._commit(path, content)

    def _commit(self, path: str, content: bytes) -> dict[str, Any]:
        for line in map(json.loads, content.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                self.pushed[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.pushed[value["path"]] = self.stored[value["oid"]]
            elif line["key"] == "deletedFile":
                self.pushed.pop(value["path"])
        name = path.removeprefix("/api/models/").partition("/commit/")[0]
        return {"success": True, "commitOid": REVISION, "commitUrl": f"{self.url}/{name}/commit/{REVISION}"}

    def look(self, path: str) -> Any:
        """What a GET finds out about an uploaded repository; None where there is none."""
        name = next((one for one in self.repositories if path.startswith(f"/api/models/{one}")), None)
        if name is None:
            return None
        siblings = [self._lying(one, self.spoiled.get(one, content)) for one, content in self.pushed.items()]
        if "/tree/" in path:
            return siblings
        return {"id": name, "private": self.repositories[name], "sha": REVISION, "siblings": siblings}

    def _lying(self, name: str, content: bytes) -> dict[str, Any]:
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        entry = {"rfilename": name, "type": "file", "path": name, "size": len(content), "oid": blob}
        if name.endswith(self.lfs):
            digest = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": digest, "sha256": digest, "size": len(content), "pointerSize": 130}
        return entry

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

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.command == "PUT" and self.hub.breaks:
            self.hub.breaks -= 1
            self.rfile.read(length // 2)
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        content = self.rfile.read(length)
        if self.hub.answers:
            status, headers = self.hub.answers.pop(0)
            self._send(status, headers, b"", body=True)
            return
        self.hub.tokens.add(self.headers.get("Authorization", "").removeprefix("Bearer "))
        status, value = self.hub.take(self.path.partition("?")[0], content)
        self._send(status, {"Content-Type": "application/json"}, json.dumps(value).encode(), body=True)

    do_PUT = do_POST

    def _answer(self) -> tuple[int, dict[str, str], bytes]:
        path = self.path.partition("?")[0]
        self.hub.paths.append(path)
        if self.hub.failing:
            return 503, {}, b""
        if (found := self.hub.look(path)) is not None:
            return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()
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
