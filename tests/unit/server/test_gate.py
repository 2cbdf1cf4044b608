"""What the gate lets through, seen from outside, at the real application."""

import asyncio
import gzip
import re
import socket

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount

from ftkit import __version__
from ftkit.server.bodies import UPLOAD_LIMIT
from ftkit.server.callers import Hosts
from ftkit.server.gate import OPEN_PATHS, SECURITY_HEADERS, Gate, is_raters
from ftkit.server.sessions import Sessions
from ftkit.ui.shell import PAGES
from tests.unit.server.conftest import TOKEN, sign_in

PAGE = {"accept": "text/html"}
PATHS = ["/" if name == "home" else f"/{name}" for name in PAGES]

# What somebody without the owner's session reaches beside the open paths: a rater's page, and what it asks for.
RATERS = {
    "/invite/x",
    "/rate",
    "/rate/api/task",
    "/rate/api/tasks",
    "/rate/api/task/x",
    "/rate/api/task/x/draft",
    "/rate/api/task/x/rating",
    "/rate/api/task/x/skip",
}


def routes(app, prefix=""):
    """Every path of the application and of what is mounted in it, with a method that it answers."""
    for route in app.routes:
        if isinstance(route, Mount):
            yield from (
                routes(route.app, prefix + route.path)
                if hasattr(route.app, "routes")
                else [("GET", route.path)]
            )
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router, prefix + route.include_context.prefix)
        else:
            path = prefix + re.sub(r"\{[^}]*\}", "x", route.path)
            yield from ((method, path) for method in getattr(route, "methods", None) or {"GET"})


def test_health_is_open(stranger):
    answer = stranger.get("/health")
    told = {"status": "ok", "version": __version__, "serving": False}
    assert (answer.status_code, answer.json()) == (200, told)


def test_without_a_session_only_the_open_paths_answer(app, stranger):
    every = sorted(set(routes(app)))
    assert len(every) > 80, "the routes of Gradio are not seen"
    answers = {}
    for method, path in every:
        with stranger.stream(method, path) as answer:
            answers[method, path] = answer.status_code
    answered = {path for (_, path), status in answers.items() if status not in {401, 404, 405}}
    described = "/v1/openapi.json"
    known_otherwise = {path for path in answered if is_raters(path)} | {described}
    assert answered - known_otherwise == {"/health", "/login", "/language"}
    assert {path for path in answered if is_raters(path)} == RATERS
    open_ = OPEN_PATHS | RATERS | {described, "/v1/x"}  # of /v1/x there is nothing
    closed = {path: status for (_, path), status in answers.items() if path not in open_}
    assert {path: status for path, status in closed.items() if status != 401 and not is_raters(path)} == {}
    refused = {key: status for key, status in answers.items() if is_raters(key[1])}
    assert set(refused.values()) == {403, 404}, "without an invitation a rater's path gives nothing"


def test_a_browser_without_a_session_sees_the_login_page(stranger):
    answer = stranger.get("/runs?run=ab12", headers={**PAGE, "accept-language": "tr-TR,tr;q=0.9"})
    assert answer.status_code == 401
    assert '<html lang="tr">' in answer.text
    assert 'value="/runs?run=ab12"' in answer.text, "after signing in it goes on to the page"
    assert "gradio_config" not in answer.text


def test_the_login_page_escapes_where_it_goes_on_to(stranger):
    answer = stranger.get('/x?a="><script>alert(1)</script>', headers=PAGE)
    assert "<script>alert" not in answer.text


def test_the_link_becomes_a_session_and_loses_the_token(stranger):
    answer = stranger.get(f"/runs?run=ab12&token={TOKEN}&x=", headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/runs?run=ab12&x="
    cookie = answer.headers["set-cookie"]
    assert re.match(r"ftkit_session_\d+=", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert TOKEN not in cookie
    assert stranger.get("/config").status_code == 200


def test_the_token_goes_from_the_address_of_somebody_who_is_in_already(owner):
    answer = owner.get("/data?token=outdated", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/data")
    assert "set-cookie" not in answer.headers


def test_a_link_never_leads_elsewhere(address):
    with httpx.Client() as client:
        answer = client.get(f"{address}//evil.example/?token={TOKEN}", headers=PAGE)
    assert answer.headers["location"] == "/"


def test_a_wrong_token_stays_out(stranger):
    answer = stranger.get("/?token=wrong", headers=PAGE)
    assert answer.status_code == 401
    assert "not the right one" in answer.text
    assert "set-cookie" not in answer.headers
    assert stranger.get("/config").status_code == 401


def test_the_form_signs_in_and_goes_on(stranger):
    assert stranger.get("/login", headers=PAGE).status_code == 200
    wrong = stranger.post("/login", data={"token": "wrong", "next": "/data"})
    assert wrong.status_code == 401
    assert 'value="/data"' in wrong.text
    answer = stranger.post("/login", data={"token": TOKEN, "next": "/data"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/data")
    assert stranger.get("/config").status_code == 200


def test_the_form_sends_nobody_elsewhere(stranger):
    answer = stranger.post("/login", data={"token": TOKEN, "next": "//evil.example"})
    assert answer.headers["location"] == "/"


def test_a_made_up_cookie_is_no_session(stranger):
    port = stranger.base_url.port
    for value in ("", "owner", TOKEN, "9999999999.00.00"):
        assert stranger.get("/config", headers={"cookie": f"ftkit_session_{port}={value}"}).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "app.example.com"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/health"), ("POST", "/gradio_api/queue/join")]
)
def test_foreign_hosts_are_refused(owner, method, path, host):
    answer = owner.request(method, path, headers={"host": host})
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


ORIGINS = [
    "https://evil.example",
    "null",
    "http://127.0.0.1.evil.example",
    "https://evil.hf.space",
    "http://127.0.0.1:1",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_foreign_origins_are_refused_even_with_a_session(owner, home, origin):
    before = set((home / "tmp").rglob("*"))
    upload = owner.post("/gradio_api/upload", headers={"origin": origin}, files={"files": ("a.txt", b"x")})
    join = owner.post("/gradio_api/queue/join", headers={"origin": origin}, json={"fn_index": 0, "data": []})
    language = owner.post("/language", headers={"origin": origin}, data={"lang": "tr"})
    assert [answer.status_code for answer in (upload, join, language)] == [403, 403, 403]
    assert set((home / "tmp").rglob("*")) == before
    config = owner.get("/config", headers={"origin": origin})
    assert config.status_code == 403
    assert "access-control-allow-origin" not in config.headers


def test_cross_site_forms_are_refused(owner):
    answer = owner.post("/language", headers={"sec-fetch-site": "cross-site"}, data={"lang": "tr"})
    assert answer.status_code == 403


def test_no_answer_allows_another_origin_to_read_it(owner, address):
    for method in ("GET", "OPTIONS"):
        headers = {"origin": address, "access-control-request-method": "POST"}
        answer = owner.request(method, "/config", headers=headers)
        assert [name for name in answer.headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/login", "/gradio_api/call/home_open"])
def test_large_bodies_are_refused(owner, path):
    answer = owner.post(
        path, content=b"[" + b" " * 3_000_000 + b"]", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/login"])
def test_large_bodies_without_a_length_are_refused(owner, path):
    def chunks():
        for _ in range(60):
            yield b" " * 50_000

    answer = owner.post(path, content=chunks(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_a_stranger_s_body_is_not_read(stranger):
    assert stranger.post("/gradio_api/upload", content=b"x" * 3_000_000).status_code == 401


def test_an_upload_may_be_larger_than_other_bodies(owner):
    answer = owner.post("/gradio_api/upload", files={"files": ("a.csv", b"x" * 3_000_000)})
    assert answer.status_code == 200


def ask(address: str, head: str) -> bytes:
    """Send the head of a request and nothing more; gives the first line of the answer."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"{head}\r\nHost: {host}:{port}\r\n\r\n".encode())
        return connection.recv(4096).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("path", "length"), [("/gradio_api/upload", UPLOAD_LIMIT * 2), ("/gradio_api/queue/join", 2_100_000)]
)
def test_a_body_that_is_announced_too_large_is_not_waited_for(owner, address, path, length):
    cookie = "; ".join(f"{name}={value}" for name, value in owner.cookies.items())
    assert b" 413 " in ask(address, f"POST {path} HTTP/1.1\r\nCookie: {cookie}\r\nContent-Length: {length}")


def test_a_malformed_length_is_refused(address):
    assert b" 400 " in ask(address, "POST /login HTTP/1.1\r\nContent-Length: -5")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/login"),
        ("GET", "/nothing"),
        ("POST", "/health"),
        ("GET", "/config"),
        ("GET", "/theme.css"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        *(("GET", path) for path in PATHS),
    ],
)
@pytest.mark.parametrize("signed_in", [False, True])
def test_every_answer_has_the_security_headers(stranger, method, path, signed_in):
    if signed_in:
        sign_in(stranger)
    answer = stranger.request(method, path, headers=PAGE)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers.get_list(name) == [value]


def test_refusals_have_the_security_headers(owner):
    for headers in ({"host": "evil.example"}, {"origin": "null"}):
        answer = owner.get("/", headers=headers)
        assert answer.headers["content-security-policy"] == SECURITY_HEADERS["content-security-policy"]


def test_the_policy_stops_exfiltration_and_framing():
    policy = dict(
        part.strip().split(" ", 1) for part in SECURITY_HEADERS["content-security-policy"].split(";")
    )
    assert (
        policy["default-src"]
        == policy["connect-src"]
        == policy["form-action"]
        == policy["base-uri"]
        == "'self'"
    )
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["frame-ancestors"] == "'self' https://huggingface.co"
    assert policy["object-src"] == policy["frame-src"] == "'none'"


def test_the_language_is_kept_in_a_cookie(owner):
    answer = owner.post("/language", data={"lang": "tr", "back": "/data?dataset=a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/data?dataset=a")
    page = owner.get("/data", headers={**PAGE, "accept-language": "en"}).text
    assert 'lang="tr"' in page[:200]
    head = page.index("<head>") + len("<head>")
    assert page[head:].startswith("<script>for(const[k,v]of[['language',\"tr\"]"), (
        "before any script of Gradio"
    )
    assert 'aria-pressed="true"' in page


def test_the_language_goes_nowhere_else(owner):
    assert (
        owner.post("/language", data={"lang": "tr", "back": "https://evil.example"}).headers["location"]
        == "/"
    )
    assert owner.post("/language", data={"lang": "xx"}).status_code == 400


def test_a_stranger_may_choose_a_language_and_nothing_else(stranger):
    answer = stranger.post("/language", data={"lang": "tr", "back": "/rate"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/rate")
    assert "ftkit_session" not in answer.headers["set-cookie"]
    for back in ("//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"):
        assert stranger.post("/language", data={"lang": "tr", "back": back}).headers["location"] == "/"
    other = {"origin": "https://evil.example"}
    assert stranger.post("/language", data={"lang": "tr"}, headers=other).status_code == 403
    assert stranger.post("/language", data={"lang": "en\r\nx: y"}).status_code == 400


def test_pages_are_compressed_and_whole(owner):
    with owner.stream("GET", "/", headers={**PAGE, "accept-encoding": "gzip, br"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(packed)
    text = gzip.decompress(packed).decode()
    assert text.rstrip().endswith("</html>")
    assert len(packed) < len(text) / 3
    plain = owner.get("/", headers={**PAGE, "accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_streams_are_not_held_back(owner):
    with owner.stream("GET", "/gradio_api/heartbeat/abcdef", headers={"accept-encoding": "gzip"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        assert b"ALIVE" in next(answer.iter_raw())


def within(client_headers: dict[str, str], framed: bool = False, space: str | None = None) -> httpx.Response:
    """A request to a gate in front of an application that greets by name."""

    async def greet(scope, receive, send):
        await PlainTextResponse(f"hello {scope['state']['user']}")(scope, receive, send)

    def refuse(request, problem):
        return PlainTextResponse("login", 401)

    gate = Gate(greet, Hosts(space=space), Sessions(TOKEN, b"k" * 32), framed, refuse)

    async def ask():
        transport = httpx.ASGITransport(gate)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/data", params={"token": TOKEN}, headers={**PAGE, **client_headers})

    return asyncio.run(ask())


def test_inside_the_page_of_a_space_the_cookie_is_kept_too():
    cookie = within({"host": "me-ftkit.hf.space"}, framed=True, space="me-ftkit.hf.space").headers[
        "set-cookie"
    ]
    assert cookie.startswith("ftkit_session=")
    assert cookie.endswith("HttpOnly; SameSite=None; Secure; Partitioned")


def test_a_space_knows_no_other_space():
    assert within({"host": "evil.hf.space"}, space="me-ftkit.hf.space").status_code == 400
    headers = {"host": "me-ftkit.hf.space", "origin": "https://evil.hf.space"}
    assert within(headers, space="me-ftkit.hf.space").status_code == 403


def test_websockets_are_closed():
    sent = []

    async def send(message):
        sent.append(message)

    async def no_app(scope, receive, send):
        raise AssertionError("reached")

    gate = Gate(no_app, Hosts(), Sessions(TOKEN, b"k" * 32), False, None)
    asyncio.run(gate({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
