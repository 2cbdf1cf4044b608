"""Attacks on what Gradio leaves open in a mounted app, against the real mount with handlers that invite them.

Each of these succeeds when its guard is taken away from ``ftkit.server.dashboard`` or ``ftkit.server.gate``.
"""

import json
from pathlib import Path

import gradio as gr
import httpx
import pytest

from ftkit.server import dashboard
from ftkit.server.app import create_app
from ftkit.ui.border import handler
from tests.unit.server.conftest import TOKEN, gradio_in, serving, sign_in

# Gradio sums up its queue by ways that pandas has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:gradio")

SECRET = "what only the owner of the machine may read"


def fail(_value: str) -> str:
    raise RuntimeError(SECRET)


def inviting() -> gr.Blocks:
    """A page whose handlers would hand out whatever they are given."""
    with gr.Blocks() as demo:
        file, path, text, out = gr.File(), gr.Textbox(), gr.Textbox(), gr.File()
        button = gr.UploadButton()
        read = handler(lambda given: Path(given).read_text())
        file.upload(read, file, text, api_name="read")
        button.upload(read, button, text, api_name="read_button")
        path.submit(handler(lambda wanted: wanted), path, out, api_name="give")
        path.change(handler(lambda value: value.upper()), path, text, api_name="shout")
        path.blur(handler(fail), path, text, api_name="fail")
        hidden = gr.Button()
        hidden.click(handler(lambda: SECRET), None, text, api_name="hidden", api_visibility="private")
    return demo


@pytest.fixture(scope="module")
def target(workspace, home):
    with gradio_in(home), pytest.MonkeyPatch.context() as patch:
        patch.setattr(dashboard, "build", lambda _workspace: inviting())
        patch.setattr(dashboard, "UPLOAD_LIMIT", 1_000_000)
        app = create_app(workspace, TOKEN)
        with serving(app) as address:
            yield address


@pytest.fixture
def attacker(target):
    """Somebody who is signed in: what the session does not stop has to be stopped here."""
    with httpx.Client(base_url=target, timeout=20) as client:
        sign_in(client)
        yield client


@pytest.fixture
def secrets(home, tmp_path) -> dict[str, Path]:
    """Files of the machine that no handler was meant to touch."""
    places = {
        "elsewhere": tmp_path / "secret.txt",
        "dataset": home / "datasets" / "a" / "rows.csv",
        "database": home / "ftkit.sqlite",
        "key": home / "session.key",
        "system": Path("/etc/passwd"),
        "process": Path("/proc/self/environ"),
    }
    for name in ("elsewhere", "dataset"):
        places[name].parent.mkdir(parents=True, exist_ok=True)
        places[name].write_text(SECRET)
    return places


def call(client: httpx.Client, name: str, *values) -> tuple[str, object]:
    """Run an event; gives how it ended and what it gave."""
    started = client.post(f"/gradio_api/call/{name}", json={"data": list(values)})
    assert started.status_code == 200, started.text
    answer = client.get(f"/gradio_api/call/{name}/{started.json()['event_id']}")
    last = [block for block in answer.text.split("\n\n") if block][-1]
    event, data = (line.partition(": ")[2] for line in last.split("\n")[:2])
    return event, json.loads(data)


def file_data(path) -> dict[str, object]:
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


PLACES = ["elsewhere", "dataset", "database", "key", "system", "process"]


@pytest.mark.parametrize("event", ["read", "read_button"])
@pytest.mark.parametrize("place", PLACES)
def test_a_posted_path_is_not_taken_for_an_upload(attacker, secrets, event, place):
    ended, given = call(attacker, event, file_data(secrets[place]))
    assert ended == "error"
    assert SECRET not in json.dumps(given)


def test_a_real_upload_is_taken(attacker):
    uploaded = attacker.post("/gradio_api/upload", files={"files": ("a.txt", SECRET.encode())}).json()[0]
    assert call(attacker, "read", file_data(uploaded)) == ("complete", [SECRET])


def test_an_upload_has_a_limit(attacker, home):
    before = set((home / "tmp").rglob("*"))
    answer = attacker.post("/gradio_api/upload", files={"files": ("a.txt", b"x" * 1_100_000)})
    assert answer.status_code == 413
    assert {path for path in set((home / "tmp").rglob("*")) - before if path.is_file()} == set()


@pytest.mark.parametrize("place", PLACES)
def test_a_returned_path_is_not_handed_out(attacker, secrets, home, place):
    before = {path for path in (home / "tmp").rglob("*") if path.is_file()}
    ended, given = call(attacker, "give", str(secrets[place]))
    assert ended == "error"
    assert "url" not in json.dumps(given)
    assert {path for path in (home / "tmp").rglob("*") if path.is_file()} == before, "copied to the cache"


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../app.py", "..%2f..%2fetc/passwd", "%252e%252e%252fetc%252fpasswd", "//192.0.2.1/share", "app.py",
     "file:///etc/passwd", "C:\\windows\\win.ini", "/no/such/file", "http://127.0.0.1:1/x", "/ETC/PASSWD"],
)  # fmt: skip
def test_no_file_is_read_by_its_address(attacker, path):
    for route in ("file=", "file/"):
        answer = attacker.get(f"/gradio_api/{route}{path}")
        assert answer.status_code in {403, 404} if route == "file/" else answer.status_code == 403
        assert "root:" not in answer.text


def test_the_data_folder_is_not_read_by_its_address(attacker, secrets):
    for place in ("dataset", "database", "key", "elsewhere"):
        for path in (secrets[place], str(secrets[place]).upper()):
            assert attacker.get(f"/gradio_api/file={path}").status_code == 403


@pytest.mark.parametrize("prefix", ["/gradio_api/run", "/gradio_api/api", "/run", "/api"])
@pytest.mark.parametrize("name", ["shout", "hidden", "predict"])
def test_the_queue_cannot_be_passed_by(attacker, prefix, name):
    answer = attacker.post(f"{prefix}/{name}", json={"data": ["x"], "fn_index": 3})
    assert answer.status_code == 404, answer.text


def test_the_same_event_works_through_the_queue(attacker):
    assert call(attacker, "shout", "x") == ("complete", ["X"])


@pytest.mark.parametrize("event", ["read", "give", "shout", "hidden"])
def test_without_a_session_no_event_runs(target, event):
    with httpx.Client(base_url=target) as client:
        for path in (f"/gradio_api/call/{event}", "/gradio_api/queue/join", f"/gradio_api/run/{event}"):
            assert (
                client.post(path, json={"data": ["x"], "fn_index": 0, "session_hash": "a"}).status_code == 401
            )


def test_what_gradio_offers_beside_the_app_is_closed(attacker):
    assert attacker.get("/monitoring/summary").status_code in {401, 403, 404}
    assert attacker.get("/gradio_api/runs").status_code == 404
    assert attacker.post("/gradio_api/vibe-edit", json={"prompt": "x"}).status_code == 403
    assert attacker.get("/docs").status_code == 404
    assert attacker.get("/openapi.json").status_code == 404
    assert attacker.get("/gradio_api/mcp/sse").status_code == 404


def test_an_unexpected_error_says_nothing_of_its_cause(attacker):
    ended, given = call(attacker, "fail", "x")
    assert ended == "error"
    assert "log under the number" in json.dumps(given)
    assert SECRET not in json.dumps(given)
