"""The gateway within the dashboard: behind the same gate, open to keys, its numbers open to the owner too."""

import httpx
import pytest

from ftkit.server.gate import SECURITY_HEADERS
from ftkit.serving.engines.asking import Source
from tests.unit.serving.parrot import Parrot

HELLO = {"messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def live(workspace, monkeypatch) -> Parrot:
    parrot = Parrot()
    monkeypatch.setitem(workspace.engines, "resident", parrot)
    monkeypatch.setattr(
        workspace.serving, "_means", workspace.serving._means._replace(resolve=lambda target: Source(target))
    )
    version = workspace.serving.wait(workspace.serving.deploy("run:x").id, 10)
    assert version.state == "live"
    yield parrot
    workspace.serving.stop()


@pytest.fixture
def with_key(workspace, address):
    secret = workspace.keys.create("tests").secret
    headers = {"authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=address, headers=headers, timeout=20) as client:
        yield client


@pytest.mark.usefixtures("live")
def test_a_program_with_a_key_needs_no_session_and_its_request_is_in_the_traffic(workspace, with_key) -> None:
    answer = with_key.post("/v1/chat/completions", json=HELLO)
    assert answer.json()["choices"][0]["message"]["content"] == "run:x: hello"
    assert answer.headers["content-security-policy"] == SECURITY_HEADERS["content-security-policy"]
    said = {"request_id": answer.json()["id"], "thumb": 1}
    assert with_key.post("/v1/feedback", json=said).json()["stored"]
    assert workspace.traffic.get(answer.json()["id"]).thumb == 1
    assert with_key.get("/health").json()["serving"] is True


@pytest.mark.usefixtures("live")
def test_the_owners_session_is_no_key_but_sees_the_numbers(owner, stranger, with_key) -> None:
    assert owner.post("/v1/chat/completions", json=HELLO).status_code == 401
    assert owner.get("/metrics").status_code == 200
    assert stranger.get("/metrics").status_code == 401
    assert with_key.get("/metrics").status_code == 403


def test_a_key_opens_nothing_but_the_gateway(with_key) -> None:
    for path in ("/", "/config", "/gradio_api/info", "/download/x"):
        assert with_key.get(path).status_code == 401
    assert with_key.get("/v1/models", headers={"host": "evil.example"}).status_code == 400
    assert with_key.get("/v1/models", headers={"origin": "https://evil.example"}).status_code == 403


def test_a_large_body_is_refused_in_the_gateways_form(with_key) -> None:
    answer = with_key.post("/v1/completions", content=b"x" * 3_000_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "gateway.too_large")
