"""The gateway's forms: errors in OpenAI's shape, size, unknown fields, feedback, metrics, and its own description."""

import httpx
import pytest

from ftkit.server.gateway.app import alone
from tests.unit.server.conftest import serving as served
from tests.unit.server.gateway.conftest import make_place

HELLO = {"messages": [{"role": "user", "content": "hello"}]}
CHAT, COMPLETE, FEEDBACK = "/v1/chat/completions", "/v1/completions", "/v1/feedback"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One for all of these: they leave nothing that another one would stumble over."""
    database, made = make_place(tmp_path_factory.mktemp("gateway"))
    with served(alone(made.gateway)) as url:
        made = made._replace(url=url)
        made.deploy("run:a")
        yield made
    database.close()


def trouble(answer: httpx.Response) -> tuple[int, str | None, str | None]:
    """Status, code and parameter of an answer in OpenAI's shape."""
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"], body["error"]["param"]


def test_every_path_asks_for_a_key_before_it_reads(place) -> None:
    with httpx.Client(base_url=place.url, trust_env=False, timeout=30) as nobody:
        for method, path in [
            ("GET", "/v1/models"),
            ("GET", "/v1/models/x"),
            ("POST", CHAT),
            ("POST", COMPLETE),
            ("POST", FEEDBACK),
            ("GET", "/metrics"),
        ]:
            for header in ({}, {"authorization": "Bearer ftk_wrong"}, {"authorization": "Basic eDp5"}):
                answer = nobody.request(
                    method, path, headers=header, content=b"{" if method == "POST" else None
                )
                assert trouble(answer)[:2] == (401, "invalid_api_key"), path
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.headers["x-request-id"]
        assert nobody.get("/health").json()["serving"] is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chat_template", "{{ 1 }}"),
        ("prompt_embeds", "AAAA"),
        ("trust_remote_code", True),
        ("tools", []),
        ("logprobs", True),
        ("response_format", {"type": "json_object"}),
    ],
)
def test_a_field_that_is_not_known_is_refused_by_name(place, http, field, value) -> None:
    answer = http.post(CHAT, json={**HELLO, field: value})
    assert trouble(answer) == (422, "unknown_parameter", field)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 100_000}, "max_tokens"),
        ({"max_tokens": "12"}, "max_tokens"),
        ({"temperature": 2.5}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"n": 2}, "n"),
        ({"stop": ["a"] * 5}, "stop.list[constrained-str]"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_place(place, http, change, param) -> None:
    answer = http.post(CHAT, json={**HELLO, **change})
    status, code, where = trouble(answer)
    assert (status, code) == (422, "invalid_value")
    assert where is not None
    assert where.split(".")[0] == param.split(".")[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"messages": [{"role": "user", "content": "x"}], "temperature": NaN}',
        b'{"messages": [{"role": "user", "content": "x"}], "seed": 1' + b"0" * 5000 + b"}",
        b"[" * 30_000,
    ],
)
def test_a_body_that_is_none_is_the_clients_mistake(place, http, body) -> None:
    for path in (CHAT, COMPLETE, FEEDBACK):
        answer = http.post(path, content=body, headers={"content-type": "application/json"})
        assert trouble(answer)[0] in {400, 422}


def test_a_large_body_is_refused_however_it_comes(place, http) -> None:
    large = b'{"prompt": "' + b"x" * 70_000 + b'"}'
    headers = {"content-type": "application/json"}
    assert trouble(http.post(COMPLETE, content=large, headers=headers))[:2] == (413, "gateway.too_large")
    pieces = (large[start : start + 1000] for start in range(0, len(large), 1000))
    assert trouble(http.post(COMPLETE, content=pieces, headers=headers))[:2] == (413, "gateway.too_large")
    assert all("xxx" not in asked.prompt for _, asked in place.parrot.asked)


def test_what_the_model_cannot_take_is_400(place, http) -> None:
    assert trouble(http.post(COMPLETE, json={"prompt": "x" * 9000}))[:2] == (400, "test.too_long")


def test_other_paths_and_methods_are_told_apart(http) -> None:
    assert trouble(http.get("/v1/embeddings"))[:2] == (404, "gateway.no_path")
    assert trouble(http.get("/v1/"))[0] == 404
    for method, path, allowed in [
        ("GET", CHAT, "POST"),
        ("DELETE", "/v1/models", "GET"),
        ("POST", "/v1/models/x", "GET"),
        ("PUT", "/v1/openapi.json", "GET"),
    ]:
        answer = http.request(method, path)
        assert trouble(answer)[:2] == (405, "gateway.bad_method")
        assert answer.headers["allow"] == allowed


def test_feedback_names_the_request_by_its_id_or_its_header(place, http) -> None:
    answer = http.post(CHAT, json=HELLO)
    assert answer.headers["x-request-id"] == answer.json()["id"]
    said = {"request_id": answer.json()["id"], "thumb": -1, "correction": "Merhaba!"}
    stored = http.post(FEEDBACK, json=said).json()
    assert stored == {"request_id": said["request_id"], "stored": True, "texts_kept": True}
    request, key, feedback = place.log.said[-1]
    assert (request, feedback.thumb, feedback.correction, feedback.rating) == (
        said["request_id"],
        -1,
        "Merhaba!",
        None,
    )
    assert key == place.log.exchanges[-1].key
    assert trouble(http.post(FEEDBACK, json={**said, "request_id": "nothing"}))[0] == 404


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"thumb": 0},
        {"thumb": None},
        {"rating": 6},
        {"rating": "5"},
        {"comment": "x" * 4001},
        {"stars": 5},
    ],
)
def test_feedback_that_says_nothing_is_refused(http, said) -> None:
    assert trouble(http.post(FEEDBACK, json={"request_id": "x", **said}))[0] == 422


def test_metrics_count_by_version_and_need_a_key_of_their_own(place, http) -> None:
    first = place.deploy("run:b")
    http.post(CHAT, json=HELLO)
    http.post(CHAT, json={"messages": [{"role": "user", "content": "break"}]})
    canary = place.serving.wait(place.serving.canary("run:c", 0.25).id, 10)
    assert trouble(http.get("/metrics"))[:2] == (403, "insufficient_permissions")
    key = place.keys.create("prometheus", scopes=("metrics",)).secret
    assert trouble(http.post(CHAT, json={"surprise": 1}))[0] == 422
    text = http.get("/metrics", headers={"authorization": f"Bearer {key}"}).text
    for line in (
        f'ftkit_answers_total{{finish="stop",kind="chat",version="{first}"}} 1.0',
        f'ftkit_errors_total{{error="test.broke",version="{first}"}} 1.0',
        f'ftkit_tokens_total{{direction="answer",version="{first}"}} 2.0',
        f'ftkit_version_share{{state="live",version="{first}"}} 0.75',
        f'ftkit_version_share{{state="canary",version="{canary.id}"}} 0.25',
        "ftkit_running 0.0",
    ):
        assert line in text.splitlines(), line
    assert 'ftkit_http_requests_total{path="/v1/chat/completions",status="422"}' in text


def test_the_description_says_what_is_there(http) -> None:
    described = http.get("/v1/openapi.json").json()
    assert set(described["paths"]) == {
        "/v1/models",
        "/v1/models/{model}",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/feedback",
    }
    chat = described["paths"]["/v1/chat/completions"]["post"]
    assert set(chat["responses"]) == {
        *("200", "400", "401", "403", "404", "413", "422", "429", "500", "503", "504")
    }
    assert set(chat["responses"]["200"]["content"]) == {"application/json", "text/event-stream"}
    assert chat["security"]
    wish = described["components"]["schemas"]["ChatRequest"]
    assert wish["additionalProperties"] is False
