"""An export that is killed at each of its stages, by the real worker, beside an older one that answers all the time."""

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ftkit.export.options import ExportOptions
from ftkit.export.service import ExportView
from ftkit.server.gateway.app import alone
from ftkit.server.gateway.service import Gateway
from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.ending import end_workers
from tests.finished_run import RUN, add_model, add_run, open_room
from tests.unit.server.conftest import serving

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
MERGED = ExportOptions(target="merged")


def open_home(home: Path, **environment: str) -> Workspace:
    given = {**os.environ, "FTKIT_HOME": str(home), "OMP_NUM_THREADS": "1", **environment}
    return Workspace(Settings.from_environment(given))


def hashes(workspace: Workspace, view: ExportView) -> dict[str, str]:
    """Of what lies in the folder now."""
    folder = workspace.exports.folder(view.export.id)
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


class Asking(threading.Thread):
    """Asks the same thing again and again over HTTP until it is left."""

    def __init__(self, url: str, secret: str) -> None:
        super().__init__()
        self._http = httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {secret}"}, timeout=120, trust_env=False
        )
        self._left = threading.Event()
        self.answers: list[tuple[int, str, str]] = []
        self.ask()

    def ask(self) -> None:
        said = [{"role": "user", "content": "my parcel is late"}]
        body = {"model": "ftkit", "messages": said, "temperature": 0, "max_tokens": 12}
        reply = self._http.post("/v1/chat/completions", json=body)
        told = reply.json()
        answer = (
            told["choices"][0]["message"]["content"] if reply.status_code == httpx.codes.OK else reply.text
        )
        self.answers.append((reply.status_code, told.get("model", ""), answer))

    def run(self) -> None:
        while not self._left.wait(0.2):
            self.ask()

    def __enter__(self) -> "Asking":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self.join()
        self.ask()
        self._http.close()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A finished run of the tiny model."""
    home = tmp_path_factory.mktemp("killed") / "home"
    with open_room(home) as room:
        add_run(room)
        add_model(room)
    with open_home(home) as made:
        yield made
        end_workers(made)


@pytest.fixture(scope="module")
def old(workspace: Workspace) -> ExportView:
    """An export that is done and live."""
    view = workspace.exports.wait(workspace.exports.create(RUN, MERGED).id)
    assert view.job.state == "done", view.job.error
    version = workspace.serving.deploy(f"export:{view.export.id}", anyway=True)
    assert workspace.serving.wait(version.id, 300).state == "live"
    return view


@pytest.mark.parametrize("stage", ["export.built", "export.verified", "export.kept"])
def test_the_old_one_stays_whole_and_served_and_a_retry_gives_the_same_files(
    workspace: Workspace, old: ExportView, stage: str
) -> None:
    before = hashes(workspace, old)
    assert before == {one.name: one.sha256 for one in old.files}
    secret = workspace.keys.create(stage, requests_per_minute=None).secret
    with serving(alone(Gateway.of(workspace))) as url, Asking(url, secret) as asking:
        with open_home(workspace.folders.home, FTKIT_FAILPOINT=f"{stage}:kill") as dying:
            cut = dying.exports.wait(dying.exports.create(RUN, MERGED).id)
        assert cut.job.state in {"failed", "lost"}
        assert (cut.files, cut.report, cut.parity) == ((), None, None)
        assert cut.export.id != old.export.id
        assert (workspace.folders.export(cut.export.id) / "files").exists() == (stage == "export.kept")
        assert hashes(workspace, old) == before
        again = workspace.exports.wait(workspace.exports.retry(cut.export.id).id)
    assert again.job.state == "done", again.job.error
    assert again.export.id == cut.export.id
    assert hashes(workspace, again) == before
    assert again.files == old.files
    left = {path.name for path in workspace.folders.export(again.export.id).iterdir()}
    assert not left & {"files.part", "scratch"}
    assert len(asking.answers) > 3
    assert len(set(asking.answers)) == 1
    assert asking.answers[0][0] == httpx.codes.OK
    live = workspace.serving.state().live
    assert live is not None
    assert live.target == f"export:{old.export.id}"
